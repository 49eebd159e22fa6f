// A buffer that turns bad in the middle: what a call that copies tells of the bytes before it. Files go on to the bad
// byte, pipes to the page that can not be filled, directories to the last whole entry. (qemu-riscv64 refuses such
// buffers as a whole.) System calls: read, write, pread64, pwrite64, readv, writev, pipe2, getrandom, getdents64.

#include <linux/fcntl.h>

#include "lib/memory.h"
#include "lib/print.h"
#include "lib/syscall.h"

#define CALL(name, a, b, c, d) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define FILE_NAME "/tmp/pagewalk-partial"
#define DIRECTORY "/tmp/pagewalk-partial-directory"

struct range {
    void *base;
    unsigned long bytes;
};

static char big[200000];

/** The end of `pages` pages, behind which there is nothing. */
static char *pages_before_a_hole(size_t pages) {
    long address = sys_mmap(NULL, (pages + 1) * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(address > 0);
    char *end = (char *)address + pages * PAGE_BYTES;
    CHECK(sys_munmap(end, PAGE_BYTES) == 0);
    memset((char *)address, 5, pages * PAGE_BYTES);
    return end;
}

static void files(char *end, struct range *ranges) {
    long fd = CALL(openat, AT_FDCWD, FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    print("write: 100 of 300 %ld", CALL(write, fd, end - 100, 300, 0));
    print(", position %ld, none %ld", CALL(lseek, fd, 0, 1, 0), CALL(write, fd, end, 300, 0));
    print(", pwrite %ld\n", CALL(pwrite64, fd, end - 100, 300, 0));
    CHECK(CALL(write, fd, big, sizeof big, 0) == sizeof big && CALL(lseek, fd, 0, 0, 0) == 0);
    print("read: 1000 of 3000 %ld", CALL(read, fd, end - 1000, 3000, 0));
    print(", position %ld, none %ld", CALL(lseek, fd, 0, 1, 0), CALL(read, fd, end, 3000, 0));
    print(", pread %ld, it reads %d\n", CALL(pread64, fd, end - 1000, 3000, 200), end[-1]);
    print("readv of 10 and 20 of 40: %ld", CALL(readv, fd, ranges, 3, 0));
    print(", writev %ld\n", CALL(writev, fd, ranges, 3, 0));
    CHECK(CALL(close, fd, 0, 0, 0) == 0 && CALL(unlinkat, AT_FDCWD, FILE_NAME, 0, 0) == 0);
}

static void pipes(char *end, char *end_of_three, struct range *ranges) {
    int fds[2];
    CHECK(CALL(pipe2, fds, O_NONBLOCK, 0, 0) == 0);
    print("pipe: write 100 of 300 %ld", CALL(write, fds[1], end - 100, 300, 0));
    print(", 10000 of 12000 %ld", CALL(write, fds[1], end_of_three - 10000, 12000, 0));
    print(", writev of 10 and 20 of 40 %ld\n", CALL(writev, fds[1], ranges, 3, 0));
    while (CALL(read, fds[0], big, sizeof big, 0) > 0) {}
    CHECK(CALL(write, fds[1], big, 2 * PAGE_BYTES + 500, 0) == 2 * PAGE_BYTES + 500);
    print("pipe: read 1000 of 3000 %ld", CALL(read, fds[0], end - 1000, 3000, 0));
    print(", 5000 of 9000 %ld", CALL(read, fds[0], end_of_three - 5000, 9000, 0));
    print(", 10000 of 12500 %ld", CALL(read, fds[0], end_of_three - 10000, 12500, 0));
    print(", the rest %ld\n", CALL(read, fds[0], big, sizeof big, 0));
    CHECK(CALL(write, fds[1], big, 100, 0) == 100);
    print("pipe: read 50 of 100 %ld", CALL(read, fds[0], end - 50, 100, 0));
    print(", 50 of 50 %ld", CALL(read, fds[0], end - 50, 50, 0));
    print(", a buffer of 300 for the rest of 50 %ld\n", CALL(read, fds[0], end - 50, 300, 0));
    CHECK(CALL(close, fds[0], 0, 0, 0) == 0 && CALL(close, fds[1], 0, 0, 0) == 0);
}

static void devices(char *end) {
    long zero = CALL(openat, AT_FDCWD, "/dev/zero", O_RDONLY, 0);
    long status = CALL(openat, AT_FDCWD, "/proc/self/status", O_RDONLY, 0);
    CHECK(zero >= 0 && status >= 0);
    print("/dev/zero: 1000 of 3000 %ld", CALL(read, zero, end - 1000, 3000, 0));
    print(", none %ld\n", CALL(read, zero, end, 3000, 0));
    print("/proc: 100 of 3000 %ld, none %ld", CALL(read, status, end - 100, 3000, 0), CALL(read, status, end, 3000, 0));
    print(", position %ld\n", CALL(lseek, status, 0, 1, 0));
    print("getrandom: 100 of 300 %ld, none %ld\n", CALL(getrandom, end - 100, 300, 0, 0),
          CALL(getrandom, end, 300, 0, 0));
    CHECK(CALL(close, zero, 0, 0, 0) == 0 && CALL(close, status, 0, 0, 0) == 0);
}

/** Ten entries of 32 bytes, and before them "." and ".." of 24 each. */
static void directories(char *end) {
    char name[] = DIRECTORY "/file-0";
    CHECK(CALL(mkdirat, AT_FDCWD, DIRECTORY, 0700, 0) == 0);
    long directory = CALL(openat, AT_FDCWD, DIRECTORY, O_RDONLY, 0);
    for (int i = 0; i < 10; i++) {
        name[sizeof name - 2] = (char)('0' + i);
        CHECK(CALL(close, CALL(openat, AT_FDCWD, name, O_WRONLY | O_CREAT, 0600), 0, 0, 0) == 0);
    }
    print("getdents64: 100 of 4000 %ld", CALL(getdents64, directory, end - 100, 4000, 0));
    print(", the rest %ld", CALL(getdents64, directory, big, sizeof big, 0));
    CHECK(CALL(lseek, directory, 0, 0, 0) == 0);
    print(", none %ld", CALL(getdents64, directory, end, 4000, 0));
    print(", then all %ld\n", CALL(getdents64, directory, big, sizeof big, 0));
    for (int i = 0; i < 10; i++) {
        name[sizeof name - 2] = (char)('0' + i);
        CHECK(CALL(unlinkat, AT_FDCWD, name, 0, 0) == 0);
    }
    CHECK(CALL(close, directory, 0, 0, 0) == 0 && CALL(unlinkat, AT_FDCWD, DIRECTORY, AT_REMOVEDIR, 0) == 0);
}

int main(void) {
    char *end = pages_before_a_hole(1), *end_of_three = pages_before_a_hole(3);
    struct range ranges[3] = {{big, 10}, {end - 20, 40}, {big, 10}};
    files(end, ranges);
    pipes(end, end_of_three, ranges);
    devices(end);
    directories(end);
    return 0;
}
