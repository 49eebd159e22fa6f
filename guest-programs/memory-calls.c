// Calls about memory that nothing else here makes: what is resident, what is locked, what is written back, what may
// not be changed any more. Results are printed as the kernel gave them.
//   memory-calls [linux]     linux: also what qemu-user 7.2 does not have, or does not hand on
// System calls: mincore, mlock and its kin, msync; mseal, remap_file_pages, process_mrelease, splice; write.

#include <linux/fcntl.h>

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#ifndef __NR_mseal
#define __NR_mseal 462
#endif

#define CALL(name, a, b, c, d, e) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SHOW(name, a, b, c) print("%s %s, %s, %s: %ld\n", #name, #a, #b, #c, CALL(name, a, b, c, 0, 0))
#define PAGES 8ul
#define BYTES (PAGES * PAGE_BYTES)

static unsigned char resident[PAGES];

static void show_resident(char *pages) {
    CHECK(CALL(mincore, pages, BYTES, resident, 0, 0) == 0);
    print("resident:");
    for (unsigned long page = 0; page < PAGES; page++) print(" %d", resident[page] & 1);
    print("\n");
}

static void residence(void) {
    char *pages = map_pages(PAGES, PROT_READ | PROT_WRITE);
    show_resident(pages);
    pages[PAGE_BYTES] = pages[5 * PAGE_BYTES] = 1;
    show_resident(pages);
    SHOW(mincore, pages + 1, PAGE_BYTES, resident);
    SHOW(mincore, pages, BYTES, 8);
    CHECK(sys_munmap(pages + PAGE_BYTES, PAGE_BYTES) == 0);
    SHOW(mincore, pages, BYTES, resident);
    unmap_pages(pages, PAGES);
}

static void locking(void) {
    char *pages = map_pages(PAGES, PROT_READ | PROT_WRITE);
    SHOW(mlock, pages + 5, PAGE_BYTES, 0);
    show_resident(pages);
    SHOW(munlock, pages, BYTES, 0);
    SHOW(mlock, 4096, 4096, 0);
    SHOW(munlock, 4096, 4096, 0);
    SHOW(mlockall, 0, 0, 0);
    SHOW(mlockall, 8, 0, 0);
    SHOW(munlockall, 0, 0, 0);
    unmap_pages(pages, PAGES);
}

static void writing_back(void) {
    long file = CALL(memfd_create, "memory-calls", 0, 0, 0, 0);
    CHECK(file > 0 && CALL(ftruncate, file, BYTES, 0, 0, 0) == 0);
    char *pages = (char *)sys_mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    pages[0] = 1;
    SHOW(msync, pages, BYTES, 4);
    SHOW(msync, pages, BYTES, 1);
    SHOW(msync, pages, BYTES, 5);
    SHOW(msync, pages, BYTES, 8);
    SHOW(msync, pages + 1, BYTES, 4);
    SHOW(msync, 4096, 4096, 4);
    CHECK(sys_munmap(pages, BYTES) == 0 && CALL(close, file, 0, 0, 0, 0) == 0);
}

/** In this order: an area that is sealed stays for good. */
static void on_linux(void) {
    int pipe[2];
    char *pages = map_pages(PAGES, PROT_READ | PROT_WRITE);
    CHECK(CALL(mlock2, pages, BYTES, 2, 0, 0) == -EINVAL && CALL(mlock2, pages, BYTES, 1, 0, 0) == 0);
    CHECK(CALL(mincore, pages, BYTES, resident, 0, 0) == 0 && resident[0] == 0); // MLOCK_ONFAULT
    CHECK(CALL(mlockall, 4, 0, 0, 0, 0) == -EINVAL && CALL(mlockall, 2, 0, 0, 0, 0) == 0);
    char *more = map_pages(1, PROT_READ | PROT_WRITE);
    CHECK(CALL(mincore, more, PAGE_BYTES, resident, 0, 0) == 0 && resident[0] == 1); // MCL_FUTURE
    CHECK(CALL(munlockall, 0, 0, 0, 0, 0) == 0);
    CHECK(CALL(remap_file_pages, pages, PAGE_BYTES, 0, 0, 0) == -EINVAL);
    CHECK(CALL(process_mrelease, 99, 0, 0, 0, 0) == -EBADF && CALL(process_mrelease, 0, 1, 0, 0, 0) == -EINVAL);
    CHECK(CALL(mseal, pages, BYTES, 1, 0, 0) == -EINVAL && CALL(mseal, pages, BYTES, 0, 0, 0) == 0);
    CHECK(sys_munmap(pages, BYTES) == -EPERM && CALL(mprotect, pages, BYTES, PROT_READ, 0, 0) == -EPERM);
    // The kernel has no splice, and says so as it would for files that can not be spliced.
    CHECK(CALL(pipe2, pipe, 0, 0, 0, 0) == 0);
    CHECK(syscall6(__NR_splice, pipe[0], 0, pipe[1], 0, 1, 0) == -EINVAL);
    CHECK(CALL(tee, pipe[0], pipe[1], 1, 0, 0) == -EINVAL && CALL(vmsplice, pipe[1], 0, 0, 0, 0) <= 0);
}

int main(int argc, char **argv) {
    residence();
    locking();
    writing_back();
    if (strcmp(argument_word(argc, argv, 1, ""), "linux") == 0) on_linux();
    return 0;
}
