// timerfd and signalfd: expirations and signals as bytes to read, alone, with ppoll and with epoll.
// System calls: timerfd_create, timerfd_settime, timerfd_gettime, signalfd4, read, ppoll, epoll_*, rt_sigprocmask.

#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/signalfd.h>
#include <linux/timerfd.h>

#include "lib/memory.h"
#include "lib/print.h"
#include "lib/signals.h"
#include "lib/thread.h"

#define CALL(name, a, b, c, d) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define MS 1000000l
#define SIGCHLD_BIT (1ul << (SIGCHLD - 1))

struct times {
    struct timespec interval, value;
};

static struct times times_of(long interval, long value) {
    return (struct times){{interval / 1000000000, interval % 1000000000}, {value / 1000000000, value % 1000000000}};
}

static long set(int fd, int flags, long interval, long value, struct times *old) {
    struct times times = times_of(interval, value);
    return CALL(timerfd_settime, fd, flags, &times, old);
}

static int ready(int fd, long milliseconds) {
    struct pollfd poll = {.fd = fd, .events = POLLIN};
    struct timespec timeout = {milliseconds / 1000, milliseconds % 1000 * MS};
    return CALL(ppoll, &poll, 1, &timeout, NULL) == 1 ? poll.revents : 0;
}

static long ticks_of(int fd) {
    uint64_t ticks = 0;
    long result = CALL(read, fd, &ticks, sizeof ticks, 0);
    return result == sizeof ticks ? (long)ticks : result;
}

static void set_soon(void *fd) {
    struct timespec pause = {0, 20 * MS};
    CALL(nanosleep, &pause, NULL, 0, 0);
    CHECK(set((int)(long)fd, 0, 0, 1 * MS, NULL) == 0);
}

static void timers(void) {
    struct times times;
    print("no such clock %ld, flag %ld\n", CALL(timerfd_create, 99, 0, 0, 0), CALL(timerfd_create, 1, 1, 0, 0));
    int fd = (int)CALL(timerfd_create, 1, O_NONBLOCK | O_CLOEXEC, 0, 0);
    CHECK(fd >= 0);
    print("disarmed: read %ld, short read %ld, ready %d", ticks_of(fd), CALL(read, fd, &times, 7, 0), ready(fd, 0));
    CHECK(CALL(timerfd_gettime, fd, &times, 0, 0) == 0);
    print(", left %ld %ld\n", times.value.tv_sec, times.value.tv_nsec);
    print("set: %ld", set(fd, 0, 7, 100000 * MS, NULL));
    CHECK(CALL(timerfd_gettime, fd, &times, 0, 0) == 0);
    print(", interval %ld, left about 100 s: %d", times.interval.tv_nsec, times.value.tv_sec >= 98);
    print(", and off, what it was: %ld", set(fd, 0, 0, 0, &times));
    print(" %ld %d\n", times.interval.tv_nsec, times.value.tv_sec >= 98);
    print("set badly: %ld, flags %ld, no timerfd %ld %ld, nowhere %ld\n", set(fd, 0, 0, -1, NULL),
          set(fd, 8, 0, 1, NULL), set(1, 0, 0, 1, NULL), set(99, 0, 0, 1, NULL), CALL(timerfd_settime, fd, 0, 1, NULL));
    CHECK(set(fd, 0, 0, 2 * MS, NULL) == 0);
    print("one shot: ready %x", ready(fd, 5000));
    print(", %ld time, then %ld", ticks_of(fd), ticks_of(fd));
    print(", ready %x\n", ready(fd, 10));
    CHECK(set(fd, 0, 1 * MS, 1 * MS, NULL) == 0);
    struct timespec pause = {0, 20 * MS};
    CALL(nanosleep, &pause, NULL, 0, 0);
    print("an interval of 1 ms for 20 ms: at least 10 times %d", ticks_of(fd) >= 10);
    print(", goes on %x", ready(fd, 5000));
    print(", set anew it forgets them: %ld", set(fd, 0, 0, 100000 * MS, NULL));
    print(" %ld\n", ticks_of(fd));
    print("an absolute time that has passed: %ld", set(fd, TFD_TIMER_ABSTIME, 0, 1, NULL));
    print(", ready %x, %ld time\n", ready(fd, 5000), ticks_of(fd));
    int epoll = (int)CALL(epoll_create1, 0, 0, 0, 0);
    struct epoll_event event = {.events = EPOLLIN, .data = 77};
    CHECK(CALL(epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(set(fd, 0, 0, 2 * MS, NULL) == 0);
    event.data = 0;
    long count = syscall6(__NR_epoll_pwait, epoll, (long)&event, 1, 5000, 0, 0);
    print("epoll: %ld event, data %ld\n", count, (long)event.data);
    CALL(close, fd, 0, 0, 0);

    fd = (int)CALL(timerfd_create, 0, 0, 0, 0);
    struct thread *thread = thread_start(set_soon, (void *)(long)fd);
    print("a read that waits until somebody sets it: %ld time\n", ticks_of(fd));
    thread_join(thread);
    CHECK(set(fd, 0, 0, 1 * MS, NULL) == 0);
    CHECK(ready(fd, 5000) == POLLIN);
    print("a bad buffer: %ld", CALL(read, fd, 8, 8, 0));
    print(", and the expiration is still there: %ld\n", ticks_of(fd));
    CALL(close, fd, 0, 0, 0);
}

static void send_soon(void *unused) {
    (void)unused;
    struct timespec pause = {0, 20 * MS};
    CALL(nanosleep, &pause, NULL, 0, 0);
    CHECK(sys_kill((int)sys_getpid(), SIGUSR1) == 0);
}

static void signals(void) {
    unsigned long mask = signal_bit(SIGUSR1).sig[0] | signal_bit(34).sig[0] | SIGCHLD_BIT;
    CHECK(sys_rt_sigprocmask(SIG_BLOCK, mask, NULL) == 0);
    print("flag %ld, no signalfd %ld\n", CALL(signalfd4, -1, &mask, 8, 1), CALL(signalfd4, 1, &mask, 8, 0));
    int fd = (int)CALL(signalfd4, -1, &mask, 8, O_NONBLOCK);
    CHECK(fd >= 0);
    struct signalfd_siginfo info[3];
    print("nothing pending: %ld, ready %x, too short %ld\n", CALL(read, fd, info, sizeof info, 0), ready(fd, 0),
          CALL(read, fd, info, 127, 0));
    CHECK(sys_kill((int)sys_getpid(), SIGUSR1) == 0);
    CHECK(queue_signal(34, 5) == 0 && queue_signal(34, 6) == 0);
    print("pending: ready %x", ready(fd, 0));
    long bytes = CALL(read, fd, info, sizeof info, 0);
    print(", %ld bytes:", bytes);
    for (int i = 0; i < bytes / 128; i++)
        print(" %u code %d int %d, from here %d", info[i].ssi_signo, info[i].ssi_code, info[i].ssi_int,
              (int)info[i].ssi_pid == sys_getpid());
    print(", then %ld, pending %lx\n", CALL(read, fd, info, sizeof info, 0), sys_rt_sigpending());
    long pid = CALL(clone, SIGCHLD, 0, 0, 0);
    if (pid == 0) sys_exit_group(9);
    print("a child ends: ready %x", ready(fd, 5000));
    bytes = CALL(read, fd, info, sizeof info, 0);
    print(", %ld bytes, %u code %d status %d, its number %d\n", bytes, info[0].ssi_signo, info[0].ssi_code,
          info[0].ssi_status, (long)info[0].ssi_pid == pid);
    CHECK(syscall6(__NR_wait4, pid, 0, 0, 0, 0, 0) == pid);
    unsigned long other = signal_bit(34).sig[0];
    print("another mask: same descriptor %d", CALL(signalfd4, fd, &other, 8, 0) == fd);
    CHECK(sys_kill((int)sys_getpid(), SIGUSR1) == 0);
    print(", read %ld\n", CALL(read, fd, info, sizeof info, 0));
    CHECK(CALL(signalfd4, fd, &mask, 8, 0) == fd);
    print("and back: %ld\n", CALL(read, fd, info, sizeof info, 0));
    CALL(close, fd, 0, 0, 0);
    fd = (int)CALL(signalfd4, -1, &mask, 8, 0);
    struct thread *thread = thread_start(send_soon, NULL);
    bytes = CALL(read, fd, info, sizeof info, 0);
    print("a read that waits for a signal: %ld bytes, %u\n", bytes, info[0].ssi_signo);
    thread_join(thread);
    CALL(close, fd, 0, 0, 0);
}

int main(void) {
    timers();
    signals();
    return 0;
}
