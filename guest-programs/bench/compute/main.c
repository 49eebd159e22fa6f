// The compute benchmarks in one program: one kernel, repeated, with a checksum that says it did its work.
//
//   compute KERNEL|all [REPEATS] [--time]
//
// System calls: write, clock_gettime (with --time), exit_group.

#include "lib/port.h"

#include "kernels.h"

static const struct {
    const char *name;
    kernel_function *run;
} kernels[] = {
    {"sieve", sieve}, {"crc32", crc32}, {"chase", chase}, {"memcpy", copy}, {"sha256", sha256},
    {"qsort", sort}, {"fib", fib}, {"calls", calls}, {"mix", mix},
};

#define KERNEL_COUNT (sizeof kernels / sizeof kernels[0])

int main(int argc, char **argv) {
    int timed = take_time_flag(&argc, argv);
    const char *wanted = argument_word(argc, argv, 1, "all");
    uint32_t repeats = (uint32_t)argument_number(argc, argv, 2, 1, 1, 1u << 30);
    int ran = 0;
    for (unsigned i = 0; i < KERNEL_COUNT; i++) {
        if (strcmp(wanted, "all") != 0 && strcmp(wanted, kernels[i].name) != 0) continue;
        unsigned long start = timed ? now_ns() : 0;
        uint64_t checksum = kernels[i].run(repeats);
        print("%-8s %u repeats, checksum %016lx\n", kernels[i].name, repeats, (unsigned long)checksum);
        print_elapsed(timed, start);
        ran++;
    }
    if (ran == 0) fail("no such kernel: %s", wanted);
    return 0;
}
