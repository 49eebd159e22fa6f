// Many processes: one after the other as a script makes them, many at once, and as many as there may be.
//   process-storm [CHILDREN [bomb]]     bomb: until fork is refused, twice
// System calls: clone, wait4, kill, mmap, munmap, futex, sched_yield, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#define PAGES 16ul
#define AT_ONCE 50
#define BOMB_MAX 20000

static volatile uint32_t *own;
static volatile uint32_t *common;
static int pids[BOMB_MAX];

/** Writes every page of its own, and ends with a code that the parent knows. */
static void child(uint32_t number) {
    for (unsigned long page = 0; page < PAGES; page++) {
        if (own[page * 1024] != page) sys_exit_group(255);
        own[page * 1024] = number;
    }
    for (unsigned long page = 0; page < PAGES; page++) {
        if (own[page * 1024] != number) sys_exit_group(254);
    }
    fetch_add(&common[0], 1);
    sys_exit_group((int)(number % 200));
}

static void one_by_one(uint32_t children) {
    for (uint32_t i = 0; i < children; i++) {
        long pid = sys_fork();
        if (pid == 0) child(i);
        CHECK(pid > 0);
        int status;
        CHECK(sys_wait4((int)pid, &status, 0) == pid);
        if (exit_code(status) != (int)(i % 200)) fail("child %u ended with status %x", i, status);
    }
    CHECK(common[0] == children);
    print("process-storm: %u children, one after the other\n", children);
}

static void at_once(uint32_t children) {
    uint32_t ended = 0;
    for (uint32_t i = 0; i < children; i++) {
        if (sys_fork() == 0) child(i);
        // Whoever has ended meanwhile is waited for, and no more than AT_ONCE may be there.
        while (ended < i + 1) {
            long pid = sys_wait4(-1, NULL, i + 1 - ended > AT_ONCE ? 0 : WNOHANG);
            if (pid <= 0) break;
            ended++;
        }
    }
    while (ended < children) {
        CHECK(sys_wait4(-1, NULL, 0) > 0);
        ended++;
    }
    CHECK(sys_wait4(-1, NULL, 0) == -ECHILD);
    print("process-storm: %u children, many at once\n", children);
}

/** Forks until that is refused, then ends them all; how many there were. */
static uint32_t bomb(void) {
    uint32_t count = 0;
    long pid = 0;
    for (; count < BOMB_MAX; count++) {
        pid = sys_fork();
        if (pid == 0) for (;;) sys_futex(&common[8], FUTEX_WAIT, 0, NULL);
        if (pid < 0) break;
        pids[count] = (int)pid;
    }
    CHECK(pid == -EAGAIN || pid == -ENOMEM);
    for (uint32_t i = 0; i < count; i++) CHECK(sys_kill(pids[i], SIGKILL) == 0);
    for (uint32_t i = 0; i < count; i++) {
        int status;
        CHECK(sys_wait4(pids[i], &status, 0) == pids[i] && end_signal(status) == SIGKILL);
    }
    return count;
}

int main(int argc, char **argv) {
    uint32_t children = (uint32_t)argument_number(argc, argv, 1, 200, 1, 100000);
    own = map_pages(PAGES, PROT_READ | PROT_WRITE);
    common = (void *)sys_mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (unsigned long page = 0; page < PAGES; page++) own[page * 1024] = (uint32_t)page;
    one_by_one(children);
    at_once(children);
    if (argument_word(argc, argv, 2, "")[0] == 'b') {
        uint32_t first = bomb();
        uint32_t second = bomb();
        CHECK(first > 16 && first == second);
        print("process-storm: fork is refused at a limit, and works again\n");
    }
    return 0;
}
