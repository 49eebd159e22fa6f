// Page faults as getrusage, wait4 and /proc/self/stat count them.
//   usage [exact]     exact: one fault for each page, as where no other kernel lies below this one
// System calls: getrusage, wait4, clone, mmap, munmap, openat, read, close, write, exit_group.

#include <linux/fcntl.h>

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#define CALL(name, a, b, c, d) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define PAGES 64ul
#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD 1
#define MINFLT_FIELD 10 // of /proc/self/stat, from 1

struct usage {
    long times[4];
    long maxrss, ixrss, idrss, isrss, minflt, majflt;
    long others[8];
};

static int exact;

static long minor_faults(int who) {
    struct usage usage;
    CHECK(CALL(getrusage, who, &usage, 0, 0) == 0);
    CHECK(usage.minflt >= 0 && usage.majflt >= 0);
    return usage.minflt;
}

static void touch_new_pages(void) {
    char *pages = map_pages(PAGES, PROT_READ | PROT_WRITE);
    for (unsigned long page = 0; page < PAGES; page++) *(volatile char *)(pages + page * PAGE_BYTES) = 1;
    CHECK(sys_munmap(pages, PAGES * PAGE_BYTES) == 0);
}

/** `faults` are those of PAGES pages, and of what else somebody had to touch on the way. */
static void check_count(long faults, long more) {
    CHECK(faults >= (long)PAGES);
    if (exact) CHECK(faults <= (long)PAGES + more);
}

static long faults_in_stat(void) {
    static char text[1024];
    long file = CALL(openat, AT_FDCWD, "/proc/self/stat", O_RDONLY, 0);
    CHECK(file >= 0);
    long bytes = CALL(read, file, text, sizeof text - 1, 0);
    CHECK(bytes > 0 && CALL(close, file, 0, 0, 0) == 0);
    const char *at = text;
    for (int field = 1; field < MINFLT_FIELD; field++) while (*at++ != ' ') continue;
    long number = 0;
    for (; *at >= '0' && *at <= '9'; at++) number = 10 * number + (*at - '0');
    return number;
}

int main(int argc, char **argv) {
    exact = strcmp(argument_word(argc, argv, 1, ""), "exact") == 0;
    touch_new_pages(); // the program's own pages are there from now on
    long before = minor_faults(RUSAGE_SELF), of_thread = minor_faults(RUSAGE_THREAD);
    touch_new_pages();
    check_count(minor_faults(RUSAGE_SELF) - before, 2);
    check_count(minor_faults(RUSAGE_THREAD) - of_thread, 2);
    print("usage: each page touched for the first time is a fault of the thread and of the process\n");

    if (exact) CHECK(faults_in_stat() >= before + (long)PAGES);
    long children = minor_faults(RUSAGE_CHILDREN);
    long pid = sys_fork();
    if (pid == 0) {
        touch_new_pages();
        sys_exit_group(0);
    }
    struct usage usage;
    int status;
    CHECK(minor_faults(RUSAGE_CHILDREN) == children);
    CHECK(CALL(wait4, pid, &status, 0, &usage) == pid && status == 0);
    check_count(usage.minflt, 32);
    check_count(minor_faults(RUSAGE_CHILDREN) - children, 32);
    print("usage: those of a child are its parent's once it has been waited for\n");
    return 0;
}
