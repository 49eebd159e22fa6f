// More tasks than harts: every thread yields, sleeps on futexes and is woken, and none is forgotten.
//
//   many-tasks [THREADS [ROUNDS]]
//
// Threads work in pairs. A pair plays ping-pong over one futex word: whose turn it is, and how often it changed.
// System calls: mmap, munmap, clone, futex, sched_yield, gettid, exit, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define THREADS_MAX 1000

static struct {
    volatile uint32_t turns;    // even: the even thread of the pair is next
} __attribute__((aligned(64))) pairs[THREADS_MAX / 2];

static unsigned long rounds;
static struct barrier start;
static volatile uint32_t yields, turns, own_tid;

static void play(volatile uint32_t *word, uint32_t side) {
    for (unsigned long round = 0; round < rounds; round++) {
        for (uint32_t now; ((now = load_acquire(word)) & 1) != side;) {
            sys_futex(word, FUTEX_WAIT_PRIVATE, now, NULL);
        }
        fetch_add(word, 1);
        sys_futex(word, FUTEX_WAKE_PRIVATE, 1, NULL);
        fetch_add(&turns, 1);
    }
}

static void worker(void *argument) {
    unsigned long index = (unsigned long)argument;
    barrier_wait(&start);
    for (unsigned long round = 0; round < rounds; round++) {
        sys_sched_yield();
        fetch_add(&yields, 1);
    }
    if ((uint32_t)sys_gettid() == thread_self()->tid) fetch_add(&own_tid, 1);
    play(&pairs[index / 2].turns, index & 1);
}

int main(int argc, char **argv) {
    unsigned long threads = argument_number(argc, argv, 1, 200, 2, THREADS_MAX) & ~1ul;
    rounds = argument_number(argc, argv, 2, 20, 1, 1 << 20);
    struct thread *workers[THREADS_MAX];
    start.parties = (uint32_t)threads;
    for (unsigned long i = 0; i < threads; i++) workers[i] = thread_start(worker, (void *)i);
    for (unsigned long i = 0; i < threads; i++) thread_join(workers[i]);

    print("many-tasks: %lu threads, %lu rounds\n", threads, rounds);
    print("yields %u, turns %u, threads with their own tid %u\n", yields, turns, own_tid);
    return yields == threads * rounds && turns == threads * rounds && own_tid == threads ? 0 : 1;
}
