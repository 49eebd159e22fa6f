#include "sync.h"

#include "atomics.h"
#include "syscall.h"

#define WAKE_ALL 0x7fffffff

void mutex_lock(struct mutex *mutex) {
    if (compare_exchange(&mutex->state, MUTEX_FREE, MUTEX_LOCKED) == MUTEX_FREE) return;
    // Whoever sleeps here leaves the word contended, so that the owner knows to wake somebody.
    while (exchange(&mutex->state, MUTEX_CONTENDED) != MUTEX_FREE) {
        sys_futex(&mutex->state, FUTEX_WAIT_PRIVATE, MUTEX_CONTENDED, NULL);
    }
}

void mutex_unlock(struct mutex *mutex) {
    if (exchange(&mutex->state, MUTEX_FREE) == MUTEX_CONTENDED) {
        sys_futex(&mutex->state, FUTEX_WAKE_PRIVATE, 1, NULL);
    }
}

void barrier_wait(struct barrier *barrier) {
    uint32_t round = load_acquire(&barrier->round);
    if (fetch_add(&barrier->arrived, 1) + 1 == barrier->parties) {
        store_relaxed(&barrier->arrived, 0);
        store_release(&barrier->round, round + 1);
        sys_futex(&barrier->round, FUTEX_WAKE_PRIVATE, WAKE_ALL, NULL);
        return;
    }
    while (load_acquire(&barrier->round) == round) sys_futex(&barrier->round, FUTEX_WAIT_PRIVATE, round, NULL);
}
