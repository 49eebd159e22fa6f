// Who a process is and what it may use: users and groups, sessions, limits, priorities, its name, its capabilities, the
// machine and its clocks. Results are printed as the kernel gave them, numbers of processes only compared.
//   identity [linux]     linux: also what qemu-user 7.2 does not have
// System calls: those of kernel/sys.c, cred.c, sched/syscalls.c; clone, wait4, openat, close, write, exit_group.

#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sysinfo.h>
#include <linux/times.h>
#include <linux/utsname.h>

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#define CALL(name, a, b, c, d) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SHOW(name, a, b, c, d) print("%s %s, %s: %ld\n", #name, #a, #b, CALL(name, a, b, c, d))
#ifndef __NR_riscv_hwprobe
#define __NR_riscv_hwprobe 258
#endif
#define NOBODY 65534
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS 2

static void show_ids(void) {
    unsigned u[3], g[3];
    CHECK(CALL(getresuid, &u[0], &u[1], &u[2], 0) == 0 && CALL(getresgid, &g[0], &g[1], &g[2], 0) == 0);
    CHECK(CALL(getuid, 0, 0, 0, 0) == u[0] && CALL(geteuid, 0, 0, 0, 0) == u[1]);
    CHECK(CALL(getgid, 0, 0, 0, 0) == g[0] && CALL(getegid, 0, 0, 0, 0) == g[1]);
    print("users %u %u %u, groups %u %u %u\n", u[0], u[1], u[2], g[0], g[1], g[2]);
}

/** In a child, since much of it can not be taken back. */
static int users(void *unused) {
    static unsigned groups[4] = {5, 6, 7};
    (void)unused;
    show_ids();
    SHOW(setgroups, 3, groups, 0, 0);
    SHOW(getgroups, 0, 0, 0, 0);
    SHOW(getgroups, 2, groups, 0, 0);
    SHOW(getgroups, 4, groups, 0, 0);
    SHOW(setregid, 10, 11, 0, 0);
    SHOW(setresgid, -1, 12, 13, 0);
    show_ids();
    SHOW(setfsgid, 14, 0, 0, 0);
    SHOW(setfsgid, -1, 0, 0, 0);
    SHOW(setresuid, 20, 0, 0, 0);
    SHOW(setreuid, -1, 21, 0, 0);
    show_ids();
    SHOW(setfsuid, 20, 0, 0, 0);
    SHOW(setresuid, 99, -1, -1, 0);
    SHOW(setgid, 98, 0, 0, 0);
    SHOW(setgroups, 0, 0, 0, 0);
    SHOW(setreuid, -1, 0, 0, 0);
    SHOW(setgid, 15, 0, 0, 0);
    SHOW(setuid, NOBODY, 0, 0, 0);
    SHOW(setuid, 0, 0, 0, 0);
    show_ids();
    return 0;
}

static int sessions(void *unused) {
    (void)unused;
    long self = CALL(getpid, 0, 0, 0, 0);
    CHECK(CALL(getpgid, 0, 0, 0, 0) == CALL(getpgid, self, 0, 0, 0));
    print("leads a session: %d\n", CALL(getsid, 0, 0, 0, 0) == self);
    print("setsid: %d\n", CALL(setsid, 0, 0, 0, 0) == self);
    print("leads it: %d, and a group: %d\n", CALL(getsid, self, 0, 0, 0) == self, CALL(getpgid, 0, 0, 0, 0) == self);
    SHOW(setsid, 0, 0, 0, 0);
    SHOW(setpgid, 0, 0, 0, 0);
    SHOW(getsid, 0x3fffff, 0, 0, 0);
    return 0;
}

static void show_limit(int resource) {
    unsigned long limit[2];
    CHECK(CALL(getrlimit, resource, limit, 0, 0) == 0);
    print("limit %d: %ld %ld\n", resource, (long)limit[0], (long)limit[1]);
}

static int limits(void *unused) {
    static unsigned long files[2] = {100, 200}, more[2] = {101, 100}, core[2] = {0, 0};
    (void)unused;
    SHOW(setrlimit, RLIMIT_NOFILE, files, 0, 0);
    show_limit(RLIMIT_NOFILE);
    SHOW(setrlimit, RLIMIT_NOFILE, more, 0, 0);
    SHOW(setrlimit, RLIMIT_CORE, core, 0, 0);
    show_limit(RLIMIT_CORE);
    SHOW(setrlimit, 99, core, 0, 0);
    SHOW(getrlimit, 99, core, 0, 0);
    return 0;
}

static int priorities(void *unused) {
    static struct { int priority; } none, one = {1};
    static long interval[2];
    (void)unused;
    SHOW(setpriority, 0, 0, 5, 0);
    SHOW(getpriority, 0, 0, 0, 0);
    SHOW(setpriority, 0, 0, 100, 0);
    SHOW(getpriority, 0, 0, 0, 0);
    SHOW(setpriority, 3, 0, 0, 0);
    SHOW(getpriority, 0, 0x3fffff, 0, 0);
    SHOW(sched_getscheduler, 0, 0, 0, 0);
    SHOW(sched_setscheduler, 0, 0, &none, 0);
    SHOW(sched_setscheduler, 0, 0, &one, 0);
    SHOW(sched_setscheduler, 0, 99, &none, 0);
    SHOW(sched_setparam, 0, &none, 0, 0);
    SHOW(sched_setparam, 0, &one, 0, 0);
    SHOW(sched_getparam, 0, &one, 0, 0);
    print("priority %d\n", one.priority);
    for (int policy = 0; policy < 7; policy++) {
        long least = CALL(sched_get_priority_min, policy, 0, 0, 0);
        long most = CALL(sched_get_priority_max, policy, 0, 0, 0);
        print("policy %d: priorities %ld to %ld\n", policy, least, most);
    }
    SHOW(sched_rr_get_interval, 0, interval, 0, 0);
    SHOW(sched_rr_get_interval, -1, interval, 0, 0);
    return 0;
}

static int options(void *unused) {
    static char name[16];
    static int word;
    (void)unused;
    SHOW(prctl, PR_SET_NAME, "a name of twenty-one", 0, 0);
    SHOW(prctl, PR_GET_NAME, name, 0, 0);
    print("name %s\n", name);
    SHOW(prctl, PR_SET_PDEATHSIG, 9, 0, 0);
    SHOW(prctl, PR_GET_PDEATHSIG, &word, 0, 0);
    print("signal %d\n", word);
    SHOW(prctl, PR_SET_PDEATHSIG, 65, 0, 0);
    SHOW(prctl, PR_SET_DUMPABLE, 0, 0, 0);
    SHOW(prctl, PR_GET_DUMPABLE, 0, 0, 0);
    SHOW(prctl, PR_SET_DUMPABLE, 2, 0, 0);
    SHOW(prctl, PR_SET_KEEPCAPS, 1, 0, 0);
    SHOW(prctl, PR_GET_KEEPCAPS, 0, 0, 0);
    SHOW(prctl, PR_GET_TIMERSLACK, 0, 0, 0);
    SHOW(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0);
    SHOW(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0);
    SHOW(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0);
    SHOW(prctl, 9999, 0, 0, 0);
    SHOW(personality, 0xffffffff, 0, 0, 0);
    SHOW(personality, 0x0040000, 0, 0, 0);
    print("personality %lx\n", CALL(personality, 0xffffffff, 0, 0, 0));
    return 0;
}

static int capabilities(void *unused) {
    static struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0}, old = {1, 0};
    static struct __user_cap_data_struct data[2];
    (void)unused;
    SHOW(capget, &header, data, 0, 0);
    print("may override modes: %d\n", (data[0].effective & 1 << CAP_DAC_OVERRIDE) != 0);
    SHOW(capset, &header, data, 0, 0);
    SHOW(capget, &old, data, 0, 0);
    print("version %x\n", old.version);
    return 0;
}

static void machine(void) {
    static struct new_utsname name;
    static struct sysinfo info;
    static struct tms times;
    long now[2], zone[2] = {1, 1};
    SHOW(uname, &name, 0, 0, 0);
    print("%s on %s\n", name.sysname, name.machine);
    SHOW(sysinfo, &info, 0, 0, 0);
    CHECK(info.mem_unit > 0 && info.totalram >= info.freeram && info.procs > 0);
    CHECK(CALL(times, &times, 0, 0, 0) > 0 && CALL(times, 0, 0, 0, 0) > 0);
    CHECK(CALL(gettimeofday, now, zone, 0, 0) == 0 && now[0] > 1600000000 && now[1] < 1000000);
    CHECK(CALL(set_tid_address, 0, 0, 0, 0) == CALL(gettid, 0, 0, 0, 0));
    SHOW(clock_getres, CLOCK_MONOTONIC, now, 0, 0);
    SHOW(clock_getres, 99, now, 0, 0);
    SHOW(clock_getres, ~0u << 3 | 2, 0, 0, 0);
    SHOW(clock_gettime, ~0u << 3 | 6, now, 0, 0);
    now[0] = 0, now[1] = 1000;
    SHOW(clock_nanosleep, CLOCK_MONOTONIC, 0, now, 0);
    now[1] = 1000000000;
    SHOW(clock_nanosleep, CLOCK_MONOTONIC, 0, now, 0);
}

/** What qemu-user does not know, or keeps for itself. */
static void on_linux(void) {
    static struct { unsigned bytes, policy; long flags; int nice; unsigned priority; long rest[4]; } attributes;
    static struct { long key, value; } probe = {4, 0};
    void *head;
    unsigned long length;
    CHECK(CALL(set_robust_list, &head, 23, 0, 0) == -EINVAL && CALL(set_robust_list, &head, 24, 0, 0) == 0);
    void *own = &head;
    CHECK(CALL(get_robust_list, 0, &head, &length, 0) == 0 && head == own && length == 24);
    CHECK(CALL(set_robust_list, 0, 24, 0, 0) == 0);
    CHECK(CALL(sched_getattr, 0, &attributes, sizeof attributes, 0) == 0);
    attributes.nice = 3;
    CHECK(CALL(sched_setattr, 0, &attributes, 0, 0) == 0 && CALL(getpriority, 0, 0, 0, 0) == 17);
    CHECK(CALL(restart_syscall, 0, 0, 0, 0) == -EINTR);
    CHECK(CALL(riscv_hwprobe, &probe, 1, 0, 0) == 0 && probe.key == 4);
}

static void in_child(int (*part)(void *)) {
    long child = sys_fork();
    CHECK(child >= 0);
    if (child == 0) sys_exit_group(part(0));
    int status = -1;
    CHECK(CALL(wait4, child, &status, 0, 0) == child && status == 0);
}

int main(int argc, char **argv) {
    in_child(users);
    in_child(sessions);
    in_child(limits);
    in_child(priorities);
    in_child(options);
    in_child(capabilities);
    machine();
    if (strcmp(argument_word(argc, argv, 1, ""), "linux") == 0) on_linux();
    return 0;
}
