// What can be done with files besides names and bytes: owners and modes, locks, advice, attributes, copies, pieces at a
// place, many descriptors at once. In a directory of its own below /tmp, which is gone afterwards.
//   file-calls [linux]   linux: also what qemu-user 7.2 does not have
// System calls: those of fs/open.c, attr.c, xattr.c, locks.c, sync.c, read_write.c, file.c; clone, wait4, write.

#include <linux/fadvise.h>
#include <linux/fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <linux/uio.h>

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

#define AT AT_FDCWD
#define CALL(name, a, b, c, d, e, f) \
    syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define SHOW(name, a, b, c, d, e, f) \
    print("%s %s, %s, %s: %ld\n", #name, #a, #b, #c, CALL(name, a, b, c, d, e, f))
#define DIRECTORY "/tmp/pagewalk-file-calls"
#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

static char buffer[4096];

static void show_file(int fd) {
    struct stat {
        unsigned long device, inode;
        unsigned mode, links, uid, gid;
        unsigned long more[12];
    } status;
    CHECK(CALL(fstat, fd, &status, 0, 0, 0, 0) == 0);
    print("mode %x, owner %u %u\n", status.mode, status.uid, status.gid);
}

static void attributes(int fd) {
    SHOW(fchmod, fd, 06777, 0, 0, 0, 0);
    SHOW(fchown, fd, 5, -1, 0, 0, 0);
    show_file(fd);
    SHOW(fchownat, AT, "file", -1, 6, 0, 0);
    SHOW(fchownat, AT, "link", 7, 8, AT_SYMLINK_NOFOLLOW, 0);
    SHOW(fchownat, AT, "nothing", 7, 8, 0, 0);
    SHOW(fchmodat, AT, "link", 0640, 0, 0, 0);
    show_file(fd);
    SHOW(newfstatat, AT, "link", buffer, AT_SYMLINK_NOFOLLOW, 0, 0);
    SHOW(newfstatat, AT, "link", buffer, 0x8000000, 0, 0);
    SHOW(faccessat, AT, "file", 1, 0, 0, 0);
    SHOW(faccessat2, AT, "file", 6, 0, 0, 0);
    SHOW(faccessat2, AT, "file", 1, AT_EACCESS, 0, 0);
    SHOW(faccessat2, AT, "file", 8, 0, 0, 0);
    SHOW(statfs, ".", buffer, 0, 0, 0, 0);
    SHOW(statfs, "nothing", buffer, 0, 0, 0, 0);
    SHOW(fstatfs, fd, buffer, 0, 0, 0, 0);
    print("block %ld, names of %ld\n", ((long *)buffer)[1], ((long *)buffer)[8]);
    SHOW(listxattr, "file", buffer, 100, 0, 0, 0);
    SHOW(llistxattr, "link", buffer, 100, 0, 0, 0);
    SHOW(flistxattr, fd, 0, 0, 0, 0, 0);
    SHOW(listxattr, "nothing", buffer, 100, 0, 0, 0);
    SHOW(renameat2, AT, "file", AT, "other", 0, 0);
    SHOW(renameat2, AT, "other", AT, "file", 0, 0);
}

static void waits_for_lock(int fd, int other) {
    SHOW(flock, fd, LOCK_EX, 0, 0, 0, 0);
    SHOW(flock, other, LOCK_SH | LOCK_NB, 0, 0, 0, 0);
    SHOW(flock, fd, LOCK_SH, 0, 0, 0, 0);
    SHOW(flock, other, LOCK_SH | LOCK_NB, 0, 0, 0, 0);
    SHOW(flock, fd, LOCK_UN, 0, 0, 0, 0);
    SHOW(flock, other, 0, 0, 0, 0, 0);
    long child = sys_fork();
    if (child == 0) {
        CHECK(CALL(flock, fd, LOCK_EX, 0, 0, 0, 0) == 0);
        sys_exit_group(7);
    }
    CHECK(CALL(flock, other, LOCK_UN, 0, 0, 0, 0) == 0);
    int status;
    CHECK(sys_wait4(child, &status, 0) == child);
    print("a child that waited for the lock: %d\n", exit_code(status));
}

static void pieces(int fd, int other) {
    struct iovec parts[2] = {{"one ", 4}, {"two", 3}}, into[2] = {{buffer, 2}, {buffer + 2, 10}};
    unsigned long from = 1, to = 20;
    SHOW(pwritev, fd, parts, 2, 5, 0, 0);
    SHOW(preadv, fd, into, 2, 6, 0, 0);
    print("%s\n", buffer);
    SHOW(preadv, fd, into, 2, -1, 0, 0);
    SHOW(preadv, fd, into, -1, 0, 0, 0);
    SHOW(truncate, "file", 12, 0, 0, 0, 0);
    SHOW(truncate, "file", -1, 0, 0, 0, 0);
    SHOW(truncate, ".", 1, 0, 0, 0, 0);
    SHOW(copy_file_range, fd, &from, other, &to, 100, 0);
    print("from %lu to %lu\n", from, to);
    SHOW(copy_file_range, fd, &from, other, 0, 100, 0);
    SHOW(copy_file_range, fd, 0, other, 0, 1, 1);
}

static void advice(int fd, int pipe) {
    SHOW(fadvise64, fd, 0, 0, POSIX_FADV_SEQUENTIAL, 0, 0);
    SHOW(fadvise64, fd, 0, 0, 99, 0, 0);
    SHOW(fadvise64, pipe, 0, 0, POSIX_FADV_NORMAL, 0, 0);
    SHOW(readahead, fd, 0, 100, 0, 0, 0);
    SHOW(readahead, pipe, 0, 100, 0, 0, 0);
    SHOW(sync_file_range, fd, 0, 0, 7, 0, 0);
    SHOW(sync_file_range, fd, 0, 0, 8, 0, 0);
    SHOW(fsync, fd, 0, 0, 0, 0, 0);
    SHOW(fdatasync, fd, 0, 0, 0, 0, 0);
    SHOW(fsync, pipe, 0, 0, 0, 0, 0);
    SHOW(syncfs, fd, 0, 0, 0, 0, 0);
    SHOW(syncfs, 99, 0, 0, 0, 0, 0);
    SHOW(sync, 0, 0, 0, 0, 0, 0);
}

static void descriptors(int fd, const int *pipe) {
    unsigned long readable = 1ul << pipe[0], writable = 1ul << pipe[1];
    long none[2] = {0, 0};
    SHOW(pselect6, 64, &readable, &writable, 0, none, 0);
    print("readable %d, writable %d\n", readable != 0, writable != 0);
    SHOW(pselect6, -1, 0, 0, 0, none, 0);
    int copy = CALL(dup, fd, 0, 0, 0, 0, 0);
    CHECK(copy > fd);
    SHOW(dup, 99, 0, 0, 0, 0, 0);
    SHOW(close_range, copy, copy, 0, 0, 0, 0);
    SHOW(fcntl, copy, F_GETFD, 0, 0, 0, 0);
    SHOW(close_range, 9, 8, 0, 0, 0, 0);
    SHOW(close_range, 90, ~0u, 4, 0, 0, 0);
}

/** In a child: nobody comes back from there. */
static void other_root(void) {
    long child = sys_fork();
    if (child == 0) {
        int here = CALL(openat, AT, ".", O_DIRECTORY, 0, 0, 0);
        SHOW(chroot, ".", 0, 0, 0, 0, 0);
        SHOW(faccessat, AT, "/file", 0, 0, 0, 0);
        SHOW(faccessat, AT, "/tmp", 0, 0, 0, 0);
        SHOW(chroot, "/file", 0, 0, 0, 0, 0);
        SHOW(fchdir, here, 0, 0, 0, 0, 0);
        SHOW(fchdir, 99, 0, 0, 0, 0, 0);
        sys_exit_group(0);
    }
    int status;
    CHECK(sys_wait4(child, &status, 0) == child && status == 0);
}

/** What qemu-user does not know. */
static void on_linux(int fd) {
    struct iovec part = {buffer, 4};
    struct open_how how = {O_RDONLY, 0, 0};
    long none[2] = {0, 0};
    CHECK(CALL(preadv2, fd, &part, 1, 5, 0, 0) == 4 && memcmp(buffer, "one ", 4) == 0);
    CHECK(CALL(pwritev2, fd, &part, 1, 5, 0, 0) == 4 && CALL(pwritev2, fd, &part, 1, -2, 0, 0) == -EINVAL);
    CHECK(CALL(fchmodat2, AT, "file", 0600, 0, 0, 0) == 0 && CALL(fchmodat2, AT, "file", 0, 1, 0, 0) == -EINVAL);
    int again = CALL(openat2, AT, "file", &how, sizeof how, 0, 0);
    CHECK(again > 0 && CALL(openat2, AT, "file", &how, 8, 0, 0) == -EINVAL);
    int epoll = CALL(epoll_create1, 0, 0, 0, 0, 0, 0);
    CHECK(CALL(epoll_pwait2, epoll, buffer, 1, none, 0, 8) == 0);
    CHECK(CALL(epoll_pwait2, epoll, buffer, 0, none, 0, 8) == -EINVAL);
}

int main(int argc, char **argv) {
    int pipe[2];
    SHOW(umask, 0, 0, 0, 0, 0, 0);
    CHECK(CALL(mkdirat, AT, DIRECTORY, 0755, 0, 0, 0) == 0 && CALL(chdir, DIRECTORY, 0, 0, 0, 0, 0) == 0);
    int fd = CALL(openat, AT, "file", O_RDWR | O_CREAT, 0600, 0, 0), same = CALL(openat, AT, "file", O_RDWR, 0, 0, 0);
    int other = CALL(openat, AT, "copy", O_RDWR | O_CREAT, 0600, 0, 0);
    CHECK(fd > 0 && same > 0 && other > 0 && CALL(pipe2, pipe, 0, 0, 0, 0, 0) == 0);
    CHECK(CALL(symlinkat, "file", AT, "link", 0, 0, 0) == 0);
    attributes(fd);
    waits_for_lock(fd, same);
    pieces(fd, other);
    advice(fd, pipe[0]);
    descriptors(fd, pipe);
    if (strcmp(argument_word(argc, argv, 1, ""), "linux") == 0) on_linux(fd);
    other_root();
    static const char *const names[] = {"file", "copy", "link"};
    for (int i = 0; i < 3; i++) CHECK(CALL(unlinkat, AT, names[i], 0, 0, 0, 0) == 0);
    SHOW(chdir, "/tmp", 0, 0, 0, 0, 0);
    SHOW(unlinkat, AT, DIRECTORY, AT_REMOVEDIR, 0, 0, 0);
    return 0;
}
