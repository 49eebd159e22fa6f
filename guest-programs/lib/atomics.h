// Atomic operations, one RISC-V instruction (or LR/SC pair) each, named after it. Written as assembly where the
// instruction itself is what a program tests; loads and stores with an order use the compiler's C11 atomics.
#pragma once

#include <stdint.h>

static inline uint32_t load_acquire(const volatile uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void store_release(volatile uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline uint32_t load_relaxed(const volatile uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void store_relaxed(volatile uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline uint32_t fetch_add(volatile uint32_t *word, uint32_t addend) {
    return __atomic_fetch_add(word, addend, __ATOMIC_ACQ_REL);
}

static inline uint32_t exchange(volatile uint32_t *word, uint32_t value) {
    return __atomic_exchange_n(word, value, __ATOMIC_ACQ_REL);
}

/** Returns what the word held; the exchange happened if that equals `expected`. */
static inline uint32_t compare_exchange(volatile uint32_t *word, uint32_t expected, uint32_t desired) {
    __atomic_compare_exchange_n(word, &expected, desired, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return expected;
}
