// A process that wants all memory does not take the others along.
//   oom [linux [shared|large]]
//                          linux: the hog stops at nothing until the kernel kills it; without it, it ends by itself
//                          shared: of shared memory, which is there as long as the hog is
//                          large: the process that all come from has 8 MiB itself
// The survivor writes and reads its own private and shared pages all the time, forks children, and must never see a
// wrong byte. The prints are the same either way.
// System calls: clone, wait4, kill, mmap, futex, sched_yield, getpid, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#define PAGES 64ul
#define HOG_PAGES 256ul
#define LARGE_PAGES 2048ul

static volatile uint32_t *common; // word 0: stop; word 1: rounds of the survivor

static void hog(int is_endless, int sharing) {
    for (;;) {
        long address = sys_mmap(NULL, HOG_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
        CHECK(address > 0);
        volatile char *pages = (volatile char *)address;
        for (unsigned long page = 0; page < HOG_PAGES; page++) pages[page * PAGE_BYTES] = 1;
        // Let it be seen that the survivor goes on meanwhile.
        uint32_t before = load_acquire(&common[1]);
        for (uint32_t i = 0; i < 1000 && load_acquire(&common[1]) == before; i++) sys_sched_yield();
        if (!is_endless) sys_kill((int)sys_getpid(), SIGKILL);
    }
}

static void survivor(void) {
    volatile uint32_t *own = map_pages(PAGES, PROT_READ | PROT_WRITE);
    for (uint32_t round = 1; !load_acquire(&common[0]); round++) {
        for (unsigned long page = 0; page < PAGES; page++) {
            uint32_t expected = round == 1 ? 0 : round - 1 + (uint32_t)page;
            if (own[page * 1024] != expected) fail("round %u: page %lu is %u", round, page, own[page * 1024]);
            own[page * 1024] = round + (uint32_t)page;
            common[1024 * (page + 1)] = round;
        }
        for (unsigned long page = 0; page < PAGES; page++) CHECK(common[1024 * (page + 1)] == round);
        if (round % 16 == 0) {
            long pid = sys_fork();
            CHECK(pid >= 0);
            if (pid == 0) sys_exit_group(own[0] == round ? 0 : 1);
            int status;
            CHECK(sys_wait4((int)pid, &status, 0) == pid && status == 0);
        }
        store_release(&common[1], round);
        sys_sched_yield();
    }
    sys_exit_group(7);
}

int main(int argc, char **argv) {
    size_t bytes = (PAGES + 1) * PAGE_BYTES;
    common = (void *)sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int is_endless = argument_word(argc, argv, 1, "")[0] == 'l';
    const char *kind = argument_word(argc, argv, 2, "");
    long live = sys_fork();
    if (live == 0) survivor();
    while (load_acquire(&common[1]) == 0) sys_sched_yield();
    volatile char *own = kind[0] == 'l' ? map_pages(LARGE_PAGES, PROT_READ | PROT_WRITE) : NULL;
    for (unsigned long page = 0; own != NULL && page < LARGE_PAGES; page++) own[page * PAGE_BYTES] = 1;
    long doomed = sys_fork();
    if (doomed == 0) hog(is_endless, kind[0] == 's' ? MAP_SHARED : MAP_PRIVATE);
    int status;
    CHECK(sys_wait4((int)doomed, &status, 0) == doomed && end_signal(status) == SIGKILL);
    print("oom: the hog was killed\n");
    uint32_t rounds = load_acquire(&common[1]);
    while (load_acquire(&common[1]) < rounds + 10) sys_sched_yield();
    store_release(&common[0], 1);
    CHECK(sys_wait4((int)live, &status, 0) == live && exit_code(status) == 7);
    print("oom: the other went on, and lost nothing\n");
    return 0;
}
