// Random system calls with random arguments from several threads of a process; the process is replaced when it dies,
// stands still, or has made its share. Nothing is expected of the calls but that the machine survives.
//   fuzz-calls [CALLS [SEED [THREADS]]]
// System calls: all of them but those that would end or reach the process that watches.

#include <linux/fcntl.h>
#include <linux/resource.h>

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"
#include "lib/thread.h"

#define CALL(name, a, b, c, d, e) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define THREADS_MAX 16
#define SHARE 2000     // calls of one process
#define NUMBER_END 460 // numbers that are tried
#define ARENA_PAGES 64
#define STILL_MS 40 // a process in which nothing happens for so long is killed
#define CLONE_SURE (CLONE_VFORK | CLONE_VM)

static volatile uint32_t *counters; // shared with the processes: calls begun
static char *arena;                 // what pointers point into
static uint32_t seed, threads, worker;

static const char *const paths[] = {"/tmp/fuzz-a", "/tmp/fuzz-b", "fuzz-c", "/tmp", "/", ".", "..", "/dev/null",
                                    "/dev/zero", "/dev/random", "/proc/self/maps", "/proc/self/status",
                                    "/proc/meminfo", "/tmp/fuzz-d/e", "/tmp/fuzz-d", "", "/proc/self/fd", "/dev/shm/x"};
#define PATH_COUNT (sizeof paths / sizeof *paths)

static uint32_t next(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13, x ^= x >> 17, x ^= x << 5;
    return *state = x;
}

static uint32_t below(uint32_t *state, uint32_t end) {
    return next(state) % end;
}

/** Somewhere in the arena, with random bytes, a path, small numbers or addresses there. */
static long pointer(uint32_t *state) {
    char *at = arena + below(state, ARENA_PAGES * PAGE_BYTES - 256);
    if (below(state, 3) != 0) at = (char *)((long)at & -8);
    long *words = (long *)((long)at & -8);
    switch (below(state, 6)) {
    case 0: {
        const char *path = paths[below(state, PATH_COUNT)];
        memcpy(at, path, strlen(path) + 1);
        break;
    }
    case 1:
        for (int i = 0; i < 8; i++) words[i] = (long)below(state, 4);
        break;
    case 2:
        for (int i = 0; i < 8; i++) words[i] = (long)(arena + below(state, ARENA_PAGES * PAGE_BYTES));
        break;
    case 3: // an iovec or two, a timespec that is short
        words[0] = (long)arena, words[1] = below(state, 100000), words[2] = (long)arena, words[3] = 10;
        break;
    case 4:
        for (int i = 0; i < 8; i++) words[i] = (long)next(state) << (below(state, 2) * 32);
        break;
    }
    return (long)at;
}

static long argument(uint32_t *state) {
    switch (below(state, 12)) {
    case 0:
        return below(state, 8);
    case 1:
    case 2:
        return 3 + below(state, 24); // descriptors
    case 3:
    case 4:
    case 5:
        return pointer(state);
    case 6:
        return (long)(arena + below(state, ARENA_PAGES) * PAGE_BYTES);
    case 7:
        return 1l << below(state, 64);
    case 8:
        return (long)below(state, 64) * (long)PAGE_BYTES;
    case 9:
        return below(state, 70);
    case 10:
        return -1 - (long)below(state, 101);
    default:
        return (long)next(state) << below(state, 33);
    }
}

/** Calls that would end the process at once, or are about processes by number. */
static long number_of(uint32_t *state) {
    for (;;) {
        long number = below(state, NUMBER_END);
        if (number == __NR_exit_group || number == __NR_exit || number == __NR_rt_sigreturn) continue;
        if (number == __NR_execve || number == __NR_execveat) continue;
        return number;
    }
}

static int names_process(long number) {
    switch (number) {
    case __NR_kill:
    case __NR_tkill:
    case __NR_tgkill:
    case __NR_rt_sigqueueinfo:
    case __NR_rt_tgsigqueueinfo:
    case __NR_prlimit64:
    case __NR_process_vm_writev:
    case __NR_sched_setaffinity:
    case __NR_setpgid:
    case __NR_setpriority:
    case __NR_pidfd_open:
        return 1;
    default:
        return 0;
    }
}

/** Memory, files and children in moderation: this is about odd arguments, not about much of something. */
static void tame(long number, long *a, uint32_t *state) {
    if (names_process(number)) a[0] = sys_getpid();
    if (number == __NR_setpriority) a[1] = sys_getpid();
    if (number == __NR_tgkill || number == __NR_rt_tgsigqueueinfo) a[1] = sys_gettid();
    if (number == __NR_mmap && a[1] > 1 << 20) a[1] = below(state, 1 << 20);
    if (number == __NR_mremap && a[2] > 1 << 20) a[2] = below(state, 1 << 20);
    if (number == __NR_fallocate || number == __NR_ftruncate) a[2] &= 0xfffff, a[3] &= 0xfffff, a[1] &= 0xfffff;
    if (number == __NR_munmap && below(state, 4) != 0) a[1] = PAGE_BYTES;
    // Descriptors 0 to 2 are not read from, written to or closed: that is the console.
    if ((number == __NR_write || number == __NR_writev || number == __NR_sendfile) && a[0] < 3) a[0] = 3;
    if (number == __NR_clone) a[0] = (a[0] & 0xff) | CLONE_SURE, a[1] = 0;
    if (number == __NR_clone3) a[1] = below(state, 64); // too short to be anything
}

static void storm(void *argument_) {
    uint32_t index = (uint32_t)(long)argument_;
    uint32_t state = seed * 2654435761u + worker * 40503u + index * 97u + 1;
    for (int i = 0; i < SHARE; i++) {
        long a[6];
        long number = number_of(&state);
        for (int n = 0; n < 6; n++) a[n] = argument(&state);
        tame(number, a, &state);
        fetch_add(&counters[0], 1);
        fetch_add(&counters[1 + index], 1);
        long pid = syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (number == __NR_clone && pid == 0) sys_exit_group(0);
    }
}

static void work(void) {
    CALL(setpgid, 0, 0, 0, 0, 0);
    struct rlimit limit = {256ul << 20, 256ul << 20};
    CALL(prlimit64, 0, RLIMIT_AS, &limit, 0, 0);
    for (int i = 0; i < 8; i++) {
        uint32_t state = seed + worker + (uint32_t)i;
        // Files outlive the process: emptied now and then, or a million calls fill all of tmpfs and with it memory.
        long flags = O_RDWR | O_CREAT | (i % 2 == 0 ? O_NONBLOCK : O_TRUNC);
        CALL(openat, AT_FDCWD, paths[below(&state, PATH_COUNT)], flags, 0600, 0);
    }
    CALL(pipe2, arena, O_NONBLOCK, 0, 0, 0);
    CALL(pipe2, arena, 0, 0, 0, 0);
    CALL(eventfd2, 3, 0, 0, 0, 0);
    CALL(epoll_create1, 0, 0, 0, 0, 0);
    CALL(userfaultfd, O_NONBLOCK, 0, 0, 0, 0);
    struct thread *all[THREADS_MAX];
    for (uint32_t i = 1; i < threads; i++) all[i] = thread_start(storm, (void *)(long)i);
    storm(0);
    for (uint32_t i = 1; i < threads; i++) thread_join(all[i]);
    sys_exit_group(0);
}

/** Waits for the end of the process, and brings it about if nothing happens any more. */
static void watch(int pid) {
    uint32_t seen = counters[0];
    int still = 0;
    for (;;) {
        long ended = sys_wait4(pid, NULL, WNOHANG);
        if (ended == pid) return;
        struct timespec pause = {0, 2000000};
        CALL(nanosleep, &pause, NULL, 0, 0, 0);
        still = counters[0] == seen ? still + 2 : 0;
        seen = counters[0];
        if (still < STILL_MS) continue;
        sys_kill(pid, SIGKILL);
        CHECK(sys_wait4(pid, NULL, 0) == pid);
        return;
    }
}

int main(int argc, char **argv) {
    uint32_t calls = (uint32_t)argument_number(argc, argv, 1, 20000, 1, 100000000);
    seed = (uint32_t)argument_number(argc, argv, 2, 1, 0, 4294967295ul);
    threads = (uint32_t)argument_number(argc, argv, 3, 4, 1, THREADS_MAX);
    arena = map_pages(ARENA_PAGES, PROT_READ | PROT_WRITE);
    // Below the arena: a range that begins there and is too long, such as one that mprotect opens until it meets what
    // may not be written, must not come to the counters.
    long page = sys_mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(page > 0 && (char *)page < arena);
    counters = (volatile uint32_t *)page;
    for (worker = 0; counters[0] < calls; worker++) {
        long pid = sys_fork();
        if (pid == 0) work();
        CHECK(pid > 0);
        watch((int)pid);
        // What its threads have started elsewhere ends too.
        sys_kill(-(int)pid, SIGKILL);
        while (sys_wait4(-1, NULL, WNOHANG) > 0) continue;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < threads; i++) sum += counters[1 + i];
    CHECK(counters[0] - sum <= worker * threads);
    print("fuzz-calls: survived %u calls and more, seed %u\n", calls, seed);
    return 0;
}
