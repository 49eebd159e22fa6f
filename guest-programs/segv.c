// Each way a program can die of its own access. `segv KIND` prints the kind and does it; no signal handler is
// installed, so the default action kills. `segv` alone lists the kinds with the signal that Linux sends.
// Surviving is the failure: exit status 3.
//
// A misaligned AMO or LR raises an address-misaligned exception, which Linux turns into SIGBUS (BUS_ADRALN): its
// emulation of misaligned accesses covers plain loads and stores only. qemu-riscv64 sends SIGBUS too.
// System calls: write, mmap, mprotect, munmap, exit_group.

#include "lib/arguments.h"
#include "lib/memory.h"

static volatile unsigned long sink;
static unsigned long some_data[4] = {0x00008067};       // the instruction `ret`, for whoever can execute it

static void load_from(uintptr_t address) {
    sink = *(volatile uint8_t *)address;
}

static void store_to(uintptr_t address) {
    *(volatile uint8_t *)address = 1;
}

static void jump_to(uintptr_t address) {
    __asm__ volatile("jalr %0" : : "r"(address) : "ra", "memory");
}

static uintptr_t page_with(int prot) {
    return (uintptr_t)map_pages(1, prot);
}

static uintptr_t unmapped_page(void) {
    uintptr_t page = page_with(PROT_READ | PROT_WRITE);
    store_to(page);
    unmap_pages((void *)page, 1);
    return page;
}

static void read_null(void) { load_from(0); }
static void write_null(void) { store_to(0); }
static void jump_null(void) { jump_to(0); }
static void read_unmapped(void) { load_from(unmapped_page()); }
static void write_unmapped(void) { store_to(unmapped_page()); }
static void read_prot_none(void) { load_from(page_with(PROT_NONE)); }
static void write_readonly(void) { store_to(page_with(PROT_READ)); }
static void write_text(void) { store_to((uintptr_t)&read_null); }
static void exec_nx(void) { jump_to((uintptr_t)some_data); }

static void write_after_protect(void) {
    uintptr_t page = page_with(PROT_READ | PROT_WRITE);
    store_to(page);
    CHECK(sys_mprotect((void *)page, PAGE_BYTES, PROT_READ) == 0);
    store_to(page);
}

/** Equal to a mapped address in all the bits that Sv39 translates, different above: no TLB entry may match. */
static void non_canonical(void) {
    load_from((uintptr_t)some_data);
    load_from((uintptr_t)some_data | 1ul << 62);
}

static void kernel_half(void) { load_from(0xffffffc000000000ul); }

/** Ends only for a zero, which nobody passes. */
static int __attribute__((noinline)) recurse(volatile char *caller) {
    volatile char frame[1024];
    frame[0] = caller[0];
    return frame[0] == 0 ? 0 : recurse(frame) + frame[0];
}

static void stack_overflow(void) {
    char bottom = 1;
    sink = (unsigned long)recurse(&bottom);
}

static void amo_misaligned(void) {
    __asm__ volatile("amoadd.w zero, zero, (%0)" : : "r"((char *)some_data + 2) : "memory");
}

static void lr_misaligned(void) {
    __asm__ volatile("lr.w zero, (%0)" : : "r"((char *)some_data + 2) : "memory");
}

static void illegal(void) { __asm__ volatile(".half 0"); }
static void breakpoint(void) { __asm__ volatile("ebreak"); }

static const struct kind {
    const char *name;
    const char *signal;
    void (*act)(void);
} kinds[] = {
    {"read-null", "SIGSEGV", read_null},
    {"write-null", "SIGSEGV", write_null},
    {"jump-null", "SIGSEGV", jump_null},
    {"read-unmapped", "SIGSEGV", read_unmapped},
    {"write-unmapped", "SIGSEGV", write_unmapped},
    {"read-prot-none", "SIGSEGV", read_prot_none},
    {"write-readonly", "SIGSEGV", write_readonly},
    {"write-after-protect", "SIGSEGV", write_after_protect},
    {"write-text", "SIGSEGV", write_text},
    {"exec-nx", "SIGSEGV", exec_nx},
    {"non-canonical", "SIGSEGV", non_canonical},
    {"kernel-half", "SIGSEGV", kernel_half},
    {"stack-overflow", "SIGSEGV", stack_overflow},
    {"amo-misaligned", "SIGBUS", amo_misaligned},
    {"lr-misaligned", "SIGBUS", lr_misaligned},
    {"illegal", "SIGILL", illegal},
    {"breakpoint", "SIGTRAP", breakpoint},
};

int main(int argc, char **argv) {
    const char *wanted = argument_word(argc, argv, 1, NULL);
    for (const struct kind *kind = kinds; kind < kinds + sizeof kinds / sizeof kinds[0]; kind++) {
        if (wanted == NULL) {
            print("%-20s %s\n", kind->name, kind->signal);
        } else if (strcmp(wanted, kind->name) == 0) {
            print("segv: %s\n", kind->name);
            kind->act();
            print("segv: survived\n");
            return 3;
        }
    }
    if (wanted != NULL) fail("no such kind: %s", wanted);
    return 0;
}
