// Signals as an ordinary glibc program uses them: sigaction with SA_RESTART on a pipe, sigsetjmp out of a fault
// handler, an alternate stack for a stack overflow, pthread_kill, sigwait in a thread of its own, alarm, cancellation
// with cleanup handlers, and a backtrace through a signal frame.
//
//   signal-check

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

static volatile sig_atomic_t calls;
static sigjmp_buf back;
static int failures;

static void check(int holds, const char *what) {
    if (holds) return;
    printf("FAIL: %s\n", what);
    failures++;
}

static void install(int signal, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    check(sigaction(signal, &action, NULL) == 0, "sigaction");
}

static void note(int signal) {
    (void)signal;
    calls++;
}

static void jump(int signal) {
    siglongjmp(back, signal);
}

static void jumps(void) {
    install(SIGSEGV, jump, 0);
    volatile int faults = 0;
    for (volatile int i = 0; i < 3; i++) {
        if (sigsetjmp(back, 1) == 0) *(volatile int *)(uintptr_t)(16 + i) = 1;
        else faults++;
    }
    check(faults == 3, "three faults, three jumps: the mask was restored each time");
    puts("sigsetjmp");
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int __attribute__((noinline)) overflow(int depth) {
    volatile char frame[4096];
    frame[0] = (char)depth;
    return overflow(depth + 1) + frame[0];
}

static void alternate_stack(void) {
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    check(sigaltstack(&stack, NULL) == 0, "sigaltstack");
    install(SIGSEGV, jump, SA_ONSTACK);
    if (sigsetjmp(back, 1) == 0) overflow(0);
    else puts("stack overflow caught");
    install(SIGSEGV, SIG_DFL, 0);
}

static void *reader(void *argument) {
    char byte = 0;
    int *ends = argument;
    check(read(ends[0], &byte, 1) == 1 && byte == 'x', "read went on after the signal");
    return NULL;
}

static void restarts(void) {
    int ends[2];
    pthread_t thread;
    check(pipe(ends) == 0, "pipe");
    install(SIGUSR1, note, SA_RESTART);
    calls = 0;
    pthread_create(&thread, NULL, reader, ends);
    usleep(50000);
    pthread_kill(thread, SIGUSR1);
    while (calls == 0) usleep(1000);
    check(write(ends[1], "x", 1) == 1, "write");
    pthread_join(thread, NULL);
    puts("read restarted");
}

static void *waiter(void *argument) {
    sigset_t *set = argument;
    int signal = 0;
    for (int i = 0; i < 3; i++) check(sigwait(set, &signal) == 0 && signal == SIGUSR2, "sigwait");
    return NULL;
}

static void waits(void) {
    sigset_t set;
    pthread_t thread;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&thread, NULL, waiter, &set);
    for (int i = 0; i < 3; i++) {
        kill(getpid(), SIGUSR2);
        usleep(20000);
    }
    pthread_join(thread, NULL);
    puts("sigwait");
}

static void alarms(void) {
    install(SIGALRM, note, 0);
    calls = 0;
    struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    setitimer(ITIMER_REAL, &soon, NULL);
    check(pause() == -1 && errno == EINTR && calls == 1, "pause");
    alarm(100);
    check(alarm(0) == 100, "alarm left");
    puts("alarm");
}

static volatile int cleaned;

static void cleanup(void *argument) {
    cleaned += (int)(intptr_t)argument;
}

static void *cancelled(void *argument) {
    int *ends = argument;
    char byte;
    pthread_cleanup_push(cleanup, (void *)(intptr_t)1);
    pthread_cleanup_push(cleanup, (void *)(intptr_t)10);
    if (read(ends[0], &byte, 1) == 1) puts("FAIL: read something");
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spinning(void *argument) {
    (void)argument;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (volatile unsigned long i = 0;; i++) continue;
    return NULL;
}

static void cancels(void) {
    int ends[2];
    pthread_t thread;
    void *result;
    check(pipe(ends) == 0, "pipe");
    pthread_create(&thread, NULL, cancelled, ends);
    usleep(30000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    check(result == PTHREAD_CANCELED && cleaned == 11, "cancelled in read, cleaned up");
    pthread_create(&thread, NULL, spinning, NULL);
    usleep(30000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    check(result == PTHREAD_CANCELED, "cancelled while it ran");
    puts("pthread_cancel");
}

static volatile int frames, found_main;
int main(void);

static _Unwind_Reason_Code count_frame(struct _Unwind_Context *context, void *argument) {
    (void)argument;
    frames++;
    if (_Unwind_GetRegionStart(context) == (_Unwind_Ptr)main) found_main = 1;
    return _URC_NO_REASON;
}

/** Behind the instruction, which has 4 bytes. */
static void unwind(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)info;
    _Unwind_Backtrace(count_frame, NULL);
    ((ucontext_t *)context)->uc_mcontext.__gregs[REG_PC] += 4;
}

static void __attribute__((noinline)) backtrace_from_fault(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = unwind;
    action.sa_flags = SA_SIGINFO;
    check(sigaction(SIGILL, &action, NULL) == 0, "sigaction");
    __asm__ volatile(".word 0xffffffff" ::: "memory");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    jumps();
    alternate_stack();
    restarts();
    waits();
    alarms();
    cancels();
    backtrace_from_fault();
    check(frames >= 4 && found_main, "a backtrace goes through the signal frame to main");
    puts("backtrace");
    puts(failures == 0 ? "signal-check: all as documented" : "signal-check: failed");
    return failures != 0;
}
