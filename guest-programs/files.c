// The tree of files: names, links, renames and their errors, contents with holes, attributes, directories. Everything
// happens in a directory of its own below /tmp, which is gone afterwards. Results are printed as the kernel gave them.
// System calls: the calls of fs/namei.c, open.c, read_write.c, stat.c and readdir.c; write, exit_group.

#include <linux/fcntl.h>
#include <linux/stat.h>

#include "lib/memory.h"
#include "lib/print.h"
#include "lib/syscall.h"

#define AT AT_FDCWD
#define CALL(name, a, b, c, d, e) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SHOW(name, a, b, c, d, e) print("%s %s: %ld\n", #name, #b, CALL(name, a, b, c, d, e))
#define SEEK(fd, offset, whence) print("lseek %d %d: %ld\n", offset, whence, CALL(lseek, fd, offset, whence, 0, 0))

#define PAGE 4096

static char buffer[65536];
static char long_name[300];

struct entry {
    uint64_t number;
    int64_t next;
    unsigned short length;
    unsigned char type;
    char name[];
};

static void show_status(const char *path) {
    struct statx status;
    long error = CALL(statx, AT, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &status);
    if (error != 0) print("status of %s: %ld\n", path, error);
    else print("status of %s: mode %d links %u bytes %lu owner %u %u\n", path, status.stx_mode, status.stx_nlink,
               (unsigned long)((status.stx_mode & S_IFMT) == S_IFDIR ? 0 : status.stx_size), status.stx_uid ? 1 : 0,
               status.stx_gid ? 1 : 0);
}

/** How many entries, and how many bytes their names have: the order is the file system's own business. */
static void show_directory(const char *path) {
    long fd = CALL(openat, AT, path, O_DIRECTORY, 0, 0);
    unsigned long entries = 0, bytes = 0, directories = 0;
    long length;
    while ((length = CALL(getdents64, fd, buffer, 200, 0, 0)) > 0) {
        for (long at = 0; at < length; entries++) {
            struct entry *entry = (struct entry *)(buffer + at);
            for (const char *c = entry->name; *c; c++) bytes++;
            directories += entry->type == 4;
            at += entry->length;
        }
    }
    print("directory %s: %lu entries, %lu directories, %lu bytes: %ld\n", path, entries, directories, bytes, length);
    CALL(close, fd, 0, 0, 0, 0);
}

static void names(void) {
    SHOW(mkdirat, AT, "a", 0755, 0, 0);
    SHOW(mkdirat, AT, "a", 0755, 0, 0);
    SHOW(mkdirat, AT, "a/b/", 0700, 0, 0);
    SHOW(mkdirat, AT, "x/y", 0700, 0, 0);
    SHOW(mkdirat, AT, "a/.", 0700, 0, 0);
    SHOW(mkdirat, AT, "", 0700, 0, 0);
    SHOW(mknodat, AT, "a/fifo", S_IFIFO | 0600, 0, 0);
    SHOW(symlinkat, "b", AT, "a/link", 0, 0);
    SHOW(symlinkat, "loop", AT, "loop", 0, 0);
    SHOW(readlinkat, AT, "a/link", buffer, 10, 0);
    SHOW(readlinkat, AT, "a", buffer, 10, 0);
    SHOW(openat, AT, "loop", 0, 0, 0);
    SHOW(openat, AT, "loop/x", 0, 0, 0);
    SHOW(openat, AT, "a/link", O_NOFOLLOW, 0, 0);
    SHOW(openat, AT, "a", O_RDWR, 0, 0);
    SHOW(openat, AT, "new/", O_CREAT | O_RDWR, 0600, 0);
    SHOW(openat, AT, ".", O_CREAT, 0600, 0);
    SHOW(openat, AT, long_name, O_CREAT, 0600, 0);
    long_name[255] = 0;
    SHOW(mkdirat, AT, long_name, 0700, 0, 0);
    SHOW(unlinkat, AT, long_name, AT_REMOVEDIR, 0, 0);
    SHOW(unlinkat, AT, "a", 0, 0, 0);
    SHOW(unlinkat, AT, "a", AT_REMOVEDIR, 0, 0);
    SHOW(unlinkat, AT, "a/.", AT_REMOVEDIR, 0, 0);
    SHOW(unlinkat, AT, "a/b/..", AT_REMOVEDIR, 0, 0);
    SHOW(unlinkat, AT, "a/link", AT_REMOVEDIR, 0, 0);
    SHOW(unlinkat, AT, "none", 0, 0, 0);
}

static void contents(void) {
    long fd = CALL(openat, AT, "f", O_CREAT | O_RDWR | O_EXCL, 0640, 0);
    SHOW(openat, AT, "f", O_CREAT | O_EXCL, 0600, 0);
    SHOW(openat, AT, "f/", 0, 0, 0);
    SHOW(openat, AT, "f/x", 0, 0, 0);
    SHOW(write, fd, "hello, world", 12, 0, 0);
    SHOW(pwrite64, fd, "end", 3, 10 * PAGE, 0);
    SEEK(fd, 0, 3);
    SEEK(fd, 0, 4);
    SEEK(fd, PAGE, 3);
    SEEK(fd, 11 * PAGE, 3);
    SEEK(fd, -1, 0);
    SEEK(fd, 5, 0);
    SHOW(read, fd, buffer, 4, 0, 0);
    CHECK(buffer[0] == ',' && buffer[3] == 'o');
    SHOW(pread64, fd, buffer, 65536, PAGE, 0);
    CHECK(buffer[0] == 0 && buffer[9 * PAGE + 2] == 'd');
    SHOW(ftruncate, fd, 5, 0, 0, 0);
    SHOW(pread64, fd, buffer, 100, 0, 0);
    SHOW(ftruncate, fd, 3 * PAGE, 0, 0, 0);
    SHOW(pread64, fd, buffer, 100, 0, 0);
    CHECK(buffer[4] == 'o' && buffer[5] == 0);
    long append = CALL(openat, AT, "f", O_WRONLY | O_APPEND, 0, 0);
    SHOW(write, append, "tail", 4, 0, 0);
    SHOW(read, append, buffer, 4, 0, 0);
    SEEK(append, 0, 1);
    SHOW(openat, AT, "f", O_TRUNC | O_WRONLY, 0, 0);
    show_status("f");
}

static void renames(void) {
    SHOW(linkat, AT, "f", AT, "g", 0);
    SHOW(linkat, AT, "a", AT, "h", 0);
    SHOW(linkat, AT, "f", AT, "g", 0);
    show_status("g");
    SHOW(renameat2, AT, "f", AT, "g", 0);
    SHOW(renameat2, AT, "g", AT, "a/b/h", 0);
    SHOW(renameat2, AT, "a", AT, "a/b/c", 0);
    SHOW(renameat2, AT, "f", AT, "a", 0);
    SHOW(renameat2, AT, "a", AT, "f", 0);
    SHOW(renameat2, AT, "none", AT, "g", 0);
    SHOW(renameat2, AT, "f", AT, "a/b/h", 1);
    SHOW(renameat2, AT, "f", AT, "a", 2);
    show_status("a");
    show_status("f");
    SHOW(renameat2, AT, "a", AT, "f", 2);
    SHOW(renameat2, AT, "a/b", AT, "moved", 0);
    show_status("a");
    show_directory(".");
    show_directory("moved");
    SHOW(unlinkat, AT, "moved/h", 0, 0, 0);
    SHOW(unlinkat, AT, "moved", AT_REMOVEDIR, 0, 0);
}

static void attributes(void) {
    SHOW(faccessat, AT, "f", 1, 0, 0);
    SHOW(fchmodat, AT, "f", 0755, 0, 0);
    SHOW(faccessat, AT, "f", 1, 0, 0);
    struct timespec times[2] = {{123456789, 111}, {987654321, 222}};
    SHOW(utimensat, AT, "f", times, 0, 0);
    struct statx status;
    CHECK(CALL(statx, AT, "f", 0, STATX_BASIC_STATS, &status) == 0);
    CHECK(status.stx_atime.tv_sec == 123456789 && status.stx_mtime.tv_nsec == 222);
    times[0].tv_nsec = 1000000000;
    SHOW(utimensat, AT, "f", times, 0, 0);
    show_status("f");
}

static void removed_directory(void) {
    SHOW(mkdirat, AT, "gone", 0700, 0, 0);
    SHOW(chdir, "gone", 0, 0, 0, 0);
    SHOW(unlinkat, AT, "../gone", AT_REMOVEDIR, 0, 0);
    SHOW(openat, AT, "x", O_CREAT, 0600, 0);
    SHOW(openat, AT, "..", O_DIRECTORY, 0, 0);
    SHOW(getcwd, buffer, 4096, 0, 0, 0);
    SHOW(chdir, "..", 0, 0, 0, 0);
}

int main(void) {
    static const char directory[] = "/tmp/pagewalk-files";
    for (int i = 0; i < 299; i++) long_name[i] = 'n';
    CHECK(CALL(mkdirat, AT, directory, 0700, 0, 0) == 0 && CALL(chdir, directory, 0, 0, 0, 0) == 0);
    CALL(umask, 022, 0, 0, 0, 0);
    names();
    contents();
    renames();
    attributes();
    removed_directory();
    static const char *const left[] = {"a/fifo", "a/link", "loop", "f"};
    for (int i = 0; i < 4; i++) CHECK(CALL(unlinkat, AT, left[i], 0, 0, 0) == 0);
    SHOW(unlinkat, AT, "a", AT_REMOVEDIR, 0, 0);
    show_directory(".");
    CHECK(CALL(unlinkat, AT, directory, AT_REMOVEDIR, 0, 0) == 0);
    return 0;
}
