// The two mappings that grow: the heap by brk(2), the stack by faults below it.
//
//   brk-stack [STACK_KIB [linux]]
//
// `linux` checks too what qemu-riscv64 7.2 does otherwise: it keeps the pages that a shrinking brk gave up mapped.
// System calls: brk, clock_gettime, write, exit_group.

#include "lib/arguments.h"
#include "lib/memory.h"

#define HEAP_BYTES (1024 * 1024ul)
#define FRAME_BYTES 1024
#define STACK_KIB_MAX 7168      // RLIMIT_STACK is 8 MiB by default

static void expect_bytes(const char *from, const char *to, char value) {
    for (; from < to; from++) CHECK(*from == value);
}

static void heap(int as_linux) {
    char *start = (char *)sys_brk(0);
    char *end = start + HEAP_BYTES;
    char *middle = start + HEAP_BYTES / 2;
    CHECK((char *)sys_brk((uintptr_t)end) == end);
    expect_bytes(start, end, 0);
    memset(start, 'x', HEAP_BYTES);
    CHECK((char *)sys_brk((uintptr_t)middle) == middle);
    if (as_linux) CHECK(sys_clock_gettime(CLOCK_MONOTONIC, (struct timespec *)(end - PAGE_BYTES)) == -EFAULT);
    expect_bytes(start, middle, 'x');
    CHECK((char *)sys_brk((uintptr_t)end) == end);
    expect_bytes(middle + PAGE_BYTES, end, 0);              // shrinking gave the frames back
    print("heap: grown, shrunk and grown again\n");

    CHECK((char *)sys_brk(0) == end);                       // a refused brk answers with the current one
    CHECK((char *)sys_brk(1) == end);
    CHECK((char *)sys_brk(-PAGE_BYTES) == end);
    CHECK((char *)sys_brk((uintptr_t)start) == start);
    print("heap: impossible requests change nothing\n");
}

/** One frame per call: marks it, goes deeper, and finds the mark again on the way back. */
static unsigned long __attribute__((noinline)) descend(unsigned long depth) {
    volatile unsigned long frame[FRAME_BYTES / sizeof(unsigned long)];
    frame[0] = depth;
    frame[FRAME_BYTES / sizeof(unsigned long) - 1] = ~depth;
    unsigned long below = depth > 1 ? descend(depth - 1) : 0;
    CHECK(frame[0] == depth && frame[FRAME_BYTES / sizeof(unsigned long) - 1] == ~depth);
    return below + 1;
}

/** The first access below the stack's pages comes from the kernel. */
static void __attribute__((noinline)) kernel_grows_stack(void) {
    char buffer[64 * 1024];
    __asm__ volatile("" : : "r"(buffer) : "memory");
    CHECK(sys_clock_gettime(CLOCK_MONOTONIC, (struct timespec *)buffer) == 0);
}

int main(int argc, char **argv) {
    unsigned long kib = argument_number(argc, argv, 1, 4096, 1, STACK_KIB_MAX);
    heap(strcmp(argument_word(argc, argv, 2, ""), "linux") == 0);
    kernel_grows_stack();
    print("stack: grown by the kernel\n");
    print("stack: %lu frames of %d bytes\n", descend(kib), FRAME_BYTES);
    return 0;
}
