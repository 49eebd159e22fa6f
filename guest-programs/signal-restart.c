// System calls that a signal interrupts: which fail with EINTR, which are made again, and how much time is left. The
// signals come from a second thread, which waits until the first one sleeps.
//
//   signal-restart
//
// System calls: rt_sigaction, rt_sigsuspend, rt_sigtimedwait, rt_sigprocmask, nanosleep, clock_gettime, futex, tgkill,
// clone, mmap, munmap, write, exit_group.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/signals.h"
#include "lib/thread.h"

#define BIT(signal) (1ul << ((signal) - 1))
#define MS 1000000l

static volatile uint32_t word;
static volatile int calls;
static int pid, tid;

struct plan {
    long delay_ms[4];      // before each signal; 0 ends
    int then_wakes;        // the futex word is changed and woken at the end
};

static void note(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)info, (void)context;
    calls++;
}

static long now_ms(void) {
    struct timespec now;
    sys_clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / MS;
}

static long nanosleep_ms(long ms, struct timespec *left) {
    struct timespec wish = {ms / 1000, ms % 1000 * MS};
    return syscall6(__NR_nanosleep, (long)&wish, (long)left, 0, 0, 0, 0);
}

static void send(void *argument) {
    const struct plan *plan = argument;
    for (int i = 0; i < 4 && plan->delay_ms[i] != 0; i++) {
        nanosleep_ms(plan->delay_ms[i], NULL);
        sys_tgkill(pid, tid, SIGUSR1);
    }
    if (!plan->then_wakes) return;
    nanosleep_ms(50, NULL);
    store_release(&word, 1);
    sys_futex(&word, FUTEX_WAKE, 1, NULL);
}

static void sleeping(void) {
    struct plan plan = {{100, 0}, 0};
    struct timespec left = {0, 0};
    CHECK(handle(SIGUSR1, note, SA_RESTART, 0) == 0);
    struct thread *sender = thread_start(send, &plan);
    CHECK(nanosleep_ms(2000, &left) == -EINTR);        // never made again once a handler has run
    CHECK(calls == 1);
    CHECK(left.tv_sec == 1 && left.tv_nsec > 0);
    thread_join(sender);
    print("nanosleep: EINTR, and what is left\n");
}

/** A signal without a handler: the sleep goes on, with the time that is left. */
static void continued(void) {
    struct plan plan = {{100, 100, 100, 0}, 0};
    CHECK(set_action(SIGUSR1, SIG_DFL) == 0);
    CHECK(set_action(SIGUSR1, SIG_IGN) == 0);
    struct thread *sender = thread_start(send, &plan);
    long start = now_ms();
    CHECK(nanosleep_ms(400, NULL) == 0);
    CHECK(now_ms() - start >= 400);
    thread_join(sender);
    print("nanosleep: an ignored signal does not end it\n");
}

static void futexes(void) {
    struct timespec timeout = {5, 0};
    struct plan plan = {{100, 100, 0}, 1};
    calls = 0;
    CHECK(handle(SIGUSR1, note, SA_RESTART, 0) == 0);
    struct thread *sender = thread_start(send, &plan);
    CHECK(sys_futex(&word, FUTEX_WAIT, 0, NULL) == 0);
    CHECK(calls == 2);
    thread_join(sender);
    print("futex: made again with SA_RESTART\n");

    word = calls = 0;
    CHECK(handle(SIGUSR1, note, 0, 0) == 0);
    plan = (struct plan){{100, 0}, 0};
    sender = thread_start(send, &plan);
    CHECK(sys_futex(&word, FUTEX_WAIT, 0, NULL) == -EINTR);
    CHECK(calls == 1);
    thread_join(sender);

    CHECK(handle(SIGUSR1, note, SA_RESTART, 0) == 0);
    sender = thread_start(send, &plan);
    CHECK(sys_futex(&word, FUTEX_WAIT, 0, &timeout) == -EINTR);   // a timeout is not started anew
    thread_join(sender);
    print("futex: EINTR without SA_RESTART, or with a timeout\n");
}

static void suspended(void) {
    struct plan plan = {{100, 0}, 0};
    unsigned long mask;
    calls = 0;
    sys_rt_sigprocmask(SIG_BLOCK, BIT(SIGUSR1), NULL);
    struct thread *sender = thread_start(send, &plan);
    CHECK(sys_rt_sigsuspend(BIT(SIGUSR2)) == -EINTR);
    CHECK(calls == 1);
    sys_rt_sigprocmask(SIG_BLOCK, 0, &mask);
    CHECK(mask == BIT(SIGUSR1));
    thread_join(sender);
    print("sigsuspend: the handler ran, the mask is back\n");

    sender = thread_start(send, &plan);
    siginfo_t info;
    CHECK(sys_rt_sigtimedwait(BIT(SIGUSR1), &info, NULL) == SIGUSR1);
    CHECK(info.si_code == SI_TKILL && info.si_pid == pid && calls == 1);
    thread_join(sender);
    print("sigtimedwait: takes the signal, no handler runs\n");
    sys_rt_sigprocmask(SIG_UNBLOCK, BIT(SIGUSR1), NULL);

    CHECK(handle(SIGUSR1, note, SA_RESTART, 0) == 0);
    sender = thread_start(send, &plan);
    CHECK(sys_rt_sigtimedwait(BIT(SIGUSR2), NULL, NULL) == -EINTR);
    CHECK(calls == 2);
    thread_join(sender);
    print("sigtimedwait: EINTR by another signal\n");
}

int main(void) {
    pid = (int)sys_getpid();
    tid = (int)sys_gettid();
    sleeping();
    continued();
    futexes();
    suspended();
    print("signal-restart: all as documented\n");
    return 0;
}
