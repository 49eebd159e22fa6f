// Code that changes: by the hart that runs it, by another hart, and by the reuse of its page for other code.
// RISC-V lets a hart run old instructions until a fence.i on that hart; Linux's riscv_flush_icache(2) does it for all.
//
//   code-reuse [ROUNDS]
//
// The generated function is `lui a0; addiw a0; ret`, so that a mix of an old and a new half gives a wrong value.
// Threads hand over by spinning words, not by futex: a trap on the way might hide a stale instruction.
// System calls: mmap, mprotect, munmap, riscv_flush_icache, clone, futex, sched_yield, exit, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/thread.h"

#define SPINS_BETWEEN_YIELDS 4096
#define CALLS_PER_ROUND 3           // so that the code is decoded, or even compiled, before it changes

typedef uint32_t generated(void);

static unsigned long rounds;

static char *map_code(char *at, int prot) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | (at != NULL ? MAP_FIXED_NOREPLACE : 0);
    long page = sys_mmap(at, PAGE_BYTES, prot, flags, -1, 0);
    CHECK(page > 0 && (at == NULL || page == (long)at));
    return (char *)page;
}

/** Writes a function that returns `value`. */
static void emit(char *page, uint32_t value) {
    volatile uint32_t *code = (uint32_t *)page;
    code[0] = ((value + 0x800) & 0xfffff000) | 10 << 7 | 0x37;      // lui   a0, upper 20 bits
    code[1] = value << 20 | 10 << 15 | 10 << 7 | 0x1b;              // addiw a0, a0, lower 12 bits
    code[2] = 0x00008067;                                           // ret
}

static void fence_i(void) {
    __asm__ volatile(".option push\n.option arch, +zifencei\nfence.i\n.option pop" : : : "memory");
}

static void flush_all_harts(char *page) {
    CHECK(sys_riscv_flush_icache(page, page + PAGE_BYTES, 0) == 0);
}

static void run(char *page, uint32_t expected) {
    for (int call = 0; call < CALLS_PER_ROUND; call++) {
        uint32_t value = ((generated *)page)();
        if (value != expected) fail("code returned %x, not %x", value, expected);
    }
}

/** Differs from round to round in both instructions. */
static uint32_t value_of(unsigned long round, uint32_t step) {
    return ((uint32_t)round * 2 + step) * 0x00301803;
}

static void same_hart(void) {
    char *page = map_code(NULL, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (unsigned long round = 1; round <= rounds; round++) {
        emit(page, value_of(round, 0));
        fence_i();
        run(page, value_of(round, 0));
    }
    unmap_pages(page, 1);
    print("code-reuse: %lu rounds of one hart that rewrites its own code\n", rounds);
}

static void write_or_execute(void) {
    char *page = map_code(NULL, PROT_READ | PROT_WRITE);
    for (unsigned long round = 1; round <= rounds; round++) {
        emit(page, value_of(round, 0));
        CHECK(sys_mprotect(page, PAGE_BYTES, PROT_READ | PROT_EXEC) == 0);
        flush_all_harts(page);
        run(page, value_of(round, 0));
        CHECK(sys_mprotect(page, PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
    }
    unmap_pages(page, 1);
    print("code-reuse: %lu rounds of mprotect between writing and executing\n", rounds);
}

/** Whose step it is. Both threads count the same steps, each waits for the numbers that are its own. */
static volatile uint32_t step;
static char *code;                  // owned by the thread whose step it is

static void await(uint32_t wanted) {
    for (uint32_t spins = 1; load_acquire(&step) != wanted; spins++) {
        if (spins % SPINS_BETWEEN_YIELDS == 0) sys_sched_yield();
    }
}

static void pass(uint32_t next) {
    store_release(&step, next);
}

/**
 * One half of a round. `author` writes and runs, `other` runs the same, takes the page away, makes a new one, which
 * is likely to get the frame that was just freed, with other code, and has `author` run that.
 */
static void author_round(unsigned long round, uint32_t first_step) {
    await(first_step);
    code = map_code(NULL, PROT_READ | PROT_WRITE | PROT_EXEC);
    emit(code, value_of(round, 0));
    flush_all_harts(code);
    run(code, value_of(round, 0));
    pass(first_step + 1);
    await(first_step + 2);
    run(code, value_of(round, 1));
    pass(first_step + 3);
}

static void other_round(unsigned long round, uint32_t first_step) {
    await(first_step + 1);
    run(code, value_of(round, 0));
    unmap_pages(code, 1);
    code = map_code(round % 4 < 2 ? code : NULL, PROT_READ | PROT_WRITE | PROT_EXEC);
    emit(code, value_of(round, 1));
    flush_all_harts(code);
    pass(first_step + 2);
    await(first_step + 3);
    run(code, value_of(round, 1));
    unmap_pages(code, 1);
    pass(first_step + 4);
}

/** The threads change roles each round, so frames wander between the free lists of both harts. */
static void player(void *argument) {
    unsigned long side = (unsigned long)argument;
    for (unsigned long round = 0; round < rounds; round++) {
        if (round % 2 == side) author_round(round, (uint32_t)round * 4);
        else other_round(round, (uint32_t)round * 4);
    }
}

static void two_harts(void) {
    struct thread *second = thread_start(player, (void *)1);
    player((void *)0);
    thread_join(second);
    print("code-reuse: %lu rounds of a page freed on one hart and reused on another\n", rounds);
}

int main(int argc, char **argv) {
    rounds = argument_number(argc, argv, 1, 200, 1, 1 << 20);
    same_hart();
    write_or_execute();
    two_harts();
    return 0;
}
