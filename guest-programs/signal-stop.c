// Stopping and continuing: a child with two threads is stopped by a signal and goes on by SIGCONT, and its parent hears
// of both; SIGKILL ends a stopped process; stop signals and SIGCONT cancel each other while they are pending.
//
//   signal-stop
//
// System calls: clone, setpgid, wait4, kill, getpid, rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigtimedwait,
// nanosleep, mmap, munmap, futex, write, exit, exit_group.

#include <linux/wait.h>

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/signals.h"
#include "lib/thread.h"

#define BIT(signal) (1ul << ((signal) - 1))

static volatile uint32_t *counts;      // shared with the child: how often each of its threads went round

static long fork_process(void) {
    return syscall6(__NR_clone, SIGCHLD, 0, 0, 0, 0, 0);
}

static long wait_for(long pid, int options, int *status) {
    return syscall6(__NR_wait4, pid, (long)status, options, 0, 0, 0);
}

static void sleep_ms(long ms) {
    struct timespec wish = {ms / 1000, ms % 1000 * 1000000};
    syscall6(__NR_nanosleep, (long)&wish, 0, 0, 0, 0, 0);
}

static void count(void *argument) {
    unsigned long index = (unsigned long)argument;
    for (;;) {
        fetch_add(&counts[index], 1);
        if (index == 1) sleep_ms(1);
    }
}

static void __attribute__((noreturn)) child(void) {
    thread_start(count, (void *)1);
    count((void *)0);
    sys_exit_group(1);
}

static void await_progress(void) {
    uint32_t first = load_acquire(&counts[0]), second = load_acquire(&counts[1]);
    while (load_acquire(&counts[0]) == first || load_acquire(&counts[1]) == second) sleep_ms(1);
}

static void check_siginfo(long pid, int code, int status) {
    siginfo_t info;
    CHECK(sys_rt_sigtimedwait(BIT(SIGCHLD), &info, NULL) == SIGCHLD);
    CHECK(info.si_code == code && info.si_pid == pid && info.si_status == status);
}

static void stop_and_continue(int signal) {
    int status;
    long pid = fork_process();
    if (pid == 0) child();
    // A group of its own: the terminal's signals do not stop one that has no parent outside it.
    CHECK(syscall6(__NR_setpgid, pid, pid, 0, 0, 0, 0) == 0);
    await_progress();
    CHECK(sys_kill((int)pid, signal) == 0);
    CHECK(wait_for(pid, WUNTRACED, &status) == pid);
    CHECK(status == (signal << 8 | 0x7f));
    check_siginfo(pid, CLD_STOPPED, signal);
    uint32_t first = load_acquire(&counts[0]), second = load_acquire(&counts[1]);
    sleep_ms(50);
    CHECK(load_acquire(&counts[0]) == first && load_acquire(&counts[1]) == second);
    CHECK(wait_for(pid, WUNTRACED | WNOHANG, &status) == 0);
    CHECK(sys_kill((int)pid, SIGCONT) == 0);
    CHECK(wait_for(pid, WCONTINUED, &status) == pid);
    CHECK(status == 0xffff);
    check_siginfo(pid, CLD_CONTINUED, SIGCONT);
    await_progress();
    CHECK(sys_kill((int)pid, SIGSTOP) == 0);
    CHECK(wait_for(pid, WUNTRACED, &status) == pid);
    check_siginfo(pid, CLD_STOPPED, SIGSTOP);
    CHECK(sys_kill((int)pid, SIGKILL) == 0);
    CHECK(wait_for(pid, 0, &status) == pid);
    CHECK(status == SIGKILL);
    check_siginfo(pid, CLD_KILLED, SIGKILL);
    print("signal %d: both threads stopped, went on, and died while stopped\n", signal);
}

static void cancel(void) {
    sys_rt_sigprocmask(SIG_BLOCK, BIT(SIGTSTP) | BIT(SIGCONT), NULL);
    int pid = (int)sys_getpid();
    CHECK(sys_kill(pid, SIGTSTP) == 0);
    CHECK(sys_rt_sigpending() == BIT(SIGTSTP));
    CHECK(sys_kill(pid, SIGCONT) == 0);
    CHECK(sys_rt_sigpending() == BIT(SIGCONT));
    CHECK(sys_kill(pid, SIGTSTP) == 0);
    CHECK(sys_rt_sigpending() == BIT(SIGTSTP));
    CHECK(set_action(SIGTSTP, SIG_IGN) == 0);
    CHECK(sys_rt_sigpending() == 0);
    print("SIGTSTP and SIGCONT cancel each other\n");
}

int main(void) {
    long memory = sys_mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory > 0);
    counts = (volatile uint32_t *)memory;
    sys_rt_sigprocmask(SIG_BLOCK, BIT(SIGCHLD), NULL);
    stop_and_continue(SIGSTOP);
    stop_and_continue(SIGTSTP);
    cancel();
    print("signal-stop: all as documented\n");
    return 0;
}
