// Everything that a kernel may do to pages, at random, while they are being used: processes that map, write, read, age,
// give up, move and unmap their memory, fork, cut shared files short and are killed in the middle of it. Each knows
// what its pages hold, and says so when one holds something else. Made for machines with less memory than that.
//   vm-storm [PROCESSES STEPS SEED]
// System calls: clone, wait4, kill, mmap, munmap, mremap, mprotect, madvise, mlock, munlock, memfd_create, ftruncate,
// pread64, pwrite64, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#define AREAS 6
#define AREA_PAGES 96ul
#define FILE_PAGES 128ul
#define CHILDREN_MAX 3

struct area {
    volatile uint32_t *pages; // NULL: not mapped
    uint32_t word[AREA_PAGES];
    uint8_t given_up[AREA_PAGES]; // after MADV_FREE: may be 0 as well
};

static uint32_t state;
static struct area areas[AREAS];
static volatile uint32_t *file_pages; // shared by all: page p holds 0 or a multiple of p + 1
static int file;

static uint32_t random_below(uint32_t limit) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return (uint32_t)(((uint64_t)state * limit) >> 32);
}

static long call(long number, long a, long b, long c) {
    return syscall6(number, a, b, c, 0, 0, 0);
}

static void check_page(struct area *area, unsigned long page) {
    uint32_t found = area->pages[page * 1024];
    if (found == area->word[page] && area->pages[page * 1024 + 1023] == found) return;
    found = area->pages[page * 1024];
    if (area->given_up[page] && found == 0) {
        area->word[page] = 0;
        area->given_up[page] = 0;
        return;
    }
    fail("area %d page %lu holds %x, not %x", (int)(area - areas), page, found, area->word[page]);
}

static void write_page(struct area *area, unsigned long page) {
    check_page(area, page);
    area->word[page] = area->pages[page * 1024] = state | 1;
    area->pages[page * 1024 + 1023] = area->word[page];
    area->given_up[page] = 0;
}

static void map_area(struct area *area) {
    area->pages = map_pages(AREA_PAGES, PROT_READ | PROT_WRITE);
    for (unsigned long page = 0; page < AREA_PAGES; page++) area->word[page] = area->given_up[page] = 0;
}

static void advise(struct area *area, unsigned long first, unsigned long pages, int advice) {
    long result = sys_madvise((char *)area->pages + first * PAGE_BYTES, pages * PAGE_BYTES, advice);
    if (result == -EINVAL && advice == MADV_PAGEOUT) return; // qemu does not know it
    CHECK(result == 0);
    for (unsigned long page = first; page < first + pages; page++) {
        if (advice == MADV_FREE) area->given_up[page] = 1;
        if (advice == MADV_DONTNEED) area->word[page] = area->given_up[page] = 0;
    }
}

static void move(struct area *area) {
    size_t bytes = AREA_PAGES * PAGE_BYTES;
    char *target = map_pages(AREA_PAGES, PROT_NONE);
    long moved = sys_mremap((void *)area->pages, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, target);
    CHECK(moved == (long)target);
    area->pages = (volatile uint32_t *)target;
}

/** Others cut the file meanwhile, but never its first half: beyond that it is read and written by calls. */
static void use_file(void) {
    unsigned long page = random_below(FILE_PAGES);
    uint32_t found = 0, value = (uint32_t)(page + 1) * (1 + random_below(1000));
    if (page < FILE_PAGES / 2) {
        found = file_pages[page * 1024];
        file_pages[page * 1024] = value;
    } else {
        CHECK(syscall6(__NR_pread64, file, (long)&found, 4, (long)(page * PAGE_BYTES), 0, 0) >= 0);
        CHECK(syscall6(__NR_pwrite64, file, (long)&value, 4, (long)(page * PAGE_BYTES), 0, 0) == 4);
    }
    if (found % (page + 1) != 0) fail("page %lu of the file holds %x", page, found);
    if (random_below(8) != 0) return;
    CHECK(call(__NR_ftruncate, file, (long)((FILE_PAGES / 2 + random_below(FILE_PAGES / 2)) * PAGE_BYTES), 0) == 0);
}

static void step(struct area *area) {
    unsigned long page = random_below(AREA_PAGES);
    unsigned long pages = 1 + random_below((uint32_t)(AREA_PAGES - page));
    char *at = (char *)area->pages + page * PAGE_BYTES;
    switch (random_below(20)) {
    case 0:
        unmap_pages((void *)area->pages, AREA_PAGES);
        map_area(area);
        break;
    case 1:
        advise(area, page, pages, MADV_DONTNEED);
        break;
    case 2:
        advise(area, page, pages, MADV_FREE);
        break;
    case 3:
        advise(area, page, pages, MADV_PAGEOUT);
        break;
    case 4:
        advise(area, page, pages, MADV_COLD);
        break;
    case 5:
        move(area);
        break;
    case 6:
        CHECK(sys_mprotect(at, pages * PAGE_BYTES, PROT_READ) == 0);
        for (unsigned long i = page; i < page + pages; i++) check_page(area, i);
        CHECK(sys_mprotect(at, pages * PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
        break;
    case 7:
        if (pages > 8) pages = 8;
        CHECK(call(__NR_mlock, (long)at, (long)(pages * PAGE_BYTES), 0) == 0);
        for (unsigned long i = page; i < page + pages; i++) write_page(area, i);
        CHECK(call(__NR_munlock, (long)at, (long)(pages * PAGE_BYTES), 0) == 0);
        break;
    case 8:
    case 9:
        use_file();
        break;
    default:
        for (unsigned long i = page; i < page + pages; i++) {
            if (random_below(2)) write_page(area, i);
            else check_page(area, i);
        }
    }
}

static void storm(uint32_t seed, uint32_t steps, uint32_t depth) {
    state = seed | 1;
    long children[CHILDREN_MAX];
    uint32_t live = 0;
    for (uint32_t i = 0; i < steps; i++) {
        step(&areas[random_below(AREAS)]);
        if (depth == 0 || random_below(16) != 0) continue;
        if (live == CHILDREN_MAX || (live != 0 && random_below(3) == 0)) {
            long pid = children[--live];
            int status, killed = random_below(2) == 0;
            if (killed) CHECK(sys_kill((int)pid, SIGKILL) == 0);
            CHECK(sys_wait4((int)pid, &status, 0) == pid);
            CHECK(exit_code(status) == 0 || (killed && end_signal(status) == SIGKILL));
        } else {
            long pid = sys_fork();
            CHECK(pid >= 0);
            if (pid == 0) {
                storm(state ^ (i * 7919 + 1), steps / 4, 0);
                sys_exit_group(0);
            }
            children[live++] = pid;
        }
    }
    while (live > 0) {
        int status;
        CHECK(sys_wait4((int)children[--live], &status, 0) > 0 && exit_code(status) == 0);
    }
    for (uint32_t i = 0; i < AREAS; i++) {
        for (unsigned long page = 0; page < AREA_PAGES; page++) check_page(&areas[i], page);
    }
}

int main(int argc, char **argv) {
    uint32_t processes = (uint32_t)argument_number(argc, argv, 1, 2, 1, 64);
    uint32_t steps = (uint32_t)argument_number(argc, argv, 2, 200, 1, 1000000);
    uint32_t seed = (uint32_t)argument_number(argc, argv, 3, 1, 0, 0xffffffff);
    file = (int)call(__NR_memfd_create, (long)"vm-storm", 0, 0);
    CHECK(file >= 0 && call(__NR_ftruncate, file, (long)(FILE_PAGES * PAGE_BYTES), 0) == 0);
    long address = sys_mmap(NULL, FILE_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(address > 0);
    file_pages = (volatile uint32_t *)address;
    for (uint32_t i = 0; i < processes; i++) {
        long pid = sys_fork();
        CHECK(pid >= 0);
        if (pid != 0) continue;
        for (uint32_t area = 0; area < AREAS; area++) map_area(&areas[area]);
        storm(seed * 40503 + i * 2654435761u, steps, 1);
        sys_exit_group(0);
    }
    for (uint32_t i = 0; i < processes; i++) {
        int status;
        CHECK(sys_wait4(-1, &status, 0) > 0);
        if (exit_code(status) != 0) fail("a process ended with status %x", status);
    }
    print("vm-storm: %u processes, %u steps each, no page lost a word\n", processes, steps);
    return 0;
}
