// Restartable sequences: counters that each hart has of its own, without atomics, lose nothing; a signal handler aborts
// the sequence that it interrupts.
// System calls: rseq, getcpu, sched_setaffinity, sched_yield, setitimer, rt_sigaction, clone.

#include <linux/rseq.h>
#include <linux/time.h>

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/signals.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define SIGNATURE 0xf1401073u
#define CALL(name, a, b, c, d) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define HARTS_MAX 64
#define THREADS 6

struct counter {
    volatile long value;
    char line[120];
};

static struct counter counters[HARTS_MAX];
static unsigned long rounds;
static volatile uint32_t aborts;

static long enroll(struct rseq *rseq, unsigned length, int flags, unsigned signature) {
    return CALL(rseq, rseq, length, flags, signature);
}

/** One more in the counter of the hart that this runs on: 0, or 1 if it was aborted before the store. */
static int add_one(struct rseq *rseq) {
    int aborted;
    __asm__ volatile(
        ".pushsection .data.rseq, \"aw\"\n"
        ".balign 32\n"
        "3: .word 0, 0\n"
        "   .dword 1f, 2f - 1f, 4f\n"
        ".popsection\n"
        "   la t0, 3b\n"
        "   sd t0, 8(%[rseq])\n"
        "1: lwu t1, 4(%[rseq])\n" // cpu_id
        "   slli t1, t1, 7\n"
        "   add t1, t1, %[counters]\n"
        "   ld t2, 0(t1)\n"
        "   addi t2, t2, 1\n"
        "   sd t2, 0(t1)\n" // the commit
        "2: li %[aborted], 0\n"
        "   j 5f\n"
        "   .word 0xf1401073\n"
        "4: li %[aborted], 1\n"
        "5:\n"
        : [aborted] "=&r"(aborted)
        : [rseq] "r"(rseq), [counters] "r"(counters)
        : "t0", "t1", "t2", "memory");
    return aborted;
}

static void count(void *unused) {
    (void)unused;
    struct rseq rseq __attribute__((aligned(32))) = {0};
    rseq.cpu_id = (uint32_t)-1;
    CHECK(enroll(&rseq, sizeof rseq, 0, SIGNATURE) == 0);
    for (unsigned long i = 0; i < rounds; i++) {
        while (add_one(&rseq) != 0) __atomic_add_fetch(&aborts, 1, __ATOMIC_SEQ_CST);
        if (i % 1000 == 0) sys_sched_yield();
    }
    CHECK(enroll(&rseq, sizeof rseq, RSEQ_FLAG_UNREGISTER, SIGNATURE) == 0);
    CHECK((int)rseq.cpu_id == -1);
}

static volatile uint32_t handled, inside;
static struct rseq own __attribute__((aligned(32)));

static void interrupt(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)info, (void)context;
    handled++;
    inside += own.rseq_cs != 0;
}

/** A sequence that only an abort can leave. */
static void wait_for_abort(void) {
    __asm__ volatile(
        ".pushsection .data.rseq, \"aw\"\n"
        ".balign 32\n"
        "3: .word 0, 0\n"
        "   .dword 1f, 2f - 1f, 4f\n"
        ".popsection\n"
        "   la t0, 3b\n"
        "   sd t0, 8(%[rseq])\n"
        "1: j 1b\n"
        "2: nop\n"
        "   .word 0xf1401073\n"
        "4:\n"
        :
        : [rseq] "r"(&own)
        : "t0", "memory");
}

int main(int argc, char **argv) {
    rounds = argument_number(argc, argv, 1, 200000, 1, 100000000);
    print("too short: %ld, unaligned %ld, flags %ld, not registered %ld\n", enroll(&own, 20, 0, SIGNATURE),
          enroll((struct rseq *)((char *)&own + 8), 32, 0, SIGNATURE), enroll(&own, 32, 2, SIGNATURE),
          enroll(&own, 32, RSEQ_FLAG_UNREGISTER, SIGNATURE));
    CHECK(enroll(&own, sizeof own, 0, SIGNATURE) == 0);
    print("again: %ld, another signature %ld, another place %ld\n", enroll(&own, sizeof own, 0, SIGNATURE),
          enroll(&own, sizeof own, 0, 1), enroll(&own + 1, sizeof own, 0, SIGNATURE));
    unsigned long old = 0;
    long bytes = CALL(sched_getaffinity, 0, sizeof old, &old, 0);
    CHECK(bytes > 0);
    int right = 1;
    for (int hart = 0; hart < 64; hart++) {
        unsigned long mask = 1ul << hart;
        if ((old & mask) == 0) continue;
        CHECK(CALL(sched_setaffinity, 0, sizeof mask, &mask, 0) == 0);
        unsigned cpu = 99;
        CHECK(CALL(getcpu, &cpu, NULL, NULL, 0) == 0);
        right &= own.cpu_id == (unsigned)hart && own.cpu_id_start == (unsigned)hart && cpu == (unsigned)hart;
    }
    CHECK(CALL(sched_setaffinity, 0, sizeof old, &old, 0) == 0);
    print("it says where it runs: %d\n", right);

    CHECK(handle(SIGALRM, interrupt, 0, 0) == 0);
    struct __kernel_old_itimerval timer = {{0, 0}, {0, 2000}};
    CHECK(CALL(setitimer, 0, &timer, NULL, 0) == 0);
    wait_for_abort();
    // A switch to another task may have come first.
    while (handled == 0) sys_sched_yield();
    print("left by an abort; handler ran %u, inside the sequence %u\n", handled, inside);

    struct thread *all[THREADS];
    for (int i = 0; i < THREADS; i++) all[i] = thread_start(count, NULL);
    for (int i = 0; i < THREADS; i++) thread_join(all[i]);
    long sum = 0;
    for (int hart = 0; hart < HARTS_MAX; hart++) sum += counters[hart].value;
    print("%d threads have counted: all of it %d\n", THREADS, sum == (long)rounds * THREADS);
    return 0;
}
