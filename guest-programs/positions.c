// One open file, many threads: who reads or writes at the file's own position gets a place of his own.
// System calls: openat, read, write, lseek, pwrite64, clone, unlinkat.

#include <linux/fcntl.h>

#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/print.h"
#include "lib/thread.h"

#define THREADS 4
#define RECORDS 500
#define WORDS 300 // a record is longer than a page every now and then
#define CALL(name, a, b, c, d) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2

static int fd;
static volatile uint32_t next_record;
static uint32_t seen[THREADS * RECORDS];
static volatile uint32_t torn;

static void write_records(void *unused) {
    (void)unused;
    uint32_t record[WORDS];
    for (int i = 0; i < RECORDS; i++) {
        uint32_t number = fetch_add(&next_record, 1);
        for (int word = 0; word < WORDS; word++) record[word] = number;
        CHECK(CALL(write, fd, record, sizeof record, 0) == sizeof record);
    }
}

static void read_records(void *unused) {
    (void)unused;
    uint32_t record[WORDS];
    long bytes;
    while ((bytes = CALL(read, fd, record, sizeof record, 0)) > 0) {
        int whole = bytes == sizeof record;
        for (int word = 1; word < WORDS; word++) whole &= record[word] == record[0];
        if (!whole || record[0] >= THREADS * RECORDS) fetch_add(&torn, 1);
        else fetch_add(&seen[record[0]], 1);
    }
}

static void in_threads(thread_function *function) {
    struct thread *all[THREADS];
    for (int i = 0; i < THREADS; i++) all[i] = thread_start(function, NULL);
    for (int i = 0; i < THREADS; i++) thread_join(all[i]);
}

int main(void) {
    fd = (int)CALL(openat, AT_FDCWD, "/tmp/pagewalk-positions", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    in_threads(write_records);
    long all = (long)sizeof(uint32_t) * WORDS * THREADS * RECORDS;
    print("written: %ld bytes of %ld\n", CALL(lseek, fd, 0, SEEK_END, 0), all);
    CHECK(CALL(lseek, fd, 0, SEEK_SET, 0) == 0);
    in_threads(read_records);
    uint32_t once = 0;
    for (int i = 0; i < THREADS * RECORDS; i++) once += seen[i] == 1;
    print("records that were read once: %u of %d, torn %u\n", once, THREADS * RECORDS, torn);
    print("a write that fails leaves the position: %ld", CALL(write, fd, 8, 10, 0));
    print(", %d\n", CALL(lseek, fd, 0, SEEK_CUR, 0) == CALL(lseek, fd, 0, SEEK_END, 0));
    CHECK(CALL(unlinkat, AT_FDCWD, "/tmp/pagewalk-positions", 0, 0) == 0);
    return 0;
}
