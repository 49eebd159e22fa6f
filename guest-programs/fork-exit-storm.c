// Short-lived processes: each child touches a few pages, perhaps from several threads, and exits, while its harts go on
// to others. How an mm dies that idle harts still borrow is what is measured.
//
//   fork-exit-storm [CHILDREN [PARALLEL [THREADS]]] [--time]
//
// System calls: mmap, munmap, mprotect, clone, futex, wait4, write, clock_gettime (with --time), exit, exit_group.

#include "lib/memory.h"
#include "lib/arguments.h"
#include "lib/process.h"
#include "lib/stopwatch.h"
#include "lib/thread.h"

#define PAGES 8
#define THREADS_MAX 8

static void touch(void *argument) {
    char *base = argument;
    for (unsigned long page = 0; page < PAGES; page++) *(volatile char *)(base + page * PAGE_BYTES) = 1;
}

static void child(unsigned long threads) {
    struct thread *started[THREADS_MAX];
    char *base = map_pages(PAGES * threads, PROT_READ | PROT_WRITE);
    for (unsigned long i = 1; i < threads; i++) started[i] = thread_start(touch, base + i * PAGES * PAGE_BYTES);
    touch(base);
    for (unsigned long i = 1; i < threads; i++) thread_join(started[i]);
    sys_exit_group(7);
}

static void reap(void) {
    int status = 0;
    CHECK(sys_wait4(-1, &status, 0) > 0);
    CHECK(exit_code(status) == 7);
}

int main(int argc, char **argv) {
    int timed = take_time_flag(&argc, argv);
    unsigned long children = argument_number(argc, argv, 1, 100, 1, 1ul << 32);
    unsigned long parallel = argument_number(argc, argv, 2, 4, 1, 64);
    unsigned long threads = argument_number(argc, argv, 3, 1, 1, THREADS_MAX);
    unsigned long start = timed ? now_ns() : 0;
    for (unsigned long i = 0; i < children; i++) {
        if (i >= parallel) reap();
        long pid = sys_fork();
        if (pid == 0) child(threads);
        CHECK(pid > 0);
    }
    for (unsigned long i = 0; i < (children < parallel ? children : parallel); i++) reap();
    print("fork-exit-storm: %lu children, %lu threads each\n", children, threads);
    print_elapsed(timed, start);
    return 0;
}
