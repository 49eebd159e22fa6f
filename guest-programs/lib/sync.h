// A mutex and a barrier on futexes.
#pragma once

#include <stdint.h>

enum { MUTEX_FREE, MUTEX_LOCKED, MUTEX_CONTENDED };

struct mutex {
    volatile uint32_t state;
};

void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

/** Reusable: `round` changes once all `parties` have arrived. */
struct barrier {
    uint32_t parties;
    volatile uint32_t arrived;
    volatile uint32_t round;
};

#define BARRIER(count) {.parties = (count), .arrived = 0, .round = 0}

/** Sleeps in the kernel. */
void barrier_wait(struct barrier *barrier);
