// Processes: what fork copies and shares, who copies a page when parent and child write it, what wait reports.
//   fork [WRITERS ROUNDS [linux]]     linux: what qemu-riscv64 7.2 has not, too
// System calls: clone, clone3, wait4, waitid, getpid, getppid, kill, mmap, munmap, futex, exit, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define PAGES 32ul

static volatile uint32_t *own;              // private pages
static volatile uint32_t *common;           // shared pages
static volatile uint32_t in_data = 5;

static void statuses(void) {
    int status = 0;
    CHECK(sys_wait4(-1, &status, 0) == -ECHILD);
    long pid = sys_fork();
    if (pid == 0) sys_exit_group(300);
    CHECK(sys_wait4((int)pid, &status, 0) == pid && exit_code(status) == 300 % 256);
    pid = sys_fork();
    if (pid == 0) {
        volatile int *volatile nowhere = NULL;
        *nowhere = 1;
        sys_exit_group(0);
    }
    CHECK(sys_wait4(-1, &status, 0) == pid && end_signal(status) == 11);
    pid = sys_fork();
    if (pid == 0) for (;;) sys_sched_yield();
    CHECK(sys_wait4((int)pid, &status, WNOHANG) == 0);
    CHECK(sys_kill((int)pid, SIGKILL) == 0);
    CHECK(sys_wait4(0, &status, 0) == pid && end_signal(status) == SIGKILL);
    CHECK(sys_wait4(-1, &status, WNOHANG) == -ECHILD && sys_kill((int)pid, 0) == -ESRCH);
    print("fork: an exit code, a fault and a kill are reported, each once\n");
}

static void memory(void) {
    for (unsigned long page = 0; page < PAGES; page++) own[page * 1024] = common[page * 1024] = (uint32_t)page;
    long parent = sys_getpid();
    long pid = sys_fork();
    if (pid == 0) {
        CHECK(sys_getppid() == parent && sys_getpid() != parent);
        for (unsigned long page = 0; page < PAGES; page++) {
            CHECK(own[page * 1024] == page && common[page * 1024] == page);
            own[page * 1024] = common[page * 1024] = 0xc0000000 + (uint32_t)page;
        }
        in_data = 6;
        sys_exit_group(0);
    }
    int status;
    CHECK(sys_wait4((int)pid, &status, 0) == pid && status == 0);
    for (unsigned long page = 0; page < PAGES; page++) {
        CHECK(own[page * 1024] == page && common[page * 1024] == 0xc0000000 + page);
    }
    CHECK(in_data == 5);
    print("fork: private pages are copied, shared ones are not\n");
}

/** Threads of the parent write while children are made: each child must see one state, and keep it. */
static volatile uint32_t stop;
static uint32_t writers;

static void writer(void *argument) {
    uint32_t index = (uint32_t)(uintptr_t)argument;
    for (uint32_t value = 1; !load_acquire(&stop); value++) {
        // Two words of different pages, the second never ahead of the first.
        store_release(&own[(2 * index) * 1024], value);
        store_release(&own[(2 * index + 1) * 1024], value);
    }
}

static void child_looks(void) {
    uint32_t seen[2 * 8];
    for (uint32_t i = 0; i < 2 * writers; i++) seen[i] = own[i * 1024];
    for (uint32_t i = 0; i < writers; i++) {
        uint32_t ahead = seen[2 * i] - seen[2 * i + 1];
        if (ahead > 1) fail("writer %u: a child saw %u and %u", i, seen[2 * i], seen[2 * i + 1]);
    }
    for (uint32_t round = 0; round < 200; round++) {
        for (uint32_t i = 0; i < 2 * writers; i++) {
            if (own[i * 1024] != seen[i]) fail("page %u changed in the child: %u, was %u", i, own[i * 1024], seen[i]);
        }
        if (round == 100) {
            for (uint32_t i = 0; i < 2 * writers; i++) own[i * 1024] = seen[i] = ~seen[i];
        }
    }
    sys_exit_group(7);
}

static void races(uint32_t rounds) {
    struct thread *threads[8];
    store_release(&stop, 0);
    for (uint32_t i = 0; i < 2 * writers; i++) own[i * 1024] = 0;
    for (uintptr_t i = 0; i < writers; i++) threads[i] = thread_start(writer, (void *)i);
    for (uint32_t round = 0; round < rounds; round++) {
        long pids[2];
        for (int i = 0; i < 2; i++) {
            pids[i] = sys_fork();
            if (pids[i] == 0) child_looks();
            CHECK(pids[i] > 0);
        }
        for (int i = 0; i < 2; i++) {
            int status;
            CHECK(sys_wait4((int)pids[i], &status, 0) == pids[i]);
            if (exit_code(status) != 7) fail("child ended with status %x", status);
        }
    }
    store_release(&stop, 1);
    for (uint32_t i = 0; i < writers; i++) thread_join(threads[i]);
    print("fork: %u threads wrote during %u forks, each child saw one moment\n", writers, 2 * rounds);
}

static void vfork(void) {
    common[0] = 0;
    long pid = syscall6(__NR_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0, 0);
    if (pid == 0) {
        for (int i = 0; i < 100; i++) sys_sched_yield();
        common[0] = 1;
        sys_exit_group(3);
    }
    CHECK(common[0] == 1);
    int status;
    CHECK(sys_wait4((int)pid, &status, 0) == pid && exit_code(status) == 3);
}

static void tids(void) {
    common[1] = common[2] = 0;
    own[0] = own[1] = 0;
    struct clone_args args = {
        .flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
        .exit_signal = SIGCHLD,
        .parent_tid = (uintptr_t)&own[0],
        .child_tid = (uintptr_t)&own[1],
    };
    long pid = syscall6(__NR_clone3, (long)&args, CLONE_ARGS_SIZE_VER0, 0, 0, 0, 0);
    if (pid == 0) {
        common[1] = own[1];
        sys_exit_group(0);
    }
    int status;
    CHECK(sys_wait4((int)pid, &status, 0) == pid && status == 0);
    CHECK(own[0] == pid && own[1] == 0 && common[1] == pid);
    CHECK(syscall6(__NR_clone3, (long)&args, 8, 0, 0, 0, 0) == -EINVAL);
    args.exit_signal = 200;
    CHECK(syscall6(__NR_clone3, (long)&args, CLONE_ARGS_SIZE_VER0, 0, 0, 0, 0) == -EINVAL);
}

static void wait_flavours(void) {
    int info[32] = {0};
    long pid = sys_fork();
    if (pid == 0) sys_exit_group(9);
    CHECK(syscall6(__NR_waitid, P_PID, pid, (long)info, WEXITED | WNOWAIT, 0, 0) == 0);
    CHECK(info[0] == SIGCHLD && info[2] == 1 && info[4] == pid && info[6] == 9);
    CHECK(syscall6(__NR_waitid, P_ALL, 0, (long)info, WEXITED, 0, 0) == 0 && info[4] == pid);
    CHECK(syscall6(__NR_waitid, P_ALL, 0, (long)info, WEXITED, 0, 0) == -ECHILD);
    CHECK(syscall6(__NR_waitid, P_ALL, 0, (long)info, 0, 0, 0) == -EINVAL);
    print("fork: waitid, WNOWAIT\n");
}

/** One that sends no signal at its end is a "clone" child. */
static void clone_children(void) {
    long pid = syscall6(__NR_clone, 0, 0, 0, 0, 0, 0);
    if (pid == 0) sys_exit_group(1);
    int status;
    CHECK(sys_wait4(-1, &status, 0) == -ECHILD);
    CHECK(sys_wait4(-1, &status, __WALL) == pid && exit_code(status) == 1);
}

/** A grandchild that outlives its parent goes to another one, and nobody loses the way. */
static void orphans(void) {
    store_release(&common[3], 0);
    long pid = sys_fork();
    if (pid == 0) {
        long parent = sys_getpid();
        if (sys_fork() == 0) {
            while (sys_getppid() == parent) sys_sched_yield();
            store_release(&common[3], 1);
            sys_exit_group(0);
        }
        sys_exit_group(0);
    }
    CHECK(sys_wait4((int)pid, NULL, 0) == pid);
    while (!load_acquire(&common[3])) sys_sched_yield();
    print("fork: an orphan gets another parent\n");
}

int main(int argc, char **argv) {
    writers = (uint32_t)argument_number(argc, argv, 1, 3, 1, 8);
    uint32_t rounds = (uint32_t)argument_number(argc, argv, 2, 10, 1, 10000);
    own = map_pages(PAGES, PROT_READ | PROT_WRITE);
    common = (void *)sys_mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    statuses();
    memory();
    if (argument_word(argc, argv, 3, "")[0] == 'l') {
        tids();
        vfork();
        clone_children();
    }
    wait_flavours();
    races(rounds);
    orphans();
    return 0;
}
