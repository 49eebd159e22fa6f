// System calls, raw: each returns what the kernel returned, a result or -errno. Numbers, flags and structs come
// from the Linux headers. With NATIVE the same wrappers go through libc, so that a benchmark has a host baseline.
#pragma once

#include <asm/errno.h>
#include <asm/unistd.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <stddef.h>
#include <stdint.h>

#ifdef NATIVE

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define syscall6(number, a, b, c, d, e, f) native_result(syscall(number, a, b, c, d, e, f))

static inline long native_result(long result) {
    return result == -1 ? -errno : result;
}

#else

#include <linux/time.h>

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a3 __asm__("a3") = d;
    register long a4 __asm__("a4") = e;
    register long a5 __asm__("a5") = f;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
    return a0;
}

#endif

static inline long sys_write(int fd, const void *buffer, size_t length) {
    return syscall6(__NR_write, fd, (long)buffer, (long)length, 0, 0, 0);
}

static inline void __attribute__((noreturn)) sys_exit_group(int status) {
    for (;;) syscall6(__NR_exit_group, status, 0, 0, 0, 0, 0);
}

static inline void __attribute__((noreturn)) sys_exit(int status) {
    for (;;) syscall6(__NR_exit, status, 0, 0, 0, 0, 0);
}

static inline long sys_sched_yield(void) {
    return syscall6(__NR_sched_yield, 0, 0, 0, 0, 0, 0);
}

static inline long sys_getppid(void) {
    return syscall6(__NR_getppid, 0, 0, 0, 0, 0, 0);
}

static inline long sys_gettid(void) {
    return syscall6(__NR_gettid, 0, 0, 0, 0, 0, 0);
}

static inline long sys_brk(uintptr_t end) {
    return syscall6(__NR_brk, (long)end, 0, 0, 0, 0, 0);
}

static inline long sys_mmap(void *address, size_t length, int prot, int flags, int fd, long offset) {
    return syscall6(__NR_mmap, (long)address, (long)length, prot, flags, fd, offset);
}

static inline long sys_munmap(void *address, size_t length) {
    return syscall6(__NR_munmap, (long)address, (long)length, 0, 0, 0, 0);
}

static inline long sys_mprotect(void *address, size_t length, int prot) {
    return syscall6(__NR_mprotect, (long)address, (long)length, prot, 0, 0, 0);
}

static inline long sys_mremap(void *old, size_t old_length, size_t new_length, int flags, void *target) {
    return syscall6(__NR_mremap, (long)old, (long)old_length, (long)new_length, flags, (long)target, 0);
}

static inline long sys_madvise(void *address, size_t length, int advice) {
    return syscall6(__NR_madvise, (long)address, (long)length, advice, 0, 0, 0);
}

/** `timeout` is relative, NULL waits for ever. */
static inline long sys_futex(volatile uint32_t *word, int operation, uint32_t value, const struct timespec *timeout) {
    return syscall6(__NR_futex, (long)word, operation, value, (long)timeout, 0, 0);
}

static inline long sys_clock_gettime(int clock, struct timespec *now) {
    return syscall6(__NR_clock_gettime, clock, (long)now, 0, 0, 0, 0);
}

#ifdef __riscv
/** Linux knows one flag, LOCAL (1): only the calling thread. 0 reaches every hart that runs this process. */
static inline long sys_riscv_flush_icache(void *start, void *end, unsigned long flags) {
    return syscall6(__NR_riscv_flush_icache, (long)start, (long)end, (long)flags, 0, 0, 0);
}
#endif
