// Threads: clone(2) with the flags that make a POSIX thread, join by futex on the word that the kernel clears.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define THREAD_STACK_BYTES (32 * 1024)

typedef void thread_function(void *argument);

/** Lives at the top of the thread's own stack mapping; tp points at it. */
struct thread {
    volatile uint32_t tid;      // set by CLONE_PARENT_SETTID, cleared and woken by the kernel at exit
    thread_function *function;
    void *argument;
    void *stack;                // lowest address of the mapping, NULL for the main thread
};

struct thread *thread_start(thread_function *function, void *argument);

/** Waits until the thread has left its stack for good, then unmaps it. */
void thread_join(struct thread *thread);

static inline struct thread *thread_self(void) {
    return __builtin_thread_pointer();
}
