// Signals that instructions cause: what siginfo says of them, and that a handler which mends the cause lets the program
// go on.
//
//   signal-fault [linux | blocked]
//
// `linux` checks too what qemu-riscv64 7.2 does otherwise: si_addr of a misaligned AMO is the instruction. `blocked`
// faults while the signal is blocked, which kills.
// System calls: rt_sigaction, rt_sigprocmask, rt_sigreturn, mmap, mprotect, munmap, write, exit_group.

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/signals.h"

#define PAGES 64ul

static volatile int code;
static volatile unsigned long address;
static volatile unsigned long pc;
static volatile unsigned faults;

static void note(int signal, siginfo_t *info, struct ucontext *context) {
    CHECK(info->si_signo == signal);
    code = info->si_code;
    address = (unsigned long)info->si_addr;
    pc = context->uc_mcontext.sc_regs.pc;
    faults++;
}

/** Maps what was missing; the store is made again. */
static void map(int signal, siginfo_t *info, struct ucontext *context) {
    note(signal, info, context);
    char *page = (char *)(address & -PAGE_BYTES);
    long got = sys_mmap(page, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(got == (long)page);
}

static void allow(int signal, siginfo_t *info, struct ucontext *context) {
    note(signal, info, context);
    CHECK(sys_mprotect((char *)(address & -PAGE_BYTES), PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
}

/** Goes on behind the instruction, which has 4 bytes. */
static void skip(int signal, siginfo_t *info, struct ucontext *context) {
    note(signal, info, context);
    context->uc_mcontext.sc_regs.pc += 4;
}

static void demand_paging(void) {
    char *base = map_pages(PAGES, PROT_READ);
    unmap_pages(base, PAGES);
    CHECK(handle(SIGSEGV, map, 0, 0) == 0);
    for (unsigned long i = 0; i < PAGES; i++) {
        volatile unsigned long *word = (unsigned long *)(base + i * PAGE_BYTES + 8 * i);
        *word = i + 1;
        CHECK(code == SEGV_MAPERR && address == (unsigned long)word);
        CHECK(*word == i + 1);
    }
    CHECK(faults == PAGES);
    print("SEGV_MAPERR: %u pages mapped by the handler\n", faults);
    faults = 0;
    CHECK(sys_mprotect(base, PAGES * PAGE_BYTES, PROT_READ) == 0);
    CHECK(handle(SIGSEGV, allow, 0, 0) == 0);
    for (unsigned long i = 0; i < PAGES; i++) {
        volatile unsigned char *byte = (unsigned char *)(base + i * PAGE_BYTES + i);
        *byte = 1;
        CHECK(code == SEGV_ACCERR && address == (unsigned long)byte);
    }
    CHECK(faults == PAGES);
    print("SEGV_ACCERR: %u pages made writable by the handler\n", faults);
    unmap_pages(base, PAGES);
}

static void instructions(int as_linux) {
    CHECK(handle(SIGILL, skip, 0, 0) == 0);
    __asm__ volatile(".word 0xffffffff" ::: "memory");
    CHECK(code == ILL_ILLOPC && address == pc);
    CHECK(handle(SIGTRAP, skip, 0, 0) == 0);
    __asm__ volatile(".option push\n.option norvc\nebreak\n.option pop" ::: "memory");
    CHECK(code == TRAP_BRKPT && address == pc);
    CHECK(handle(SIGBUS, skip, 0, 0) == 0);
    unsigned long pair[2] = {0, 0};
    char *odd = (char *)pair + 1;
    __asm__ volatile("amoadd.d zero, zero, (%0)" ::"r"(odd) : "memory");
    CHECK(code == BUS_ADRALN);
    if (as_linux) CHECK(address == pc);
    print("SIGILL, SIGTRAP, SIGBUS: code and address\n");
}

static void never_taken(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)info, (void)context;
    fail("a blocked fault reached its handler");
}

static void blocked(void) {
    char *gone = map_pages(1, PROT_READ);
    unmap_pages(gone, 1);
    CHECK(handle(SIGSEGV, never_taken, 0, 0) == 0);
    sys_rt_sigprocmask(SIG_BLOCK, 1ul << (SIGSEGV - 1), NULL);
    *(volatile char *)gone = 0;
    fail("a blocked fault did not kill");
}

int main(int argc, char **argv) {
    const char *what = argument_word(argc, argv, 1, "");
    if (strcmp(what, "blocked") == 0) blocked();
    demand_paging();
    instructions(strcmp(what, "linux") == 0);
    return 0;
}
