// The cost of waking another thread: two threads take turns, each sleeping until the other wakes it.
//
//   futex-pingpong [TURNS] [--time]
//
// System calls: mmap, munmap, clone, futex, write, clock_gettime (with --time), exit, exit_group.

#include "lib/port.h"

static volatile uint32_t turn;      // even: the main thread is next
static uint32_t turns;

static void play(uint32_t side) {
    for (uint32_t now = side; now < turns; now += 2) {
        for (uint32_t seen; (seen = load_acquire(&turn)) != now;) sys_futex(&turn, FUTEX_WAIT_PRIVATE, seen, NULL);
        store_release(&turn, now + 1);
        sys_futex(&turn, FUTEX_WAKE_PRIVATE, 1, NULL);
    }
}

static void second_player(void *unused) {
    (void)unused;
    play(1);
}

int main(int argc, char **argv) {
    int timed = take_time_flag(&argc, argv);
    turns = (uint32_t)argument_number(argc, argv, 1, 2000, 2, 1u << 30);
    unsigned long start = timed ? now_ns() : 0;
    struct thread *second = thread_start(second_player, NULL);
    play(0);
    thread_join(second);
    print("futex-pingpong: %u turns\n", turn);
    print_elapsed(timed, start);
    return 0;
}
