// Processes named by descriptor: pidfd_open and CLONE_PIDFD, poll for the end, pidfd_send_signal, waitid(P_PIDFD),
// pidfd_getfd and process_madvise. A pidfd whose process is gone stands for nobody, whoever has its number by then.
// System calls: those, clone, ppoll, pipe2, read, write, exit_group.

#include <linux/fcntl.h>
#include <linux/poll.h>

#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#define CALL(name, a, b, c, d, e) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SIGTERM 15

struct range {
    void *base;
    unsigned long bytes;
};

static int signals_of_child[32];

static int readiness(int fd, int wait) {
    struct pollfd poll = {.fd = fd, .events = POLLIN};
    struct {
        long seconds, ns;
    } none = {0, 0};
    long ready = CALL(ppoll, &poll, 1, wait ? NULL : &none, NULL, 8);
    CHECK(ready == (poll.revents != 0));
    return poll.revents;
}

static void wait_for(int fd, int options) {
    memset(signals_of_child, 0, sizeof signals_of_child);
    long result = CALL(waitid, P_PIDFD, fd, signals_of_child, options, 0);
    print("waitid %ld", result);
    // si_signo, si_code and si_status
    if (result == 0) print(" (%d, %d, %d)", signals_of_child[0], signals_of_child[2], signals_of_child[6]);
}

static void refusals(void) {
    print("pidfd_open: 0 %ld, nobody %ld, flags %ld\n", CALL(pidfd_open, 0, 0, 0, 0, 0),
          CALL(pidfd_open, 0x3fffff, 0, 0, 0, 0), CALL(pidfd_open, 1, 7, 0, 0, 0));
    int fd = (int)CALL(pidfd_open, sys_getpid(), 0, 0, 0, 0);
    char byte;
    CHECK(fd >= 0 && CALL(fcntl, fd, F_GETFD, 0, 0, 0) == FD_CLOEXEC);
    print("read %ld, poll %d, not a pidfd %ld", CALL(read, fd, &byte, 1, 0, 0), readiness(fd, 0),
          CALL(pidfd_send_signal, 1, 0, NULL, 0, 0));
    print(", flags %ld, bad signal %ld, nothing %ld\n", CALL(pidfd_send_signal, fd, 0, NULL, 3, 0),
          CALL(pidfd_send_signal, fd, 65, NULL, 0, 0), CALL(pidfd_send_signal, fd, 0, NULL, 0, 0));
    print("waitid: -1 %ld, not a pidfd %ld", CALL(waitid, P_PIDFD, -1, NULL, WEXITED, 0),
          CALL(waitid, P_PIDFD, 1, NULL, WEXITED, 0));
    print(", no child %ld\n", CALL(waitid, P_PIDFD, fd, NULL, WEXITED, 0));
    CHECK(CALL(close, fd, 0, 0, 0, 0) == 0);
}

static void end_of_a_process(void) {
    int gate[2];
    char byte = 0;
    CHECK(CALL(pipe2, gate, 0, 0, 0, 0) == 0);
    long pid = sys_fork();
    if (pid == 0) sys_exit_group(CALL(read, gate[0], &byte, 1, 0, 0) == 1 ? 7 : 1);
    int fd = (int)CALL(pidfd_open, pid, O_NONBLOCK, 0, 0, 0);
    CHECK(fd >= 0);
    print("alive: poll %d, signal 0 %ld, ", readiness(fd, 0), CALL(pidfd_send_signal, fd, 0, NULL, 0, 0));
    wait_for(fd, WEXITED);
    print(", ");
    wait_for(fd, WEXITED | WNOHANG);
    CHECK(CALL(write, gate[1], &byte, 1, 0, 0) == 1);
    print("\nended: poll %d, signal 0 %ld, ", readiness(fd, 1), CALL(pidfd_send_signal, fd, 0, NULL, 0, 0));
    wait_for(fd, WEXITED);
    print("\nwaited for: poll %d, signal 0 %ld, ", readiness(fd, 1), CALL(pidfd_send_signal, fd, 0, NULL, 0, 0));
    wait_for(fd, WEXITED);
    print(", open %ld\n", CALL(pidfd_open, pid, 0, 0, 0, 0));
    for (int i = 0; i < 2; i++) CHECK(CALL(close, gate[i], 0, 0, 0, 0) == 0);
    CHECK(CALL(close, fd, 0, 0, 0, 0) == 0);
}

/** CLONE_PIDFD: the descriptor comes with the child, which has it not. */
static void clone_with_a_pidfd(void) {
    int fd = -1;
    long both = syscall6(__NR_clone, SIGCHLD | CLONE_PIDFD | CLONE_PARENT_SETTID, 0, (long)&fd, 0, 0, 0);
    print("CLONE_PIDFD with CLONE_PARENT_SETTID: %ld, to nowhere %ld\n", both,
          syscall6(__NR_clone, SIGCHLD | CLONE_PIDFD, 0, 8, 0, 0, 0));
    long pid = syscall6(__NR_clone, SIGCHLD | CLONE_PIDFD, 0, (long)&fd, 0, 0, 0);
    if (pid == 0) {
        long found = -EBADF;
        for (int i = 3; i < 16; i++)
            if (CALL(fcntl, i, F_GETFD, 0, 0, 0) >= 0) found = i;
        sys_exit_group(found == -EBADF ? 0 : 1);
    }
    CHECK(pid > 0 && fd >= 0);
    print("the child has no descriptor: ");
    wait_for(fd, WEXITED);
    CHECK(CALL(close, fd, 0, 0, 0, 0) == 0);
    struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (unsigned long)&fd, .exit_signal = SIGCHLD};
    pid = CALL(clone3, &args, sizeof args, 0, 0, 0);
    if (pid == 0)
        for (;;) CALL(ppoll, NULL, 0, NULL, NULL, 8);
    CHECK(pid > 0);
    print("\nkilled: %ld, ", CALL(pidfd_send_signal, fd, SIGTERM, NULL, 0, 0));
    wait_for(fd, WEXITED);
    print("\n");
    CHECK(CALL(close, fd, 0, 0, 0, 0) == 0);
}

/** What a child has opened and mapped, with this process at the other end. */
static void reach_into(void) {
    int ready[2], fd = -1;
    char byte = 0;
    char *page = map_pages(2, PROT_READ | PROT_WRITE);
    CHECK(CALL(pipe2, ready, 0, 0, 0, 0) == 0);
    long pid = syscall6(__NR_clone, SIGCHLD | CLONE_PIDFD, 0, (long)&fd, 0, 0, 0);
    if (pid == 0) {
        int own[2];
        page[0] = 'c';
        CHECK(CALL(pipe2, own, 0, 0, 0, 0) == 0 && CALL(dup3, own[1], 20, 0, 0, 0) == 20);
        CHECK(CALL(write, ready[1], "r", 1, 0, 0) == 1);
        CHECK(CALL(read, own[0], &byte, 1, 0, 0) == 1 && byte == 'x');
        sys_exit_group(page[0] == 'c' ? 9 : 1);
    }
    CHECK(pid > 0 && CALL(read, ready[0], &byte, 1, 0, 0) == 1);
    print("pidfd_getfd: flags %ld, not open %ld, not a pidfd %ld\n", CALL(pidfd_getfd, fd, 20, 1, 0, 0),
          CALL(pidfd_getfd, fd, 21, 0, 0, 0), CALL(pidfd_getfd, 1, 20, 0, 0, 0));
    struct range range = {page, PAGE_BYTES}, bad[2] = {range, {page + 1, PAGE_BYTES}};
    print("process_madvise: cold %ld, pageout %ld", CALL(process_madvise, fd, &range, 1, MADV_COLD, 0),
          CALL(process_madvise, fd, &range, 1, MADV_PAGEOUT, 0));
    print(", willneed %ld, flags %ld", CALL(process_madvise, fd, &range, 1, MADV_WILLNEED, 0),
          CALL(process_madvise, fd, &range, 1, MADV_COLD, 1));
    print(", unaligned behind another %ld, alone %ld", CALL(process_madvise, fd, bad, 2, MADV_COLD, 0),
          CALL(process_madvise, fd, bad + 1, 1, MADV_COLD, 0));
    print("\nprocess_madvise: dontneed %ld, not a pidfd %ld\n", CALL(process_madvise, fd, &range, 1, MADV_DONTNEED, 0),
          CALL(process_madvise, 1, &range, 1, MADV_COLD, 0));
    int other = (int)CALL(pidfd_getfd, fd, 20, 0, 0, 0);
    CHECK(other >= 0 && CALL(write, other, "x", 1, 0, 0) == 1);
    wait_for(fd, WEXITED);
    print(" by a byte through its own pipe, then getfd %ld", CALL(pidfd_getfd, fd, 20, 0, 0, 0));
    print(", madvise %ld\n", CALL(process_madvise, fd, &range, 1, MADV_COLD, 0));
    int all[] = {fd, other, ready[0], ready[1]};
    for (int i = 0; i < 4; i++) CHECK(CALL(close, all[i], 0, 0, 0, 0) == 0);
    unmap_pages(page, 2);
}

int main(void) {
    refusals();
    end_of_a_process();
    clone_with_a_pidfd();
    reach_into();
    return 0;
}
