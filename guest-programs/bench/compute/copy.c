#include "kernels.h"

#define WORDS (128 * 1024u)

static uint64_t left[WORDS], right[WORDS];

/** Written out, so that guest and baseline run the same loop and not a library's memcpy. */
static void copy_words(uint64_t *restrict to, const uint64_t *restrict from) {
    for (uint32_t i = 0; i < WORDS; i += 4) {
        uint64_t a = from[i], b = from[i + 1], c = from[i + 2], d = from[i + 3];
        to[i] = a;
        to[i + 1] = b;
        to[i + 2] = c;
        to[i + 3] = d;
    }
}

uint64_t copy(uint32_t repeats) {
    uint32_t random = 3;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < WORDS; i++) left[i] = random_next(&random);
    while (repeats-- > 0) {
        for (uint32_t pass = 0; pass < 4; pass++) {
            copy_words(right, left);
            forget_memory();
            copy_words(left, right);
            forget_memory();
        }
        left[repeats % WORDS]++;
        sum = fold(sum, right[(repeats + 1) % WORDS]);
    }
    return sum;
}
