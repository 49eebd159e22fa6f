// Pending signals: the order in which they come, what is told of the sender, which are queued and which are one.
//
//   signal-queue
//
// System calls: rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigtimedwait, rt_sigqueueinfo, kill, tgkill, getpid,
// gettid, write, exit_group.

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/signals.h"

#define BIT(signal) (1ul << ((signal) - 1))
#define REALTIME 34
#define LENGTH 64

static int order[LENGTH];
static volatile int length;

static void note(int signal, siginfo_t *info, struct ucontext *context) {
    (void)context;
    order[length++] = signal >= REALTIME ? signal * 100 + info->si_int : signal;
}

static void expect_order(const int *wanted, int count) {
    CHECK(length == count);
    for (int i = 0; i < count; i++) CHECK(order[i] == wanted[i]);
    length = 0;
}

/** Each handler blocks everything, so the next one is delivered when it has returned. */
static void delivery(void) {
    unsigned long all = BIT(SIGUSR1) | BIT(SIGUSR2) | BIT(REALTIME) | BIT(REALTIME + 1);
    for (int signal = 1; signal <= 64; signal++) {
        if ((all & BIT(signal)) != 0) CHECK(handle(signal, note, 0, ~0ul) == 0);
    }
    sys_rt_sigprocmask(SIG_BLOCK, all, NULL);
    CHECK(queue_signal(REALTIME + 1, 1) == 0);
    CHECK(queue_signal(REALTIME, 1) == 0);
    CHECK(raise_signal(SIGUSR2) == 0);
    CHECK(queue_signal(REALTIME, 2) == 0);
    CHECK(sys_kill((int)sys_getpid(), SIGUSR1) == 0);
    CHECK(sys_kill((int)sys_getpid(), SIGUSR1) == 0);
    CHECK(queue_signal(REALTIME, 3) == 0);
    CHECK(sys_rt_sigpending() == all);
    sys_rt_sigprocmask(SIG_UNBLOCK, all, NULL);
    CHECK(sys_rt_sigpending() == 0);
    const int wanted[] = {SIGUSR2, SIGUSR1, 3401, 3402, 3403, 3501};
    expect_order(wanted, 6);
    print("handlers that block everything: own thread first, then by number; real-time ones queue\n");
}

static void origin(void) {
    siginfo_t info;
    struct timespec now = {0, 0};
    int pid = (int)sys_getpid();
    sys_rt_sigprocmask(SIG_BLOCK, BIT(SIGUSR1) | BIT(REALTIME), NULL);
    CHECK(sys_kill(pid, SIGUSR1) == 0);
    CHECK(sys_rt_sigtimedwait(BIT(SIGUSR1), &info, &now) == SIGUSR1);
    CHECK(info.si_signo == SIGUSR1 && info.si_code == SI_USER && info.si_pid == pid);
    CHECK(raise_signal(SIGUSR1) == 0);
    CHECK(sys_rt_sigtimedwait(BIT(SIGUSR1), &info, &now) == SIGUSR1);
    CHECK(info.si_code == SI_TKILL && info.si_pid == pid);
    CHECK(queue_signal(REALTIME, 77) == 0);
    CHECK(sys_rt_sigtimedwait(BIT(REALTIME), &info, &now) == REALTIME);
    CHECK(info.si_code == SI_QUEUE && info.si_pid == pid && info.si_int == 77);
    CHECK(sys_rt_sigtimedwait(BIT(REALTIME), &info, &now) == -EAGAIN);
    print("siginfo: SI_USER, SI_TKILL, SI_QUEUE\n");
}

static void ignored(void) {
    struct timespec now = {0, 0};
    CHECK(set_action(SIGUSR2, SIG_DFL) == 0);
    sys_rt_sigprocmask(SIG_BLOCK, BIT(SIGUSR2) | BIT(SIGCHLD), NULL);
    CHECK(raise_signal(SIGUSR2) == 0);
    CHECK(sys_rt_sigpending() == BIT(SIGUSR2));
    CHECK(set_action(SIGUSR2, SIG_IGN) == 0);      // forgets what is pending
    CHECK(sys_rt_sigpending() == 0);
    CHECK(raise_signal(SIGCHLD) == 0);             // ignored by default, but blocked: kept
    CHECK(sys_rt_sigtimedwait(BIT(SIGCHLD), NULL, &now) == SIGCHLD);
    print("ignored: forgotten when the action says so, kept while blocked\n");
}

static void waiting(void) {
    struct timespec soon = {0, 20000000}, wrong = {0, 1000000000};
    CHECK(sys_rt_sigtimedwait(BIT(SIGUSR1), NULL, &soon) == -EAGAIN);
    CHECK(sys_rt_sigtimedwait(BIT(SIGUSR1), NULL, &wrong) == -EINVAL);
    CHECK(queue_signal(65, 0) == -EINVAL);
    CHECK(sys_kill((int)sys_getpid(), 65) == -EINVAL);
    CHECK(sys_kill((int)sys_getpid(), 0) == 0);
    print("sigtimedwait: times out\n");
}

int main(void) {
    delivery();
    origin();
    ignored();
    waiting();
    print("signal-queue: all as documented\n");
    return 0;
}
