// The life of a mapping in one file: map, touch, protect, fault, unmap, exit. Each step is checked, and prints a line.
// Faults that would kill the process are taken inside the kernel instead, where they become EFAULT.
//
//   mmap-fault-exit [linux]
//
// `linux` checks too what qemu-riscv64 7.2 does otherwise: it takes the address of MAP_FIXED_NOREPLACE for a hint,
// and answers with another one where Linux says EEXIST.
// System calls: mmap, mprotect, munmap, madvise, clock_gettime, write, exit_group.

#include "lib/arguments.h"
#include "lib/memory.h"

#define PAGES 4ul

static char *page(char *base, unsigned long index) {
    return base + index * PAGE_BYTES;
}

/** Whether the kernel can read the byte for us: write(2) copies it out of the page. */
static long kernel_reads(char *address) {
    return sys_write(1, address, 1);
}

/** Whether the kernel can write there for us: clock_gettime(2) stores a timespec. */
static long kernel_writes(char *address) {
    return sys_clock_gettime(CLOCK_MONOTONIC, (struct timespec *)address);
}

static void touch(char *base) {
    for (unsigned long i = 0; i < PAGES; i++) {
        volatile unsigned long *word = (unsigned long *)page(base, i);
        CHECK(*word == 0);                  // read fault: a page of zeroes
        *word = 0x1000 + i;                 // write fault: a frame of its own
        CHECK(*word == 0x1000 + i);
    }
}

static void protect(char *base) {
    CHECK(sys_mprotect(page(base, 1), PAGE_BYTES, PROT_READ) == 0);
    CHECK(sys_mprotect(page(base, 2), PAGE_BYTES, PROT_NONE) == 0);
    CHECK(*(volatile unsigned long *)page(base, 1) == 0x1001);
}

static void fault(char *base) {
    CHECK(kernel_writes(page(base, 0)) == 0);
    CHECK(kernel_writes(page(base, 1)) == -EFAULT);
    CHECK(kernel_writes(page(base, 2)) == -EFAULT);
    CHECK(kernel_reads(page(base, 2)) == -EFAULT);
    CHECK(kernel_reads(NULL) == -EFAULT);
    CHECK(kernel_reads((char *)0xffffffc000000000ul) == -EFAULT);
    CHECK(sys_mprotect(page(base, 2), PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
    CHECK(*(volatile unsigned long *)page(base, 2) == 0x1002);      // the frame survived PROT_NONE
}

static void unmap(char *base, int as_linux) {
    CHECK(sys_munmap(page(base, 2), PAGE_BYTES) == 0);
    CHECK(kernel_reads(page(base, 2)) == -EFAULT);
    CHECK(*(volatile unsigned long *)page(base, 3) == 0x1003);      // the neighbours stay
    CHECK(sys_munmap(page(base, 2), PAGE_BYTES) == 0);              // nothing there is no error
    CHECK(sys_munmap(base + 1, PAGE_BYTES) == -EINVAL);
    CHECK(sys_mprotect(base, PAGES * PAGE_BYTES, PROT_READ) == -ENOMEM);

    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    if (as_linux) CHECK(sys_mmap(base, PAGES * PAGE_BYTES, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0) == -EEXIST);
    CHECK(sys_mmap(page(base, 2), PAGE_BYTES, PROT_READ, flags | MAP_FIXED, -1, 0) == (long)page(base, 2));
    CHECK(*(volatile unsigned long *)page(base, 2) == 0);           // a new mapping shows nothing old
}

int main(int argc, char **argv) {
    int as_linux = strcmp(argument_word(argc, argv, 1, ""), "linux") == 0;
    char *base = map_pages(PAGES, PROT_READ | PROT_WRITE);
    print("map: %lu pages\n", PAGES);
    touch(base);
    print("touch: each read zero, then held what was written\n");
    protect(base);
    print("protect: one read-only, one without access\n");
    fault(base);
    print("fault: EFAULT for what the protection forbids\n");
    unmap(base, as_linux);
    print("unmap: a hole, then a fresh page in it\n");
    unmap_pages(base, PAGES);
    CHECK(kernel_reads(base) == -EFAULT);
    print("exit: nothing left\n");
    return 0;
}
