// membarrier(2): who has registered for what, and that its restartable-sequences kind puts other threads out of theirs.
// System calls: membarrier, rseq, sched_yield, clone, futex.

#include <linux/membarrier.h>
#include <linux/rseq.h>

#include "lib/memory.h"
#include "lib/print.h"
#include "lib/thread.h"

#define RSEQ_SIGNATURE 0xf1401073u
#define CMD(command) membarrier(MEMBARRIER_CMD_##command, 0, 0)
#define GET_REGISTRATIONS (1 << 9) // not in older headers

static volatile uint32_t inside, left;

static long membarrier(int command, int flags, int hart) {
    return syscall6(__NR_membarrier, command, flags, hart, 0, 0, 0);
}

/** Spins in a restartable sequence that only an abort ends. */
static void spin(void *unused) {
    (void)unused;
    static struct rseq rseq __attribute__((aligned(32)));
    rseq.cpu_id = (uint32_t)-1;
    CHECK(syscall6(__NR_rseq, (long)&rseq, sizeof rseq, 0, RSEQ_SIGNATURE, 0, 0) == 0);
    __asm__ volatile(
        ".pushsection .data.rseq, \"aw\"\n"
        ".balign 32\n"
        "3: .word 0, 0\n"
        "   .dword 1f, 2f - 1f, 4f\n"
        ".popsection\n"
        "   la t0, 3b\n"
        "   sd t0, 8(%[rseq])\n"
        "   li t0, 1\n"
        "   sw t0, 0(%[inside])\n"
        "1: j 1b\n"
        "2: nop\n"
        "   .word 0xf1401073\n"
        "4:\n"
        :
        : [rseq] "r"(&rseq), [inside] "r"(&inside)
        : "t0", "memory");
    left = 1;
    CHECK(syscall6(__NR_rseq, (long)&rseq, sizeof rseq, RSEQ_FLAG_UNREGISTER, RSEQ_SIGNATURE, 0, 0) == 0);
}

int main(void) {
    print("query: %lx\n", CMD(QUERY));
    print("not registered: %ld %ld %ld", CMD(PRIVATE_EXPEDITED), CMD(PRIVATE_EXPEDITED_SYNC_CORE),
          CMD(PRIVATE_EXPEDITED_RSEQ));
    print(", global %ld %ld\n", CMD(GLOBAL), CMD(GLOBAL_EXPEDITED));
    print("flags: %ld, unknown %ld", membarrier(MEMBARRIER_CMD_GLOBAL, 1, 0), membarrier(1 << 20, 0, 0));
    print(", of one hart %ld\n", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, MEMBARRIER_CMD_FLAG_CPU, 0));
    print("registrations: %lx", membarrier(GET_REGISTRATIONS, 0, 0));
    print(", register %ld", CMD(REGISTER_PRIVATE_EXPEDITED_SYNC_CORE));
    print(", then %lx", membarrier(GET_REGISTRATIONS, 0, 0));
    print(": %ld, but %ld\n", CMD(PRIVATE_EXPEDITED_SYNC_CORE), CMD(PRIVATE_EXPEDITED));
    print("register: %ld %ld %ld", CMD(REGISTER_PRIVATE_EXPEDITED), CMD(REGISTER_PRIVATE_EXPEDITED_RSEQ),
          CMD(REGISTER_GLOBAL_EXPEDITED));
    print(", then %lx\n", membarrier(GET_REGISTRATIONS, 0, 0));
    print("registered: %ld %ld, a hart that is not there %ld\n", CMD(PRIVATE_EXPEDITED), CMD(PRIVATE_EXPEDITED_RSEQ),
          membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_FLAG_CPU, 4000));
    struct thread *thread = thread_start(spin, NULL);
    while (inside == 0) sys_sched_yield();
    while (left == 0) {
        CHECK(CMD(PRIVATE_EXPEDITED_RSEQ) == 0);
        sys_sched_yield();
    }
    thread_join(thread);
    print("a sequence without an end was left: %u\n", left);
    return 0;
}
