// The cost of a system call that does nothing: getppid(2), again and again.
//
//   syscall-loop [CALLS] [--time]
//
// System calls: getppid, write, clock_gettime (with --time), exit_group.

#include "lib/port.h"

int main(int argc, char **argv) {
    int timed = take_time_flag(&argc, argv);
    unsigned long calls = argument_number(argc, argv, 1, 100000, 1, 1ul << 40);
    long parent = sys_getppid();
    unsigned long changed = 0;
    unsigned long start = timed ? now_ns() : 0;
    for (unsigned long i = 0; i < calls; i++) changed += sys_getppid() != parent;
    print("syscall-loop: %lu calls, the parent changed %lu times\n", calls, changed);
    print_elapsed(timed, start);
    return 0;
}
