// The kernels: small loops with different habits, each deterministic, each answering with a checksum.
// One repeat is a few million instructions on riscv64.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint64_t kernel_function(uint32_t repeats);

kernel_function sieve;      // bytes at growing strides, simple branches
kernel_function crc32;      // a dependent chain through a table
kernel_function chase;      // loads whose address is the load before
kernel_function copy;       // 8-byte loads and stores, nothing else
kernel_function sha256;     // 32-bit arithmetic, rotates, many registers
kernel_function sort;       // branches nobody can predict, calls through a pointer
kernel_function fib;        // recursive calls and returns
kernel_function calls;      // indirect calls to a mix of small functions
kernel_function mix;        // list, matrix, state machine and CRC, as embedded benchmarks have it

static inline uint32_t random_next(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/** Folds a value into a checksum so that order matters. */
static inline uint64_t fold(uint64_t sum, uint64_t value) {
    return (sum << 7 | sum >> 57) ^ value;
}

/** Keeps the compiler from moving work out of a repeat loop. */
static inline void forget_memory(void) {
    __asm__ volatile("" : : : "memory");
}
