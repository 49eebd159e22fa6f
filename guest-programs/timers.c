// Timers of a process: setitimer and timer_create, one shot and interval, what they tell, and that they end.
//
//   timers [linux]
//
// `linux` checks too what qemu-riscv64 7.2 does not have: SIGEV_THREAD_ID and timers of processor time.
// System calls: setitimer, getitimer, timer_create, timer_settime, timer_gettime, timer_getoverrun, timer_delete,
// rt_sigaction, rt_sigprocmask, rt_sigtimedwait, nanosleep, clock_gettime, getpid, gettid, write, exit_group.

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/signals.h"

#define BIT(signal) (1ul << ((signal) - 1))
#define MS 1000000l
#define TIMER_SIGNAL 40
#define REAL 0
#define PROF 2

struct interval {
    long interval_s, interval_part, value_s, value_part;
};

struct event {
    long value;
    int signal, notify, thread;
    char rest[44];
};

static volatile int calls;
static volatile int last_code;
static volatile int last_value;

static void note(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)context;
    last_code = info->si_code;
    last_value = info->si_int;
    calls++;
}

static long setitimer(int which, long value_us, long interval_us, struct interval *old) {
    struct interval wish = {interval_us / 1000000, interval_us % 1000000, value_us / 1000000, value_us % 1000000};
    return syscall6(__NR_setitimer, which, (long)&wish, (long)old, 0, 0, 0);
}

static long settime(int id, int flags, long value_ns, long interval_ns) {
    struct interval wish = {interval_ns / 1000000000, interval_ns % 1000000000, value_ns / 1000000000,
                            value_ns % 1000000000};
    return syscall6(__NR_timer_settime, id, flags, (long)&wish, 0, 0, 0);
}

static long create(int clock, struct event *event, int *id) {
    return syscall6(__NR_timer_create, clock, (long)event, (long)id, 0, 0, 0);
}

static long sleep_ms(long ms) {
    struct timespec wish = {ms / 1000, ms % 1000 * MS};
    return syscall6(__NR_nanosleep, (long)&wish, 0, 0, 0, 0, 0);
}

static long now_ns(void) {
    struct timespec now;
    sys_clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void interval_timer(void) {
    struct interval now;
    CHECK(handle(SIGALRM, note, 0, 0) == 0);
    CHECK(setitimer(REAL, 50000, 0, NULL) == 0);
    CHECK(sleep_ms(1000) == -EINTR);
    CHECK(calls == 1);
    CHECK(syscall6(__NR_getitimer, REAL, (long)&now, 0, 0, 0, 0) == 0);
    CHECK(now.value_s == 0 && now.value_part == 0);
    CHECK(setitimer(REAL, 20000, 20000, NULL) == 0);
    while (calls < 6) sleep_ms(1000);
    CHECK(setitimer(REAL, 0, 0, &now) == 0);
    CHECK(now.interval_part == 20000 && now.value_s == 0);
    int before = calls;
    CHECK(sleep_ms(60) == 0 && calls == before);
    CHECK(setitimer(REAL, 100000000, 0, NULL) == 0);
    CHECK(setitimer(REAL, 0, 0, &now) == 0);
    CHECK(now.value_s == 99 || (now.value_s == 100 && now.value_part == 0));
    CHECK(setitimer(3, 1, 0, NULL) == -EINVAL);
    print("setitimer: one shot, interval, disarmed\n");
}

static void created(void) {
    struct event event = {123, TIMER_SIGNAL, 0, 0, {0}};
    struct interval now;
    int id = -1, other = -1;
    calls = 0;
    CHECK(handle(TIMER_SIGNAL, note, 0, 0) == 0);
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0);
    CHECK(create(CLOCK_REALTIME, NULL, &other) == 0);
    CHECK(id != other);
    CHECK(settime(id, 0, 30 * MS, 0) == 0);
    CHECK(sleep_ms(1000) == -EINTR);
    CHECK(calls == 1 && last_code == SI_TIMER && last_value == 123);
    CHECK(settime(id, 1, now_ns() + 30 * MS, 0) == 0);      // absolute
    CHECK(sleep_ms(1000) == -EINTR);
    CHECK(calls == 2);
    CHECK(settime(other, 0, 10 * MS, 0) == 0);
    CHECK(sleep_ms(1000) == -EINTR);
    CHECK(calls == 3 && last_code == SI_TIMER);
    CHECK(settime(other, 0, 5000000 * MS, 0) == 0);
    CHECK(syscall6(__NR_timer_gettime, other, (long)&now, 0, 0, 0, 0) == 0);
    CHECK(now.value_s >= 4990 && now.value_s <= 5000);
    CHECK(syscall6(__NR_timer_delete, other, 0, 0, 0, 0, 0) == 0);
    CHECK(syscall6(__NR_timer_delete, other, 0, 0, 0, 0, 0) == -EINVAL);
    CHECK(create(77, &event, &other) == -EINVAL);
    print("timer_create: relative and absolute, with a value\n");

    // The signal is blocked while several intervals pass: it is one, and the others are its overruns.
    sys_rt_sigprocmask(SIG_BLOCK, BIT(TIMER_SIGNAL), NULL);
    CHECK(settime(id, 0, 10 * MS, 10 * MS) == 0);
    sleep_ms(105);
    siginfo_t info;
    struct timespec zero = {0, 0};
    CHECK(sys_rt_sigtimedwait(BIT(TIMER_SIGNAL), &info, &zero) == TIMER_SIGNAL);
    CHECK(info.si_overrun >= 8);
    CHECK(syscall6(__NR_timer_getoverrun, id, 0, 0, 0, 0, 0) == info.si_overrun);
    CHECK(sys_rt_sigtimedwait(BIT(TIMER_SIGNAL), &info, NULL) == TIMER_SIGNAL);
    CHECK(syscall6(__NR_timer_delete, id, 0, 0, 0, 0, 0) == 0);
    while (sys_rt_sigtimedwait(BIT(TIMER_SIGNAL), &info, &zero) == TIMER_SIGNAL) continue;
    sys_rt_sigprocmask(SIG_UNBLOCK, BIT(TIMER_SIGNAL), NULL);
    print("timer_settime: an interval that nobody takes overruns\n");
}

static void as_linux(void) {
    struct event event = {5, TIMER_SIGNAL, 4, (int)sys_gettid(), {0}};
    int id;
    calls = 0;
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == 0);
    CHECK(settime(id, 0, 10 * MS, 0) == 0);
    while (calls == 0) sleep_ms(1000);
    event.thread = 1 << 20;
    CHECK(create(CLOCK_MONOTONIC, &event, &id) == -EINVAL);
    CHECK(handle(SIGPROF, note, 0, 0) == 0);
    CHECK(setitimer(PROF, 20000, 20000, NULL) == 0);
    for (calls = 0; calls < 3;) continue;                   // runs, so that its processor time passes
    CHECK(setitimer(PROF, 0, 0, NULL) == 0);
    event = (struct event){6, TIMER_SIGNAL, 0, 0, {0}};
    CHECK(create(CLOCK_PROCESS_CPUTIME_ID, &event, &id) == 0);
    CHECK(settime(id, 0, 20 * MS, 0) == 0);
    for (calls = 0; calls == 0;) continue;
    CHECK(last_value == 6);
}

int main(int argc, char **argv) {
    interval_timer();
    created();
    if (strcmp(argument_word(argc, argv, 1, ""), "linux") == 0) as_linux();
    print("timers: all as documented\n");
    return 0;
}
