#include "thread.h"

#include <linux/sched.h>

#include "atomics.h"
#include "print.h"
#include "syscall.h"

#define THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
                      CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

long clone_thread(unsigned long flags, void *stack, volatile uint32_t *parent_tid, void *tls,
                  volatile uint32_t *child_tid);

/** Called by clone.S on the new stack. */
void __attribute__((noreturn)) thread_main(struct thread *thread) {
    thread->function(thread->argument);
    sys_exit(0);
}

struct thread *thread_start(thread_function *function, void *argument) {
    long stack = sys_mmap(NULL, THREAD_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack < 0) fail("thread stack: mmap returned %ld", stack);
    // The record is a multiple of 16 bytes, so the stack below it starts aligned.
    _Static_assert(sizeof(struct thread) % 16 == 0, "stack alignment");
    struct thread *thread = (struct thread *)(stack + THREAD_STACK_BYTES) - 1;
    thread->function = function;
    thread->argument = argument;
    thread->stack = (void *)stack;
    long tid = clone_thread(THREAD_FLAGS, thread, &thread->tid, thread, &thread->tid);
    if (tid < 0) fail("clone returned %ld", tid);
    return thread;
}

void thread_join(struct thread *thread) {
    for (uint32_t tid; (tid = load_acquire(&thread->tid)) != 0;) {
        // Not FUTEX_PRIVATE: the kernel's wake at exit uses the shared key.
        sys_futex(&thread->tid, FUTEX_WAIT, tid, NULL);
    }
    sys_munmap(thread->stack, THREAD_STACK_BYTES);
}
