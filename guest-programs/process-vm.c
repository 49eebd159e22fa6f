// process_vm_readv and process_vm_writev between a parent and its child.
// System calls: process_vm_readv, process_vm_writev, clone, wait4, pipe2, read, write.

#include <linux/uio.h>

#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#define PAGES 40
#define BYTES (PAGES * PAGE_BYTES)

static char *area, *copy;

static long move(long number, long pid, struct iovec *local, long locals, struct iovec *remote, long remotes) {
    return syscall6(number, pid, (long)local, locals, (long)remote, remotes, 0);
}

static long read_at(long pid, void *target, unsigned long source, unsigned long bytes) {
    struct iovec local = {target, bytes}, remote = {(void *)source, bytes};
    return move(__NR_process_vm_readv, pid, &local, 1, &remote, 1);
}

static long write_at(long pid, void *source, unsigned long target, unsigned long bytes) {
    struct iovec local = {source, bytes}, remote = {(void *)target, bytes};
    return move(__NR_process_vm_writev, pid, &local, 1, &remote, 1);
}

int main(void) {
    area = map_pages(PAGES + 1, PROT_READ | PROT_WRITE);
    copy = map_pages(PAGES + 1, PROT_READ | PROT_WRITE);
    unmap_pages(area + BYTES, 1);
    int to_child[2], to_parent[2];
    CHECK(syscall6(__NR_pipe2, (long)to_child, 0, 0, 0, 0, 0) == 0);
    CHECK(syscall6(__NR_pipe2, (long)to_parent, 0, 0, 0, 0, 0) == 0);
    area[5 * PAGE_BYTES] = 'o';
    long pid = sys_fork();
    if (pid == 0) {
        for (size_t i = 0; i < 4 * PAGE_BYTES; i++) area[i] = (char)(i % 251);
        CHECK(sys_mprotect(area + 6 * PAGE_BYTES, PAGE_BYTES, PROT_READ) == 0);
        CHECK(sys_write(to_parent[1], "x", 1) == 1);
        char word;
        CHECK(syscall6(__NR_read, to_child[0], (long)&word, 1, 0, 0, 0) == 1);
        int right = area[5 * PAGE_BYTES] == 'w' && area[20 * PAGE_BYTES - 1] == 'a' && area[20 * PAGE_BYTES] == 'b';
        sys_exit_group(right ? 7 : 1);
    }
    char word;
    CHECK(syscall6(__NR_read, to_parent[0], (long)&word, 1, 0, 0, 0) == 1);
    long bytes = read_at(pid, copy, (unsigned long)area, 4 * PAGE_BYTES);
    int right = 1;
    for (size_t i = 0; i < 4 * PAGE_BYTES; i++) right &= copy[i] == (char)(i % 251);
    print("read: %ld bytes, right %d, mine are %d\n", bytes, right, area[1]);
    bytes = read_at(pid, copy, (unsigned long)area + 8 * PAGE_BYTES, 100);
    print("what the child has never touched: %ld, zero %d\n", bytes, copy[0] == 0 && copy[99] == 0);
    print("all of it: %ld, beyond it: %ld, across its end: %ld\n",
          read_at(pid, copy, (unsigned long)area, BYTES), read_at(pid, copy, (unsigned long)area + BYTES, 10),
          read_at(pid, copy, (unsigned long)area + BYTES - 10, 20));
    bytes = write_at(pid, "w", (unsigned long)area + 5 * PAGE_BYTES, 1);
    print("write to a page that is shared since the fork: %ld, mine stays %c\n", bytes, area[5 * PAGE_BYTES]);
    print("write across a page: %ld, read-only: %ld\n",
          write_at(pid, "ab", (unsigned long)area + 20 * PAGE_BYTES - 1, 2),
          write_at(pid, "z", (unsigned long)area + 6 * PAGE_BYTES, 1));
    struct iovec local[2] = {{copy, 3}, {copy + 100, 5}};
    struct iovec remote[3] = {{area + 1, 2}, {area + 10, 0}, {area + 20, 50}};
    print("vectors of other lengths: %ld", move(__NR_process_vm_readv, pid, local, 2, remote, 3));
    print(" %d %d %d %d %d\n", copy[0], copy[1], copy[2], copy[100], copy[104]);
    remote[1].iov_base = (void *)8, remote[1].iov_len = 9;
    print("a bad one in the middle: %ld\n", move(__NR_process_vm_readv, pid, local, 2, remote, 3));
    print("into nowhere: %ld\n", read_at(pid, (void *)8, (unsigned long)area, 10));
    print("flags: %ld, nobody: %ld, nothing: %ld\n",
          syscall6(__NR_process_vm_readv, pid, (long)local, 1, (long)remote, 1, 1),
          read_at(99999999, copy, (unsigned long)area, 1), move(__NR_process_vm_readv, pid, local, 0, remote, 1));
    CHECK(sys_write(to_child[1], "x", 1) == 1);
    int status = 0;
    CHECK(sys_wait4((int)pid, &status, 0) == pid);
    print("the child found what was written: exit %d\n", exit_code(status));
    return 0;
}
