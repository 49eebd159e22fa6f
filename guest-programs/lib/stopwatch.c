#include "stopwatch.h"

#include "port.h"

unsigned long now_ns(void) {
    struct timespec now;
    CHECK(sys_clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (unsigned long)now.tv_sec * 1000000000ul + (unsigned long)now.tv_nsec;
}

int take_time_flag(int *argc, char **argv) {
    if (*argc < 2 || strcmp(argv[*argc - 1], "--time") != 0) return 0;
    --*argc;
    return 1;
}

void print_elapsed(int wanted, unsigned long start_ns) {
    if (wanted) print("elapsed_ns=%lu\n", now_ns() - start_ns);
}
