// Sparse mappings over the 256 GiB of Sv39 user space: almost every page needs two page tables of its own, and
// when the pages go, so must the tables, or the later rounds run out of memory.
//
//   page-table-growth [PAGES [ROUNDS]]
//
// System calls: mmap, munmap, clock_gettime, write, exit_group.

#include "lib/arguments.h"
#include "lib/memory.h"

#define GIB (1ul << 30)
#define MIB2 (1ul << 21)
#define PAGES_MAX 250ul     // stays clear of the stack and the mmap area below 256 GiB

/** One page in each GiB, at another index of the middle and of the last level each time. */
static char *address_of(unsigned long index) {
    return (char *)((index + 1) * GIB + index * 37 % 512 * MIB2 + index * 101 % 512 * PAGE_BYTES);
}

static void map_all(unsigned long pages) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    for (unsigned long i = 0; i < pages; i++) {
        long got = sys_mmap(address_of(i), PAGE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (got != (long)address_of(i)) fail("mmap at %lx returned %lx", (unsigned long)address_of(i), got);
    }
}

static void write_all(unsigned long pages, unsigned long round) {
    for (unsigned long i = 0; i < pages; i++) {
        unsigned long *word = (unsigned long *)address_of(i);
        CHECK(*(volatile unsigned long *)word == 0);
        *word = round * PAGES_MAX + i;
    }
}

static void check_all(unsigned long pages, unsigned long round) {
    for (unsigned long i = 0; i < pages; i++) {
        CHECK(*(volatile unsigned long *)address_of(i) == round * PAGES_MAX + i);
    }
}

/** Every second page alone, the rest in one call that spans tens of empty gigabytes. */
static void unmap_all(unsigned long pages) {
    for (unsigned long i = 0; i < pages; i += 2) unmap_pages(address_of(i), 1);
    char *first = address_of(0);
    CHECK(sys_munmap(first, (size_t)(address_of(pages - 1) + PAGE_BYTES - first)) == 0);
    for (unsigned long i = 0; i < pages; i++) {
        CHECK(sys_clock_gettime(CLOCK_MONOTONIC, (struct timespec *)address_of(i)) == -EFAULT);
    }
}

int main(int argc, char **argv) {
    unsigned long pages = argument_number(argc, argv, 1, 240, 1, PAGES_MAX);
    unsigned long rounds = argument_number(argc, argv, 2, 4, 1, 1 << 20);
    for (unsigned long round = 1; round <= rounds; round++) {
        map_all(pages);
        write_all(pages, round);
        check_all(pages, round);
        unmap_all(pages);
    }
    print("page-table-growth: %lu pages, %lu rounds, one page per GiB\n", pages, rounds);
    return 0;
}
