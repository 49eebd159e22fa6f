// Huge pages that are made, split and collapsed under threads that use them: each adds to words of its own all over the
// memory, none may be lost, and a child of fork keeps what was there when it began.
//   huge-storm [STEPS SEED]
// System calls: mmap, munmap, madvise, mprotect, clone, wait4, futex, exit, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/process.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define LEAF_BYTES (512 * PAGE_BYTES)
#define LEAF_PAGES 512ul
#define LEAVES 3ul // the last one is written by the main thread alone
#define WRITERS 3u

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static char *base;
static uint32_t sums[WRITERS][(LEAVES - 1) * LEAF_PAGES];
static uint32_t own[LEAF_PAGES]; // what the pages of the last leaf hold
static volatile uint32_t stop;

static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static volatile uint32_t *word_of(unsigned long page, unsigned long word) {
    return (volatile uint32_t *)(base + page * PAGE_BYTES) + word;
}

static void writer(void *argument) {
    uint32_t index = (uint32_t)(uintptr_t)argument;
    uint32_t state = 77 + index;
    while (load_relaxed(&stop) == 0) {
        uint32_t page = next_random(&state) % ((LEAVES - 1) * LEAF_PAGES);
        volatile uint32_t *word = word_of(page, index);
        if (*word != sums[index][page]) fail("thread %u, page %u: %u, not %u", index, page, *word, sums[index][page]);
        *word = ++sums[index][page];
    }
}

static void check_own(unsigned long page) {
    if (*word_of((LEAVES - 1) * LEAF_PAGES + page, 9) == own[page]) return;
    fail("page %lu of the last leaf: %u, not %u", page, *word_of((LEAVES - 1) * LEAF_PAGES + page, 9), own[page]);
}

/** In the child no thread writes: whatever the words are, they stay. */
static void child(void) {
    uint32_t before = 0, after = 0;
    for (unsigned long page = 0; page < (LEAVES - 1) * LEAF_PAGES; page++) before += *word_of(page, 0);
    for (unsigned long page = 0; page < LEAF_PAGES; page += 3) {
        check_own(page);
        *word_of((LEAVES - 1) * LEAF_PAGES + page, 9) = 0xdead;
    }
    for (unsigned long page = 0; page < (LEAVES - 1) * LEAF_PAGES; page++) after += *word_of(page, 0);
    if (before != after) fail("child: %u, then %u", before, after);
    sys_exit_group(0);
}

/** A page whose rights change is an area of its own, and no part of a leaf. */
static void split(unsigned long page) {
    char *address = base + page * PAGE_BYTES;
    CHECK(sys_mprotect(address, PAGE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
    CHECK(sys_mprotect(address, PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
}

static void step(uint32_t random) {
    unsigned long page = (random >> 8) % LEAF_PAGES;
    char *last = base + (LEAVES - 1) * LEAF_BYTES;
    switch (random % 8) {
    case 0:
    case 1: // may fail where memory is short, or be unknown
        sys_madvise(base + random / 8 % LEAVES * LEAF_BYTES, LEAF_BYTES, MADV_COLLAPSE);
        return;
    case 2:
        split((random >> 8) % (LEAVES * LEAF_PAGES));
        return;
    case 3:
        CHECK(sys_madvise(last + page * PAGE_BYTES, PAGE_BYTES, MADV_DONTNEED) == 0);
        own[page] = 0;
        return;
    case 4:
        if (random >> 29 != 0) return;
        CHECK(sys_madvise(last, LEAF_BYTES, MADV_DONTNEED) == 0);
        memset(own, 0, sizeof own);
        return;
    case 5: {
        if (random >> 29 != 0) return;
        long pid = sys_fork();
        CHECK(pid >= 0);
        if (pid == 0) child();
        int status;
        CHECK(sys_wait4((int)pid, &status, 0) == pid && exit_code(status) == 0);
        return;
    }
    default:
        check_own(page);
        *word_of((LEAVES - 1) * LEAF_PAGES + page, 9) = own[page] = random;
    }
}

int main(int argc, char **argv) {
    uint32_t steps = (uint32_t)argument_number(argc, argv, 1, 400, 1, 1000000);
    uint32_t state = (uint32_t)argument_number(argc, argv, 2, 1, 0, 0xffffffff) * 2654435761u | 1;
    char *memory = map_pages((LEAVES + 1) * LEAF_PAGES, PROT_READ | PROT_WRITE);
    base = (char *)(((uintptr_t)memory + LEAF_BYTES - 1) & ~(uintptr_t)(LEAF_BYTES - 1));
    CHECK(sys_madvise(base, LEAVES * LEAF_BYTES, MADV_HUGEPAGE) == 0);
    struct thread *threads[WRITERS];
    for (uintptr_t i = 0; i < WRITERS; i++) threads[i] = thread_start(writer, (void *)i);
    for (uint32_t i = 0; i < steps; i++) step(next_random(&state));
    store_relaxed(&stop, 1);
    for (uintptr_t i = 0; i < WRITERS; i++) thread_join(threads[i]);
    for (uint32_t i = 0; i < WRITERS; i++) {
        for (unsigned long page = 0; page < (LEAVES - 1) * LEAF_PAGES; page++) {
            CHECK(*word_of(page, i) == sums[i][page]);
        }
    }
    for (unsigned long page = 0; page < LEAF_PAGES; page++) check_own(page);
    unmap_pages(memory, (LEAVES + 1) * LEAF_PAGES);
    print("huge-storm: %u threads, %u steps, no word lost\n", WRITERS, steps);
    return 0;
}
