#include "kernels.h"

#define LIMIT 400000u

static uint8_t composite[LIMIT];

uint64_t sieve(uint32_t repeats) {
    uint64_t sum = 0;
    while (repeats-- > 0) {
        uint32_t primes = 0;
        for (uint32_t i = 0; i < LIMIT; i++) composite[i] = 0;
        for (uint32_t i = 2; i < LIMIT; i++) {
            if (composite[i]) continue;
            primes++;
            for (uint64_t multiple = (uint64_t)i * i; multiple < LIMIT; multiple += i) composite[multiple] = 1;
        }
        sum = fold(sum, primes);
        forget_memory();
    }
    return sum;
}
