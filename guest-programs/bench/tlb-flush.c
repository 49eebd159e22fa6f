// TLB shootdowns by size: threads of one process give back PAGES pages of their own area by MADV_DONTNEED, as one range
// or page by page, and touch them again. (The shape of tlb_flush2_threads.)
//
//   tlb-flush [THREADS [PAGES [ROUNDS [range|page]]]] [--time]
//
// range: one madvise for all of them. page: one for each, every other page, so that no two make a range.
// System calls: mmap, munmap, mprotect, madvise, clone, futex, write, clock_gettime (with --time), exit, exit_group.

#include "lib/port.h"

#define THREADS_MAX 64

static unsigned long pages, rounds;
static int page_by_page;
static struct barrier together;

static void touch(char *base, unsigned long stride) {
    for (unsigned long page = 0; page < pages; page++) *(volatile char *)(base + page * stride) = 1;
}

static void worker(void *argument) {
    (void)argument;
    unsigned long stride = page_by_page ? 2 * PAGE_BYTES : PAGE_BYTES;
    char *area = map_pages(2 * pages, PROT_READ | PROT_WRITE);
    touch(area, stride);
    barrier_wait(&together);
    for (unsigned long round = 0; round < rounds; round++) {
        if (page_by_page) {
            for (unsigned long page = 0; page < pages; page++) {
                CHECK(sys_madvise(area + page * stride, PAGE_BYTES, MADV_DONTNEED) == 0);
            }
        } else {
            CHECK(sys_madvise(area, pages * PAGE_BYTES, MADV_DONTNEED) == 0);
        }
        touch(area, stride);
    }
    barrier_wait(&together);
}

int main(int argc, char **argv) {
    int timed = take_time_flag(&argc, argv);
    unsigned long threads = argument_number(argc, argv, 1, 2, 1, THREADS_MAX);
    pages = argument_number(argc, argv, 2, 8, 1, 1 << 12);
    rounds = argument_number(argc, argv, 3, 100, 1, 1ul << 32);
    const char *shape = argument_word(argc, argv, 4, "range");
    page_by_page = strcmp(shape, "page") == 0;
    if (!page_by_page && strcmp(shape, "range") != 0) fail("range or page, not %s", shape);

    struct thread *workers[THREADS_MAX];
    together.parties = (uint32_t)threads + 1;
    for (unsigned long i = 0; i < threads; i++) workers[i] = thread_start(worker, (void *)i);
    barrier_wait(&together);
    unsigned long start = timed ? now_ns() : 0;
    barrier_wait(&together);
    print("tlb-flush: %lu threads, %lu pages, %lu rounds, %s\n", threads, pages, rounds, shape);
    print_elapsed(timed, start);
    for (unsigned long i = 0; i < threads; i++) thread_join(workers[i]);
    return 0;
}
