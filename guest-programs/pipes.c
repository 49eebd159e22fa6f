// Pipes, FIFOs and what waits on files: blocking ends, atomic writes, EPIPE with SIGPIPE, poll, eventfd, locks. Writers
// are threads, because they share the descriptors.
// System calls: pipe2, read, write, fcntl, ppoll, eventfd2, openat, mknodat, unlinkat, flock, close, clone, futex.

#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/stat.h>

#include "lib/memory.h"
#include "lib/print.h"
#include "lib/syscall.h"
#include "lib/thread.h"

#define AT AT_FDCWD
#define CALL(name, a, b, c, d, e) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SHOW(name, a, b, c, d, e) print("%s %s: %ld\n", #name, #b, CALL(name, a, b, c, d, e))
#define WRITERS 4
#define RECORDS 300
#define RECORD_BYTES 100
#define BIG 300000

static int ends[2];
static char buffer[BIG];
static const char fifo[] = "/tmp/pagewalk-fifo";

static void write_big(void *unused) {
    (void)unused;
    char *data = map_pages(BIG / PAGE_BYTES + 1, PROT_READ | PROT_WRITE);
    for (int i = 0; i < BIG; i++) data[i] = (char)(i % 251);
    CHECK(CALL(write, ends[1], data, BIG, 0, 0) == BIG);
    CALL(close, ends[1], 0, 0, 0, 0);
}

static void one_writer(void) {
    CHECK(CALL(pipe2, ends, 0, 0, 0, 0) == 0);
    struct thread *writer = thread_start(write_big, NULL);
    long total = 0, length;
    while ((length = CALL(read, ends[0], buffer, 777, 0, 0)) > 0) {
        for (long i = 0; i < length; i++) CHECK(buffer[i] == (char)((total + i) % 251));
        total += length;
    }
    thread_join(writer);
    print("a writer that waits for room: %ld bytes, then %ld\n", total, length);
    CALL(close, ends[0], 0, 0, 0, 0);
}

/** Records up to PIPE_BUF are never mixed, however many threads write them. */
static void write_records(void *argument) {
    char record[RECORD_BYTES];
    memset(record, (int)(long)argument, RECORD_BYTES);
    for (int i = 0; i < RECORDS; i++) CHECK(CALL(write, ends[1], record, RECORD_BYTES, 0, 0) == RECORD_BYTES);
}

static void many_writers(void) {
    CHECK(CALL(pipe2, ends, 0, 0, 0, 0) == 0);
    SHOW(fcntl, ends[1], F_SETPIPE_SZ, PAGE_BYTES, 0, 0);
    struct thread *writers[WRITERS];
    for (long i = 0; i < WRITERS; i++) writers[i] = thread_start(write_records, (void *)('a' + i));
    int counts[WRITERS] = {0};
    for (int record = 0; record < WRITERS * RECORDS; record++) {
        for (long have = 0; have < RECORD_BYTES;) have += CALL(read, ends[0], buffer + have, RECORD_BYTES - have, 0, 0);
        for (int i = 1; i < RECORD_BYTES; i++) CHECK(buffer[i] == buffer[0]);
        counts[buffer[0] - 'a']++;
    }
    for (int i = 0; i < WRITERS; i++) {
        thread_join(writers[i]);
        CHECK(counts[i] == RECORDS);
    }
    print("%d records of %d writers came whole\n", WRITERS * RECORDS, WRITERS);
    CALL(close, ends[0], 0, 0, 0, 0);
    CALL(close, ends[1], 0, 0, 0, 0);
}

static void nonblocking(void) {
    CHECK(CALL(pipe2, ends, O_NONBLOCK, 0, 0, 0) == 0);
    SHOW(read, ends[0], buffer, 1, 0, 0);
    SHOW(write, ends[1], buffer, BIG, 0, 0);
    SHOW(write, ends[1], buffer, 1, 0, 0);
    SHOW(read, ends[0], buffer, 4096, 0, 0);
    SHOW(write, ends[1], buffer, 4097, 0, 0);
    SHOW(read, ends[1], buffer, 1, 0, 0);
    SHOW(lseek, ends[0], 0, 0, 0, 0);
    struct pollfd polls[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
    struct timespec now = {0, 0};
    SHOW(ppoll, polls, 2, &now, 0, 0);
    print("revents %d %d\n", polls[0].revents, polls[1].revents);
    CALL(close, ends[1], 0, 0, 0, 0);
    while (CALL(read, ends[0], buffer, BIG, 0, 0) > 0) {}
    SHOW(ppoll, polls, 1, &now, 0, 0);
    print("revents %d\n", polls[0].revents);
    CALL(close, ends[0], 0, 0, 0, 0);
}

static void write_fifo(void *unused) {
    (void)unused;
    long fd = CALL(openat, AT, fifo, O_WRONLY, 0, 0);
    CHECK(CALL(write, fd, "through the fifo", 16, 0, 0) == 16);
    CALL(close, fd, 0, 0, 0, 0);
}

static void fifos(void) {
    CHECK(CALL(mknodat, AT, fifo, S_IFIFO | 0600, 0, 0) == 0);
    SHOW(openat, AT, "/tmp/pagewalk-fifo", O_WRONLY | O_NONBLOCK, 0, 0);
    for (int round = 0; round < 3; round++) {
        struct thread *writer = thread_start(write_fifo, NULL);
        long fd = CALL(openat, AT, fifo, O_RDONLY, 0, 0);
        long first = CALL(read, fd, buffer, 100, 0, 0);
        print("fifo: %ld bytes, then %ld\n", first, CALL(read, fd, buffer, 100, 0, 0));
        thread_join(writer);
        CALL(close, fd, 0, 0, 0, 0);
    }
    CHECK(CALL(unlinkat, AT, fifo, 0, 0, 0) == 0);
}

static void wake_poller(void *argument) {
    uint64_t one = 1;
    CHECK(CALL(write, (long)argument, &one, 8, 0, 0) == 8);
}

static void events(void) {
    long fd = CALL(eventfd2, 0, 0, 0, 0, 0);
    struct pollfd wanted = {(int)fd, POLLIN, 0};
    struct thread *waker = thread_start(wake_poller, (void *)fd);
    SHOW(ppoll, &wanted, 1, 0, 0, 0);
    thread_join(waker);
    uint64_t value = 0;
    SHOW(read, fd, &value, 8, 0, 0);
    print("counted %lu\n", (unsigned long)value);
    CALL(close, fd, 0, 0, 0, 0);
}

int main(void) {
    one_writer();
    many_writers();
    nonblocking();
    fifos();
    events();
    return 0;
}
