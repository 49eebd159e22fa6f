// Switches between a user task and the idle task: pairs of threads that wake each other and sleep, each thread pinned
// to a hart of its own where there are enough. Every wait gives the hart to its idle task, which borrows the mm, and
// every wake-up takes it back: what a lazy-TLB policy does at each is what is measured. (The shape of context_switch2.)
//
//   ctxsw-idle [PAIRS [TURNS]] [--time]
//
// System calls: mmap, munmap, mprotect, clone, futex, sched_setaffinity, write, clock_gettime (with --time), exit,
// exit_group.

#include "lib/port.h"

#define PAIRS_MAX 32

struct pair {
    volatile uint32_t turn;
    uint32_t unused[15]; // a cache line each
};

static struct pair pairs[PAIRS_MAX];
static uint32_t turns;
static struct barrier together;

static void pin_to(unsigned long hart) {
    unsigned long mask = 1ul << hart;
    // A machine with fewer harts refuses: then the scheduler decides.
    syscall6(__NR_sched_setaffinity, 0, sizeof mask, (long)&mask, 0, 0, 0);
}

static void player(void *argument) {
    unsigned long index = (unsigned long)argument;
    volatile uint32_t *turn = &pairs[index / 2].turn;
    pin_to(index);
    barrier_wait(&together);
    for (uint32_t now = index & 1; now < turns; now += 2) {
        for (uint32_t seen; (seen = load_acquire(turn)) != now;) sys_futex(turn, FUTEX_WAIT_PRIVATE, seen, NULL);
        store_release(turn, now + 1);
        sys_futex(turn, FUTEX_WAKE_PRIVATE, 1, NULL);
    }
    barrier_wait(&together);
}

int main(int argc, char **argv) {
    int timed = take_time_flag(&argc, argv);
    unsigned long count = argument_number(argc, argv, 1, 1, 1, PAIRS_MAX);
    turns = (uint32_t)argument_number(argc, argv, 2, 1000, 2, 1u << 30);
    struct thread *players[2 * PAIRS_MAX];
    together.parties = (uint32_t)(2 * count + 1);
    for (unsigned long i = 0; i < 2 * count; i++) players[i] = thread_start(player, (void *)i);
    barrier_wait(&together);
    unsigned long start = timed ? now_ns() : 0;
    barrier_wait(&together);
    print("ctxsw-idle: %lu pairs, %u turns each\n", count, turns);
    print_elapsed(timed, start);
    for (unsigned long i = 0; i < 2 * count; i++) thread_join(players[i]);
    return 0;
}
