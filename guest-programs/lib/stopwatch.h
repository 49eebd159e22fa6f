// Time for benchmarks. It is printed only on request, so that output stays the same from run to run.
#pragma once

/** CLOCK_MONOTONIC in nanoseconds. */
unsigned long now_ns(void);

/** Removes a trailing --time from the arguments and says whether it was there. */
int take_time_flag(int *argc, char **argv);

/** Prints "elapsed_ns=..." for the time since `start_ns`, if `wanted`. */
void print_elapsed(int wanted, unsigned long start_ns);
