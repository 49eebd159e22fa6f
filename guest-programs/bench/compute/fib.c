#include "kernels.h"

#define DEPTH 24u

static uint64_t __attribute__((noinline)) fib_of(uint32_t n) {
    if (n < 2) return n;
    uint64_t one = fib_of(n - 1);
    uint64_t two = fib_of(n - 2);
    __asm__ volatile("" : "+r"(two));       // no loop in place of the second call
    return one + two;
}

uint64_t fib(uint32_t repeats) {
    uint64_t sum = 0;
    while (repeats-- > 0) sum = fold(sum, fib_of(DEPTH + repeats % 2));
    return sum;
}
