// System V shared memory: segments by key and by number, attached by several processes, and what is left of them.
// System calls: shmget, shmat, shmdt, shmctl, clone, wait4, mprotect, munmap.

#include <linux/fcntl.h>
#include <linux/ipc.h>
#include <linux/shm.h>

#include "lib/memory.h"
#include "lib/print.h"
#include "lib/process.h"

#define KEY 0x50775368
#define BYTES (3 * PAGE_BYTES + 100)
#define CALL(name, a, b, c) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), 0, 0, 0)

/** struct shmid64_ds of asm-generic/shmbuf.h. */
struct status {
    int key;
    unsigned uid, gid, cuid, cgid, mode;
    unsigned short seq, pad;
    unsigned long unused[2], bytes;
    long attached, detached, changed;
    int creator, last;
    unsigned long attachments, more[2];
};

static struct status status_of(long id) {
    struct status status;
    memset(&status, 0xff, sizeof status);
    CHECK(CALL(shmctl, id, IPC_STAT, &status) == 0);
    return status;
}

static void by_key(void) {
    long old = CALL(shmget, KEY, 0, 0);
    if (old >= 0) CALL(shmctl, old, IPC_RMID, NULL); // left by a run that was killed
    print("no such key: %ld, size 0: %ld\n", CALL(shmget, KEY, BYTES, 0), CALL(shmget, IPC_PRIVATE, 0, 0600));
    long id = CALL(shmget, KEY, BYTES, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(id >= 0);
    print("exclusive again: %ld, found by its key: %d, larger than it is: %ld\n",
          CALL(shmget, KEY, BYTES, IPC_CREAT | IPC_EXCL | 0640), CALL(shmget, KEY, BYTES, 0) == id,
          CALL(shmget, KEY, BYTES + 1, 0));
    struct status status = status_of(id);
    print("key %d, mode %x, %lu bytes, %lu attachments, creator %d, last %d, times %d %d %d\n",
          status.key == KEY, status.mode & 0xffff, status.bytes, status.attachments,
          status.creator == sys_getpid(), status.last, status.attached != 0,
          status.detached != 0, status.changed != 0);

    char *first = (char *)CALL(shmat, id, NULL, 0);
    char *second = (char *)CALL(shmat, id, NULL, SHM_RDONLY);
    CHECK((long)first > 0 && (long)second > 0 && first != second);
    first[0] = 'a', first[BYTES - 1] = 'z';
    print("seen at both: %c %c, zero in between: %d\n", second[0], second[BYTES - 1], second[PAGE_BYTES]);
    print("a read-only one stays so: %ld\n", sys_mprotect(second, PAGE_BYTES, PROT_READ | PROT_WRITE));
    status = status_of(id);
    print("%lu attachments, last %d, times %d %d\n", status.attachments, status.last == sys_getpid(),
          status.attached != 0, status.detached != 0);
    print("detach: %ld, again %ld, in the middle %ld, unaligned %ld\n", CALL(shmdt, second, 0, 0),
          CALL(shmdt, second, 0, 0), CALL(shmdt, first + PAGE_BYTES, 0, 0), CALL(shmdt, first + 1, 0, 0));
    status = status_of(id);
    print("%lu attachments, detached %d\n", status.attachments, status.detached != 0);
    print("remove: %ld", CALL(shmctl, id, IPC_RMID, NULL));
    print(", its key finds %ld", CALL(shmget, KEY, 0, 0));
    status = status_of(id);
    print(", its number a segment of mode %x with %lu attachments, key %d\n", status.mode & 0xffff,
          status.attachments, status.key);
    print("still there: %c\n", first[0]);
    print("detach the last: %ld", CALL(shmdt, first, 0, 0));
    print(", then %ld\n", CALL(shmctl, id, IPC_STAT, &status));
}

static void between_processes(void) {
    long id = CALL(shmget, IPC_PRIVATE, BYTES, 0600);
    CHECK(id >= 0);
    int *words = (int *)CALL(shmat, id, NULL, 0);
    CHECK((long)words > 0);
    for (int child = 0; child < 4; child++) {
        long pid = sys_fork();
        if (pid == 0) {
            if (child == 0) CHECK(status_of(id).attachments == 2);
            for (int i = 0; i < 1000; i++) __atomic_add_fetch(&words[0], 1, __ATOMIC_SEQ_CST);
            words[1 + child] = (int)status_of(id).attachments;
            sys_exit_group(0);
        }
        if (child != 0) continue;
        int status = 0;
        CHECK(sys_wait4((int)pid, &status, 0) == pid && exit_code(status) == 0);
    }
    for (int child = 1; child < 4; child++) sys_wait4(-1, NULL, 0);
    print("four children have added %d; attached: first child %d, now %lu\n", words[0], words[1],
          status_of(id).attachments);
    CHECK(CALL(shmctl, id, IPC_RMID, NULL) == 0);
    long pid = sys_fork();
    if (pid == 0) {
        char *again = (char *)CALL(shmat, id, NULL, 0);
        print("a removed one can be attached by number: %d\n", (long)again > 0 && *(int *)again == 4000);
        sys_exit_group(0);
    }
    CHECK(sys_wait4((int)pid, NULL, 0) == pid);
    print("detach: %ld\n", CALL(shmdt, words, 0, 0));
}

static void places(void) {
    long id = CALL(shmget, IPC_PRIVATE, BYTES, 0600);
    char *hole = map_pages(8, PROT_READ | PROT_WRITE);
    print("over a mapping: %ld, with SHM_REMAP %d\n", CALL(shmat, id, hole, 0),
          CALL(shmat, id, hole, SHM_REMAP) == (long)hole);
    unmap_pages(hole + 4 * PAGE_BYTES, 4);
    print("unaligned: %ld, rounded %d\n", CALL(shmat, id, hole + 4 * PAGE_BYTES + 5, 0),
          CALL(shmat, id, hole + 4 * PAGE_BYTES + 5, SHM_RND) == (long)(hole + 4 * PAGE_BYTES));
    hole[5] = 'r';
    print("the same pages: %c\n", hole[4 * PAGE_BYTES + 5]);
    print("a part is gone: %ld", sys_munmap(hole + PAGE_BYTES, PAGE_BYTES));
    print(", %lu attachments", status_of(id).attachments);
    print(", detach the rest %ld", CALL(shmdt, hole, 0, 0));
    print(", %lu attachments\n", status_of(id).attachments);
    CHECK(CALL(shmctl, id, IPC_RMID, NULL) == 0);
    CHECK(CALL(shmdt, hole + 4 * PAGE_BYTES, 0, 0) == 0);
    print("no such number: shmat %ld, shmctl %ld, below 0 %ld %ld, no such command %ld\n", CALL(shmat, id, NULL, 0),
          CALL(shmctl, id, IPC_RMID, NULL), CALL(shmat, -1, NULL, 0), CALL(shmctl, -1, IPC_STAT, &id),
          CALL(shmctl, id, 99, NULL));
}

int main(void) {
    by_key();
    between_processes();
    places();
    return 0;
}
