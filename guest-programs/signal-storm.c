// Signals at random between threads that wait for each other on futexes, map and unmap meanwhile: every real-time
// signal that was sent is handled exactly once, every wake-up arrives, and every thread comes to its end.
//
//   signal-storm [THREADS [ROUNDS]]
//
// System calls: rt_sigaction, rt_sigqueueinfo (by thread), tgkill, futex, mmap, munmap, sched_yield, gettid, getpid,
// clone, rt_sigprocmask, write, exit, exit_group.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/signals.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define BIT(signal) (1ul << ((signal) - 1))
#define THREADS_MAX 32
#define REALTIME 40

static uint32_t threads, rounds;
static int pid;
static volatile uint32_t tids[THREADS_MAX];
static volatile uint32_t batons[THREADS_MAX];
static volatile uint32_t sent, handled, values_sent, values_handled, refused;
static struct barrier together;

static void on_standard(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)context;
    CHECK(info->si_code == SI_TKILL && info->si_pid == pid);
}

static void on_realtime(int signal, siginfo_t *info, struct ucontext *context) {
    (void)context;
    CHECK(info->si_signo == signal && info->si_code == SI_QUEUE);
    fetch_add(&handled, 1);
    fetch_add(&values_handled, (uint32_t)info->si_int);
}

static uint32_t draw(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void send_realtime(uint32_t tid, uint32_t value) {
    siginfo_t info = {0};
    info.si_signo = REALTIME + (int)(value % 4);
    info.si_code = SI_QUEUE;
    info.si_pid = pid;
    info.si_int = (int)value;
    long result = syscall6(__NR_rt_tgsigqueueinfo, pid, tid, info.si_signo, (long)&info, 0, 0);
    if (result == 0) {
        fetch_add(&sent, 1);
        fetch_add(&values_sent, value);
    } else {
        CHECK(result == -EAGAIN);
        fetch_add(&refused, 1);
    }
}

/** The baton goes round: each thread waits for its own and hands the next one over. */
static void pass_baton(uint32_t index, uint32_t round) {
    volatile uint32_t *own = &batons[index], *next = &batons[(index + 1) % threads];
    while (load_acquire(own) != round) sys_futex(own, FUTEX_WAIT_PRIVATE, round - 1, NULL);
    store_release(next, index + 1 == threads ? round + 1 : round);
    sys_futex(next, FUTEX_WAKE_PRIVATE, 1, NULL);
}

static void storm(void *argument) {
    uint32_t index = (uint32_t)(uintptr_t)argument;
    uint32_t random = index * 7919 + 1;
    tids[index] = (uint32_t)sys_gettid();
    barrier_wait(&together);
    for (uint32_t round = 1; round <= rounds; round++) {
        uint32_t tid = tids[draw(&random) % threads];
        if (draw(&random) % 2 == 0) CHECK(sys_tgkill(pid, (int)tid, SIGUSR1) == 0);
        else send_realtime(tid, draw(&random) % 1000);
        if (draw(&random) % 4 == 0) {
            volatile char *page = map_pages(1, PROT_READ | PROT_WRITE);
            *page = 1;
            unmap_pages((void *)page, 1);
        }
        pass_baton(index, round);
    }
    barrier_wait(&together);
}

int main(int argc, char **argv) {
    threads = (uint32_t)argument_number(argc, argv, 1, 4, 2, THREADS_MAX);
    rounds = (uint32_t)argument_number(argc, argv, 2, 25, 1, 1000000);
    pid = (int)sys_getpid();
    together.parties = threads;
    batons[0] = 1;
    CHECK(handle(SIGUSR1, on_standard, 0, 0) == 0);
    for (int i = 0; i < 4; i++) CHECK(handle(REALTIME + i, on_realtime, SA_RESTART, 0) == 0);
    struct thread *records[THREADS_MAX];
    for (uintptr_t i = 0; i < threads; i++) records[i] = thread_start(storm, (void *)i);
    for (uint32_t i = 0; i < threads; i++) thread_join(records[i]);
    CHECK(sent == handled && values_sent == values_handled);
    print("signal-storm: %u threads, %u rounds: every signal was handled once, every wake-up arrived\n", threads,
          rounds);
    return 0;
}
