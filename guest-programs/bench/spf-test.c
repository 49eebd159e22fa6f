// Threads that map and take faults side by side, so that each one's mmap meets the faults of the others. The shape is
// that of spf_test, by which speculative page faults and their successors were measured.
//
//   spf-test [THREADS [MAPS [PAGES [ROUNDS [private|shared]]]]] [--time]
//
// In each round each thread makes MAPS mappings of PAGES pages, writes to every page, and unmaps them all.
// private: anonymous memory of its own. shared: also reads every page of one mapping that all threads have.
// The clock runs from the moment that all threads are warm until the last one is done.
// System calls: mmap, munmap, mprotect, clone, futex, write, clock_gettime (with --time), exit, exit_group.

#include "lib/port.h"

#define THREADS_MAX 128
#define MAPS_MAX 64
#define SHARED_PAGES 64ul

static unsigned long maps, pages, rounds;
static int timed;
static char *shared;
static struct barrier together;

static char *map_anonymous(unsigned long count, int kind) {
    long address = sys_mmap(NULL, count * PAGE_BYTES, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
    CHECK(address > 0);
    return (char *)address;
}

static void run(unsigned long index, unsigned long count) {
    char *mapped[MAPS_MAX];
    unsigned long seen = 0;
    for (unsigned long round = 0; round < count; round++) {
        for (unsigned long map = 0; map < maps; map++) {
            mapped[map] = map_anonymous(pages, MAP_PRIVATE);
            for (unsigned long page = 0; page < pages; page++) {
                volatile char *byte = mapped[map] + page * PAGE_BYTES;
                *byte = (char)(index + page + 1); // first: one fault a page
                CHECK(byte[1] == 0);
            }
        }
        for (unsigned long page = 0; shared != NULL && page < SHARED_PAGES; page++) {
            seen += *(volatile char *)(shared + page * PAGE_BYTES) == (char)page;
        }
        for (unsigned long map = 0; map < maps; map++) {
            for (unsigned long page = 0; page < pages; page++) {
                CHECK(mapped[map][page * PAGE_BYTES] == (char)(index + page + 1));
            }
            CHECK(sys_munmap(mapped[map], pages * PAGE_BYTES) == 0);
        }
    }
    CHECK(seen == (shared == NULL ? 0 : count * SHARED_PAGES));
}

static void worker(void *argument) {
    unsigned long index = (unsigned long)argument;
    barrier_wait(&together);
    if (timed) {
        for (unsigned long end = now_ns() + WARM_UP_NS; now_ns() < end;) run(index, 10);
        barrier_wait(&together);
    }
    run(index, rounds);
    barrier_wait(&together);
}

int main(int argc, char **argv) {
    timed = take_time_flag(&argc, argv);
    unsigned long threads = argument_number(argc, argv, 1, 100, 1, THREADS_MAX);
    maps = argument_number(argc, argv, 2, 2, 1, MAPS_MAX);
    pages = argument_number(argc, argv, 3, 10, 1, 1 << 12);
    rounds = argument_number(argc, argv, 4, 10, 1, 1ul << 32);
    const char *kind = argument_word(argc, argv, 5, "private");
    if (strcmp(kind, "shared") == 0) {
        shared = map_anonymous(SHARED_PAGES, MAP_SHARED);
        for (unsigned long page = 0; page < SHARED_PAGES; page++) shared[page * PAGE_BYTES] = (char)page;
    } else if (strcmp(kind, "private") != 0) {
        fail("private or shared, not %s", kind);
    }
    together.parties = (uint32_t)threads + 1;
    struct thread *workers[THREADS_MAX];
    for (unsigned long i = 0; i < threads; i++) workers[i] = thread_start(worker, (void *)i);
    barrier_wait(&together);
    if (timed) barrier_wait(&together);
    unsigned long start = timed ? now_ns() : 0;
    barrier_wait(&together);
    print("spf-test: %lu threads, %s, %lu faults\n", threads, kind, threads * maps * pages * rounds);
    print_elapsed(timed, start);
    for (unsigned long i = 0; i < threads; i++) thread_join(workers[i]);
    return 0;
}
