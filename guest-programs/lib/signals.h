// Signals by raw system calls: actions, masks, sending, frames. Structs and constants are those of the Linux headers.
#pragma once

#include <asm/ptrace.h>
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/ucontext.h>

#include "syscall.h"

// linux/signal.h, where these are, asks for a libc's types
#define SS_ONSTACK 1
#define SS_DISABLE 2

typedef void signal_handler(int signal, siginfo_t *info, struct ucontext *context);

static inline sigset_t signal_bit(int signal) {
    return (sigset_t){{1ul << (signal - 1)}};
}

static inline long sys_rt_sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
    return syscall6(__NR_rt_sigaction, signal, (long)action, (long)old, sizeof(sigset_t), 0, 0);
}

/**
 * Installs `handler`, called with three arguments. The mask is there twice because qemu-riscv64 7.2 looks for it behind
 * a restorer, which riscv does not have.
 */
static inline long handle(int signal, signal_handler *handler, unsigned long flags, unsigned long mask) {
    unsigned long action[4] = {(unsigned long)handler, flags | SA_SIGINFO, mask, mask};
    return sys_rt_sigaction(signal, (struct sigaction *)action, NULL);
}

static inline long set_action(int signal, __sighandler_t action) {
    unsigned long record[4] = {(unsigned long)action, 0, 0, 0};
    return sys_rt_sigaction(signal, (struct sigaction *)record, NULL);
}

static inline long sys_rt_sigprocmask(int how, unsigned long set, unsigned long *old) {
    return syscall6(__NR_rt_sigprocmask, how, (long)&set, (long)old, sizeof(sigset_t), 0, 0);
}

static inline unsigned long sys_rt_sigpending(void) {
    unsigned long set = 0;
    syscall6(__NR_rt_sigpending, (long)&set, sizeof set, 0, 0, 0, 0);
    return set;
}

static inline long sys_rt_sigsuspend(unsigned long mask) {
    return syscall6(__NR_rt_sigsuspend, (long)&mask, sizeof mask, 0, 0, 0, 0);
}

static inline long sys_rt_sigtimedwait(unsigned long set, siginfo_t *info, const struct timespec *timeout) {
    return syscall6(__NR_rt_sigtimedwait, (long)&set, (long)info, (long)timeout, sizeof set, 0, 0);
}

static inline long sys_rt_sigqueueinfo(int pid, int signal, const siginfo_t *info) {
    return syscall6(__NR_rt_sigqueueinfo, pid, signal, (long)info, 0, 0, 0);
}

static inline long sys_sigaltstack(const stack_t *stack, stack_t *old) {
    return syscall6(__NR_sigaltstack, (long)stack, (long)old, 0, 0, 0, 0);
}

static inline long sys_getpid(void) {
    return syscall6(__NR_getpid, 0, 0, 0, 0, 0, 0);
}

static inline long sys_kill(int pid, int signal) {
    return syscall6(__NR_kill, pid, signal, 0, 0, 0, 0);
}

static inline long sys_tgkill(int pid, int tid, int signal) {
    return syscall6(__NR_tgkill, pid, tid, signal, 0, 0, 0);
}

/** To the calling thread. */
static inline long raise_signal(int signal) {
    return sys_tgkill((int)sys_getpid(), (int)sys_gettid(), signal);
}

/** sigqueue(3) to the own process. */
static inline long queue_signal(int signal, int value) {
    siginfo_t info = {0};
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = (int)sys_getpid();
    info.si_int = value;
    return sys_rt_sigqueueinfo(info.si_pid, signal, &info);
}
