// Anonymous page faults as fast as they go: map, write one byte to each page, unmap.
//
//   fault-loop [THREADS [PAGES [ROUNDS [own|apart|shared]]]] [--time]
//
// own:    each thread maps and unmaps a vma of its own in every round; neighbours lie in one page table.
// apart:  the same, with 1 GiB between them: no page table but the root is shared.
// shared: all threads fault in one vma, each on its own pages, and give them back by MADV_DONTNEED.
// The clock runs from the moment that all threads are warm until the last one is done.
// System calls: mmap, munmap, madvise, mprotect, clone, futex, write, clock_gettime (with --time), exit, exit_group.

#include "lib/port.h"

#define THREADS_MAX 64
#define APART_BYTES (1ul << 30)

static unsigned long pages, rounds;
static int one_vma, far_apart, timed;
static char *shared;
static struct barrier together;

static void touch(char *base) {
    for (unsigned long page = 0; page < pages; page++) *(volatile char *)(base + page * PAGE_BYTES) = 1;
}

/** Faults inside [base, base + pages), an area that no other thread uses and no other vma borders on. */
static void own_rounds(char *base, unsigned long count) {
    for (unsigned long round = 0; round < count; round++) {
        long again = sys_mmap(base, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        CHECK(again == (long)base);
        touch(base);
        CHECK(sys_munmap(base, pages * PAGE_BYTES) == 0);
    }
}

static void shared_rounds(char *base, unsigned long count) {
    for (unsigned long round = 0; round < count; round++) {
        touch(base);
        CHECK(sys_madvise(base, pages * PAGE_BYTES, MADV_DONTNEED) == 0);
    }
}

static void run(char *area, unsigned long count) {
    if (one_vma) shared_rounds(area, count);
    else own_rounds(area, count);
}

/** Where `thread` may map and unmap. The page behind an area stays PROT_NONE and keeps neighbours apart. */
static char *own_area(unsigned long thread) {
    if (!far_apart) return map_pages(pages + 1, PROT_NONE);
    char *base = (char *)((thread + 1) * APART_BYTES);
    long mapped = sys_mmap(base, (pages + 1) * PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(mapped == (long)base);
    return base;
}

static void worker(void *argument) {
    unsigned long index = (unsigned long)argument;
    char *area = one_vma ? shared + index * pages * PAGE_BYTES : own_area(index);
    barrier_wait(&together);
    if (timed) {
        for (unsigned long end = now_ns() + WARM_UP_NS; now_ns() < end;) run(area, 10);
        barrier_wait(&together);
    }
    run(area, rounds);
    barrier_wait(&together);
}

int main(int argc, char **argv) {
    timed = take_time_flag(&argc, argv);
    unsigned long threads = argument_number(argc, argv, 1, 1, 1, THREADS_MAX);
    pages = argument_number(argc, argv, 2, 64, 1, 1 << 16);
    rounds = argument_number(argc, argv, 3, 100, 1, 1ul << 32);
    const char *sharing = argument_word(argc, argv, 4, "own");
    one_vma = strcmp(sharing, "shared") == 0;
    far_apart = strcmp(sharing, "apart") == 0;
    if (!one_vma && !far_apart && strcmp(sharing, "own") != 0) fail("own, apart or shared, not %s", sharing);

    if (one_vma) shared = map_pages(threads * pages, PROT_READ | PROT_WRITE);
    together.parties = (uint32_t)threads + 1;
    struct thread *workers[THREADS_MAX];
    for (unsigned long i = 0; i < threads; i++) workers[i] = thread_start(worker, (void *)i);
    barrier_wait(&together);
    if (timed) barrier_wait(&together);
    unsigned long start = timed ? now_ns() : 0;
    barrier_wait(&together);
    print("fault-loop: %lu threads, %s, %lu faults\n", threads, sharing, threads * pages * rounds);
    print_elapsed(timed, start);
    for (unsigned long i = 0; i < threads; i++) thread_join(workers[i]);
    return 0;
}
