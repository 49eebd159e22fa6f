// userfaultfd without a monitor that waits: write protection of pages that are not there yet, of shared memory and of
// private; pages that are poisoned; pages that are moved. With UFFD_FEATURE_SIGBUS what a monitor would hear of is
// EFAULT to a system call. Then: an munmap that two monitors must hear of waits for both.
// System calls: userfaultfd, ioctl, read, write, pipe2, memfd_create, ftruncate, mmap, munmap, madvise, clone.

#include "lib/process.h"
#include "lib/userfault.h"

#define PAGES 8
#define RW (PROT_READ | PROT_WRITE)
#ifndef UFFDIO_POISON
#define _UFFDIO_POISON 0x08
#define UFFDIO_POISON 0xc020aa08
#endif
#ifndef UFFDIO_MOVE
#define UFFDIO_MOVE 0xc028aa05
#endif
#define FEATURE_WP_SHMEM (1ul << 12)
#define FEATURE_WP_UNPOPULATED (1ul << 13)
#define FEATURE_POISON (1ul << 14)
#define FEATURE_MOVE (1ul << 16)
#define ALLOW_SRC_HOLES 2

struct long_range { // struct uffdio_poison, which older headers do not have
    unsigned long start, bytes, mode;
    long updated;
};

struct long_move { // struct uffdio_move
    unsigned long target, source, bytes, mode;
    long moved;
};

static int ends[2];

/** What a load of the byte gives, or -EFAULT. */
static int load(char *address) {
    unsigned char byte = 0;
    long result = CALL(write, ends[1], address, 1, 0, 0);
    if (result == 1) CHECK(CALL(read, ends[0], &byte, 1, 0, 0) == 1);
    return result == 1 ? byte : (int)result;
}

/** 1, or -EFAULT. */
static int store(char *address, char value) {
    char byte;
    CHECK(CALL(write, ends[1], &value, 1, 0, 0) == 1);
    long result = CALL(read, ends[0], address, 1, 0, 0);
    if (result != 1) CHECK(CALL(read, ends[0], &byte, 1, 0, 0) == 1);
    return (int)result;
}

static char *map_memory(int file) {
    int flags = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    long address = sys_mmap(NULL, PAGES * PAGE_BYTES, RW, flags, file, 0);
    CHECK(address > 0);
    return (char *)address;
}

static int memory_file(void) {
    int file = (int)CALL(memfd_create, "marks", 0, 0, 0, 0);
    CHECK(file >= 0 && CALL(ftruncate, file, PAGES * PAGE_BYTES, 0, 0, 0) == 0);
    return file;
}

static void write_protection(const char *what, int file) {
    char *area = map_memory(file);
    area[0] = 'a';
    print("%s: register %ld", what, enroll(area, PAGES, UFFDIO_REGISTER_MODE_WP, NULL));
    print(", protect %ld", protect(area, 4, UFFDIO_WRITEPROTECT_MODE_WP));
    print(", there: load %d", load(area));
    print(" store %d", store(area, 'b'));
    print(", not there: store %d", store(area + PAGE_BYTES, 'b'));
    print(" load %d", load(area + PAGE_BYTES));
    print(" store %d\n", store(area + PAGE_BYTES, 'b'));
    print("  not protected: store %d", store(area + 4 * PAGE_BYTES, 'b'));
    CHECK(sys_madvise(area, 2 * PAGE_BYTES, MADV_DONTNEED) == 0);
    print(", after MADV_DONTNEED: store %d %d", store(area, 'c'), store(area + PAGE_BYTES, 'c'));
    print(", unprotect %ld", protect(area, 2, 0));
    print(", store %d %d, still: %d\n", store(area, 'c'), store(area + PAGE_BYTES, 'd'),
          store(area + 2 * PAGE_BYTES, 'd'));
    CHECK(sys_madvise(area, PAGES * PAGE_BYTES, MADV_PAGEOUT) == 0);
    print("  paged out: store %d", store(area + 2 * PAGE_BYTES, 'e'));
    print(" %d", store(area + 4 * PAGE_BYTES, 'e'));
    print(", load %d\n", load(area + 4 * PAGE_BYTES));
    print("  in a child: ");
    long pid = sys_fork();
    if (pid == 0) sys_exit_group(store(area + 2 * PAGE_BYTES, 'e') == 1 ? 5 : 6);
    int status = 0;
    CHECK(sys_wait4((int)pid, &status, 0) == pid);
    print("exit %d, in its parent %d", exit_code(status), store(area + 2 * PAGE_BYTES, 'e'));
    struct uffdio_range range = {(unsigned long)area, PAGES * PAGE_BYTES};
    print(", unregister %ld", control(UFFDIO_UNREGISTER, &range));
    print(", store %d\n", store(area + 3 * PAGE_BYTES, 'e'));
    CHECK(sys_munmap(area, PAGES * PAGE_BYTES) == 0);
}

static long poison(char *start, size_t pages, long *updated) {
    struct long_range request = {(unsigned long)start, pages * PAGE_BYTES, 0, 0};
    long result = control(UFFDIO_POISON, &request);
    *updated = request.updated;
    return result;
}

static void poisoning(const char *what, int file) {
    static char page[PAGE_BYTES];
    char *area = map_memory(file);
    long done = 0;
    area[3 * PAGE_BYTES] = 'a';
    CHECK(enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING, NULL) == 0);
    print("%s: poison %ld", what, poison(area, 2, &done));
    print(" %ld, load %d store %d", done, load(area), store(area + PAGE_BYTES, 'b'));
    print(", again %ld", poison(area, 2, &done));
    print(" %ld", done);
    print(", over a page %ld", poison(area + 2 * PAGE_BYTES, 2, &done));
    print(" %ld\n", done);
    print("  zeropage %ld", zero_page(area, 1, NULL));
    print(", copy %ld", copy_page(area, page, 1, 0, NULL));
    print(", load %d\n", load(area));
    long pid = sys_fork();
    if (pid == 0) sys_exit_group(load(area + PAGE_BYTES) == -EFAULT ? 5 : 6);
    int status = 0;
    CHECK(sys_wait4((int)pid, &status, 0) == pid);
    CHECK(sys_madvise(area, 2 * PAGE_BYTES, MADV_DONTNEED) == 0);
    print("  in a child: exit %d, after MADV_DONTNEED: copy %ld", exit_code(status),
          copy_page(area + PAGE_BYTES, page, 1, 0, NULL));
    print(", load %d\n", load(area + PAGE_BYTES));
    CHECK(sys_munmap(area, PAGES * PAGE_BYTES) == 0);
}

static long move(char *target, char *source, size_t pages, unsigned long mode, long *moved) {
    struct long_move request = {(unsigned long)target, (unsigned long)source, pages * PAGE_BYTES, mode, 0};
    long result = control(UFFDIO_MOVE, &request);
    *moved = request.moved;
    return result;
}

static void moving(void) {
    char *area = map_memory(-1), *source = map_memory(-1);
    long moved = 0;
    CHECK(enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING, NULL) == 0);
    for (int i = 0; i < 4; i++) source[i * PAGE_BYTES] = (char)('a' + i);
    print("move: %ld", move(area, source, 2, 0, &moved));
    print(" %ld, it reads %c%c, left behind %d", moved, area[0], area[PAGE_BYTES], source[0]);
    print(", to a page %ld", move(area + PAGE_BYTES, source + 2 * PAGE_BYTES, 2, 0, &moved));
    print(" %ld", moved);
    print(", a hole %ld", move(area + 4 * PAGE_BYTES, source + 3 * PAGE_BYTES, 2, 0, &moved));
    print(" %ld", moved);
    print(", with leave %ld", move(area + 5 * PAGE_BYTES, source + 4 * PAGE_BYTES, 2, ALLOW_SRC_HOLES, &moved));
    print(" %ld\n", moved);
    print("  to what is not registered %ld", move(source + 5 * PAGE_BYTES, area, 1, 0, &moved));
    print(", mode %ld", move(area, source, 1, 4, &moved));
    print(", from nowhere %ld", move(area + 6 * PAGE_BYTES, (char *)0x300000000, 1, 0, &moved));
    print(", over the end %ld\n", move(area + 7 * PAGE_BYTES, source, 2, 0, &moved));
    long pid = sys_fork();
    char byte;
    if (pid == 0) sys_exit_group(CALL(read, ends[0], &byte, 1, 0, 0) == 1 ? 0 : 1);
    print("  shared with a child: %ld", move(area + 2 * PAGE_BYTES, source + 2 * PAGE_BYTES, 1, 0, &moved));
    int status = 0;
    CHECK(CALL(write, ends[1], "x", 1, 0, 0) == 1 && sys_wait4((int)pid, &status, 0) == pid);
    CHECK(store(source + 2 * PAGE_BYTES, 'C') == 1); // its own from now on
    print(", then %ld", move(area + 2 * PAGE_BYTES, source + 2 * PAGE_BYTES, 1, 0, &moved));
    print(" %ld, it reads %c", moved, area[2 * PAGE_BYTES]);
    print(", store %d, left behind %d\n", store(area + 2 * PAGE_BYTES, 'z'), load(source + 2 * PAGE_BYTES));
    CHECK(sys_munmap(area, PAGES * PAGE_BYTES) == 0 && sys_munmap(source, PAGES * PAGE_BYTES) == 0);
}

static void read_event(int monitor, const char *name) {
    struct uffd_msg message;
    long length;
    uffd = monitor;
    while ((length = CALL(read, uffd, &message, sizeof message, 0, 0)) == -EAGAIN) sys_sched_yield();
    CHECK(length == sizeof message && message.event == UFFD_EVENT_UNMAP);
    print("%s", name);
}

/** One munmap, two areas with a monitor each: it returns when both have been told. */
static void two_monitors(void) {
    int done[2];
    char byte;
    char *area = map_memory(-1);
    CHECK(CALL(pipe2, done, O_NONBLOCK, 0, 0, 0) == 0);
    int first = open_uffd(UFFD_FEATURE_EVENT_UNMAP);
    CHECK(enroll(area, 4, UFFDIO_REGISTER_MODE_MISSING, NULL) == 0);
    int second = open_uffd(UFFD_FEATURE_EVENT_UNMAP);
    CHECK(enroll(area + 4 * PAGE_BYTES, 4, UFFDIO_REGISTER_MODE_MISSING, NULL) == 0);
    print("one munmap: ");
    long pid = sys_fork();
    if (pid == 0) {
        for (int i = 0; i < 2; i++) {
            read_event(i == 0 ? first : second, i == 0 ? "the first was told" : ", and the second");
            for (int turn = 0; i == 0 && turn < 2000; turn++) sys_sched_yield();
            if (i == 0) print(", over %ld", CALL(read, done[0], &byte, 1, 0, 0));
        }
        while (CALL(read, done[0], &byte, 1, 0, 0) != 1) sys_sched_yield();
        print(", over 1\n");
        sys_exit_group(0);
    }
    CHECK(sys_munmap(area, PAGES * PAGE_BYTES) == 0 && CALL(write, done[1], "d", 1, 0, 0) == 1);
    int status = 0;
    CHECK(sys_wait4((int)pid, &status, 0) == pid && exit_code(status) == 0);
}

int main(void) {
    CHECK(CALL(pipe2, ends, 0, 0, 0, 0) == 0);
    open_uffd(UFFD_FEATURE_SIGBUS | FEATURE_WP_SHMEM | FEATURE_WP_UNPOPULATED | FEATURE_POISON | FEATURE_MOVE);
    int file = memory_file();
    write_protection("shared", file);
    write_protection("private", -1);
    poisoning("private", -1);
    poisoning("shared", memory_file());
    moving();
    two_monitors();
    return 0;
}
