// What a benchmark needs, in two forms: the small library on riscv64, and (with NATIVE) libc and pthreads on the host,
// so that one source gives the guest program and its baseline.
#pragma once

#ifdef NATIVE

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define print printf
#define fail(...) (printf("FAIL: " __VA_ARGS__), printf("\n"), exit(1))
#define CHECK(condition) ((condition) ? (void)0 : fail("%s:%d: %s", __FILE__, __LINE__, #condition))

#include "syscall.h"

#define PAGE_BYTES 4096ul

/** How long a program runs before its clock starts. */
#define WARM_UP_NS 100000000ul

typedef void thread_function(void *argument);

struct thread {
    pthread_t id;
    thread_function *function;
    void *argument;
};

static inline void *native_thread_main(void *argument) {
    struct thread *thread = argument;
    thread->function(thread->argument);
    return NULL;
}

static inline struct thread *thread_start(thread_function *function, void *argument) {
    struct thread *thread = malloc(sizeof *thread);
    thread->function = function;
    thread->argument = argument;
    if (pthread_create(&thread->id, NULL, native_thread_main, thread) != 0) fail("pthread_create");
    return thread;
}

static inline void thread_join(struct thread *thread) {
    pthread_join(thread->id, NULL);
    free(thread);
}

static inline void *map_pages(size_t pages, int prot) {
    long address = sys_mmap(NULL, pages * PAGE_BYTES, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address < 0) fail("mmap of %lu pages returned %ld", (unsigned long)pages, address);
    return (void *)address;
}

static inline void unmap_pages(void *address, size_t pages) {
    if (sys_munmap(address, pages * PAGE_BYTES) != 0) fail("munmap");
}

#else

/** As above: each hart of a machine compiles the kernel for itself meanwhile. */
#define WARM_UP_NS 1500000000ul

#include "memory.h"
#include "print.h"
#include "syscall.h"
#include "thread.h"

#endif

#include "arguments.h"
#include "atomics.h"
#include "stopwatch.h"
#include "sync.h"
