// The kernel's dear paths, each in a loop.
//
//   kernel-paths MODE [COUNT [PAGES]] [--time]
//
// fork:  fork, exit of the child, wait.
// exec:  the same, but the child becomes /proc/self/exe first, with MODE exit.
// pipe:  a byte to the child and back, through two pipes.
// yield: parent and child give way to each other (on one hart: two context switches a turn).
// cow:   the child writes to each of PAGES pages that it got by fork; only its writing is timed.
// file:  PAGES pages of a file in memory are mapped, read and unmapped.
// swap:  PAGES pages are paged out, then read; only the reading is timed.
// huge:  PAGES times 2 MiB that want huge pages are written to, once each; only that is timed.
// collapse: PAGES times 2 MiB of single pages become huge ones; only that is timed.
// System calls: clone, execve, wait4, pipe2, read, write, sched_yield, mmap, munmap, madvise, memfd_create, ftruncate,
// clock_gettime, exit_group.

#include "lib/port.h"

#define SIGCHLD_NUMBER 17
#define HUGE_BYTES (512 * PAGE_BYTES)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static unsigned long count, pages;
/** Nanoseconds that the part to be timed took, where that is not the whole; shared with children. */
static volatile unsigned long *spent;

static long sys_fork(void) {
    return syscall6(__NR_clone, SIGCHLD_NUMBER, 0, 0, 0, 0, 0);
}

static void wait_for(long child) {
    int status = -1;
    CHECK(syscall6(__NR_wait4, child, (long)&status, 0, 0, 0, 0) == child);
    CHECK(status == 0);
}

static void fork_rounds(int execs) {
    static char *const arguments[] = {"kernel-paths", "exit", NULL};
    static char *const environment[] = {NULL};
    for (unsigned long i = 0; i < count; i++) {
        long child = sys_fork();
        CHECK(child >= 0);
        if (child == 0) {
            if (execs) syscall6(__NR_execve, (long)"/proc/self/exe", (long)arguments, (long)environment, 0, 0, 0);
            sys_exit_group(execs);
        }
        wait_for(child);
    }
}

static void pass(int from, int to) {
    char byte = 'x';
    for (unsigned long i = 0; i < count; i++) {
        CHECK(syscall6(__NR_read, from, (long)&byte, 1, 0, 0, 0) == 1);
        CHECK(sys_write(to, &byte, 1) == 1);
    }
}

static void pipe_rounds(void) {
    int there[2], back[2];
    CHECK(syscall6(__NR_pipe2, (long)there, 0, 0, 0, 0, 0) == 0);
    CHECK(syscall6(__NR_pipe2, (long)back, 0, 0, 0, 0, 0) == 0);
    long child = sys_fork();
    CHECK(child >= 0);
    if (child == 0) {
        pass(there[0], back[1]);
        sys_exit_group(0);
    }
    CHECK(sys_write(there[1], "x", 1) == 1);
    // The child has the last byte once it has passed all: one more read here than writes.
    char byte;
    for (unsigned long i = 1; i < count; i++) {
        CHECK(syscall6(__NR_read, back[0], (long)&byte, 1, 0, 0, 0) == 1);
        CHECK(sys_write(there[1], &byte, 1) == 1);
    }
    CHECK(syscall6(__NR_read, back[0], (long)&byte, 1, 0, 0, 0) == 1);
    wait_for(child);
}

static void yield_rounds(void) {
    long child = sys_fork();
    CHECK(child >= 0);
    for (unsigned long i = 0; i < count; i++) sys_sched_yield();
    if (child == 0) sys_exit_group(0);
    wait_for(child);
}

static void touch(char *base, int writes) {
    for (unsigned long page = 0; page < pages; page++) {
        volatile char *byte = base + page * PAGE_BYTES;
        if (writes) *byte = 2;
        else (void)*byte;
    }
}

static void cow_rounds(void) {
    char *base = map_pages(pages, PROT_READ | PROT_WRITE);
    touch(base, 1);
    for (unsigned long i = 0; i < count; i++) {
        long child = sys_fork();
        CHECK(child >= 0);
        if (child == 0) {
            unsigned long start = now_ns();
            touch(base, 1);
            *spent += now_ns() - start;
            sys_exit_group(0);
        }
        wait_for(child);
    }
}

static void file_rounds(void) {
    long fd = syscall6(__NR_memfd_create, (long)"kernel-paths", 0, 0, 0, 0, 0);
    CHECK(fd >= 0);
    CHECK(syscall6(__NR_ftruncate, fd, (long)(pages * PAGE_BYTES), 0, 0, 0, 0) == 0);
    for (unsigned long i = 0; i < count; i++) {
        long base = sys_mmap(NULL, pages * PAGE_BYTES, PROT_READ, MAP_SHARED, (int)fd, 0);
        CHECK(base > 0);
        touch((char *)base, 0);
        CHECK(sys_munmap((char *)base, pages * PAGE_BYTES) == 0);
    }
}

static void swap_rounds(void) {
    char *base = map_pages(pages, PROT_READ | PROT_WRITE);
    for (unsigned long i = 0; i < count; i++) {
        touch(base, 1);
        CHECK(sys_madvise(base, pages * PAGE_BYTES, MADV_PAGEOUT) == 0);
        unsigned long start = now_ns();
        touch(base, 0);
        *spent += now_ns() - start;
    }
}

/** Room for PAGES huge pages, from one's address up. */
static char *map_huge(char **mapped, unsigned long *mapped_pages) {
    *mapped_pages = (pages + 1) * (HUGE_BYTES / PAGE_BYTES);
    *mapped = map_pages(*mapped_pages, PROT_READ | PROT_WRITE);
    return (char *)(((unsigned long)*mapped + HUGE_BYTES - 1) & -HUGE_BYTES);
}

static void huge_rounds(int collapses) {
    for (unsigned long i = 0; i < count; i++) {
        char *mapped;
        unsigned long mapped_pages;
        char *base = map_huge(&mapped, &mapped_pages);
        unsigned long step = collapses ? PAGE_BYTES : HUGE_BYTES;
        CHECK(sys_madvise(base, pages * HUGE_BYTES, collapses ? MADV_NOHUGEPAGE : MADV_HUGEPAGE) == 0);
        unsigned long start = now_ns();
        for (unsigned long at = 0; at < pages * HUGE_BYTES; at += step) *(volatile char *)(base + at) = 1;
        if (collapses) {
            CHECK(sys_madvise(base, pages * HUGE_BYTES, MADV_HUGEPAGE) == 0);
            start = now_ns();
            // A host without a free run of frames says so, makes one by compaction, and may be asked again.
            for (int tries = 0; sys_madvise(base, pages * HUGE_BYTES, MADV_COLLAPSE) != 0; tries++) CHECK(tries < 100);
        }
        *spent += now_ns() - start;
        unmap_pages(mapped, mapped_pages);
    }
}

int main(int argc, char **argv) {
    int timed = take_time_flag(&argc, argv);
    const char *mode = argument_word(argc, argv, 1, "fork");
    count = argument_number(argc, argv, 2, 10, 1, 1ul << 32);
    pages = argument_number(argc, argv, 3, 64, 1, 1 << 16);
    if (strcmp(mode, "exit") == 0) return 0;
    long shared = sys_mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(shared > 0);
    spent = (volatile unsigned long *)shared;

    unsigned long start = timed ? now_ns() : 0;
    if (strcmp(mode, "fork") == 0) fork_rounds(0);
    else if (strcmp(mode, "exec") == 0) fork_rounds(1);
    else if (strcmp(mode, "pipe") == 0) pipe_rounds();
    else if (strcmp(mode, "yield") == 0) yield_rounds();
    else if (strcmp(mode, "cow") == 0) cow_rounds();
    else if (strcmp(mode, "file") == 0) file_rounds();
    else if (strcmp(mode, "swap") == 0) swap_rounds();
    else if (strcmp(mode, "huge") == 0) huge_rounds(0);
    else if (strcmp(mode, "collapse") == 0) huge_rounds(1);
    else fail("fork, exec, pipe, yield, cow, file, swap, huge or collapse, not %s", mode);
    print("kernel-paths: %s, %lu rounds\n", mode, count);
    // print_elapsed counts from a moment on: the time that was spent, counted back from now.
    if (timed) print_elapsed(1, *spent > 0 ? now_ns() - *spent : start);
    return 0;
}
