// Atomic instructions and a mutex under contention: T threads, R rounds each, and every total must be exact.
//
//   threads [THREADS [ROUNDS]]
//
// System calls: mmap, munmap, clone, futex, exit, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define THREADS_MAX 64      // amoor gives each thread a bit of a word

#define AMO(name, instruction)                                                                              \
    static inline uint64_t name(volatile uint64_t *word, uint64_t operand) {                                \
        uint64_t old;                                                                                       \
        __asm__ volatile(instruction " %0, %2, %1" : "=r"(old), "+A"(*word) : "r"(operand) : "memory");     \
        return old;                                                                                         \
    }

AMO(amoadd_d, "amoadd.d.aqrl")
AMO(amoswap_d, "amoswap.d")
AMO(amoxor_d, "amoxor.d")
AMO(amoor_d, "amoor.d")
AMO(amoand_d, "amoand.d")
AMO(amomax_d, "amomax.d")
AMO(amomin_d, "amomin.d")
AMO(amomaxu_d, "amomaxu.d")
AMO(amominu_d, "amominu.d")

static inline void amoadd_w(volatile uint32_t *word, uint32_t operand) {
    __asm__ volatile("amoadd.w zero, %1, %0" : "+A"(*word) : "r"(operand) : "memory");
}

/** The constrained loop of the manual's section on LR/SC progress: it must succeed in the end. */
static inline void lrsc_add_w(volatile uint32_t *word, uint32_t operand) {
    uint32_t value, failed;
    __asm__ volatile("1: lr.w.aq %0, %2\n"
                     "   addw    %0, %0, %3\n"
                     "   sc.w.rl %1, %0, %2\n"
                     "   bnez    %1, 1b"
                     : "=&r"(value), "=&r"(failed), "+A"(*word) : "r"(operand) : "memory");
}

static inline void lrsc_add_d(volatile uint64_t *word, uint64_t operand) {
    uint64_t value, failed;
    __asm__ volatile("1: lr.d.aq %0, %2\n"
                     "   add     %0, %0, %3\n"
                     "   sc.d.rl %1, %0, %2\n"
                     "   bnez    %1, 1b"
                     : "=&r"(value), "=&r"(failed), "+A"(*word) : "r"(operand) : "memory");
}

/** All on one cache line, so that the harts really fight. */
static struct {
    volatile uint32_t amo_w, lrsc_w;
    volatile uint64_t amo_d, lrsc_d, swap, xor, or, and, max, min, maxu, minu;
} words = {.and = ~0ul, .min = 0, .minu = ~0ul};

static struct mutex mutex;
static uint64_t under_mutex, swapped_out;      // under `mutex`
static unsigned long rounds;
static struct barrier start;

static void worker(void *argument) {
    uint64_t index = (uint64_t)argument;
    uint64_t received = 0;
    barrier_wait(&start);
    for (uint64_t round = 1; round <= rounds; round++) {
        amoadd_w(&words.amo_w, 1);
        amoadd_d(&words.amo_d, 1ul << 32);
        lrsc_add_w(&words.lrsc_w, 1);
        lrsc_add_d(&words.lrsc_d, 1ul << 32);
        received += amoswap_d(&words.swap, round);
        amoxor_d(&words.xor, round << index % 8);
        amoor_d(&words.or, 1ul << index);
        amoand_d(&words.and, ~(1ul << index));
        amomax_d(&words.max, index * rounds + round);
        amomin_d(&words.min, -(index * rounds + round));
        amomaxu_d(&words.maxu, -(index * rounds + round));
        amominu_d(&words.minu, index * rounds + round);
        mutex_lock(&mutex);
        under_mutex++;
        mutex_unlock(&mutex);
    }
    mutex_lock(&mutex);
    swapped_out += received;
    mutex_unlock(&mutex);
}

static int wrong;

static void expect(const char *name, uint64_t value, uint64_t expected) {
    print("%-8s %lx%s\n", name, value, value == expected ? "" : " WRONG");
    if (value != expected) wrong = 1;
}

/** What the xor word must hold: every thread folds every round in exactly once. */
static uint64_t expected_xor(unsigned long threads) {
    uint64_t result = 0;
    for (uint64_t index = 0; index < threads; index++) {
        for (uint64_t round = 1; round <= rounds; round++) result ^= round << index % 8;
    }
    return result;
}

int main(int argc, char **argv) {
    unsigned long threads = argument_number(argc, argv, 1, 4, 1, THREADS_MAX);
    rounds = argument_number(argc, argv, 2, 1000, 1, 1 << 24);
    struct thread *workers[THREADS_MAX];
    start.parties = (uint32_t)threads;
    for (unsigned long i = 0; i < threads; i++) workers[i] = thread_start(worker, (void *)i);
    for (unsigned long i = 0; i < threads; i++) thread_join(workers[i]);

    uint64_t total = threads * rounds;
    uint64_t bits = threads == 64 ? ~0ul : (1ul << threads) - 1;
    print("threads: %lu threads, %lu rounds\n", threads, rounds);
    expect("amoadd.w", words.amo_w, total);
    expect("amoadd.d", words.amo_d, total << 32);
    expect("lr/sc.w", words.lrsc_w, total);
    expect("lr/sc.d", words.lrsc_d, total << 32);
    expect("amoswap", swapped_out + words.swap, threads * (rounds * (rounds + 1) / 2));
    expect("amoxor", words.xor, expected_xor(threads));
    expect("amoor", words.or, bits);
    expect("amoand", words.and, ~bits);
    expect("amomax", words.max, total);
    expect("amomin", words.min, -total);
    expect("amomaxu", words.maxu, -1ul);
    expect("amominu", words.minu, 1);
    expect("mutex", under_mutex, total);
    return wrong;
}
