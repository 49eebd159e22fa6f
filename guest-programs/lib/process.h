// Processes: fork by clone(2), wait, and what their statuses say.
#pragma once

#include <linux/sched.h>
#include <linux/wait.h>

#include "syscall.h"

#define SIGKILL 9
#define SIGCHLD 17

static inline long sys_fork(void) {
    return syscall6(__NR_clone, SIGCHLD, 0, 0, 0, 0, 0);
}

static inline long sys_wait4(int pid, int *status, int options) {
    return syscall6(__NR_wait4, pid, (long)status, options, 0, 0, 0);
}

static inline long sys_getpid(void) {
    return syscall6(__NR_getpid, 0, 0, 0, 0, 0, 0);
}

static inline long sys_kill(int pid, int signal) {
    return syscall6(__NR_kill, pid, signal, 0, 0, 0, 0);
}

static inline int exit_code(int status) {
    return (status & 0x7f) == 0 ? (status >> 8) & 0xff : -1;
}

static inline int end_signal(int status) {
    return status & 0x7f;
}
