// userfaultfd as a monitor of others uses it: fork, mremap, madvise and munmap are told, who does them waits until that
// has been read, and until then no page is delivered. The copy that fork makes has a descriptor of its own.
// System calls: userfaultfd, ioctl, read, poll, mmap, munmap, mremap, madvise, brk, clone, wait4, kill, futex.

#include <linux/poll.h>

#include "lib/process.h"
#include "lib/thread.h"
#include "lib/userfault.h"

#define PAGES 8
#define RW (PROT_READ | PROT_WRITE)

static char *area, *place, *source;
static long result;
static volatile uint32_t over;

static long bytes_at(unsigned long address) {
    return (long)(address - (unsigned long)area);
}

/** Waits for the next message and says what it is. */
static struct uffd_msg next(void) {
    struct uffd_msg message;
    long length;
    while ((length = CALL(read, uffd, &message, sizeof message, 0, 0)) == -EAGAIN) sys_sched_yield();
    CHECK(length == sizeof message);
    switch (message.event) {
    case UFFD_EVENT_PAGEFAULT:
        print("fault at %ld", bytes_at(message.arg.pagefault.address));
        break;
    case UFFD_EVENT_FORK:
        print("fork");
        break;
    case UFFD_EVENT_REMAP:
        print("remap of %ld bytes from %ld to the %s", (long)message.arg.remap.len, bytes_at(message.arg.remap.from),
              message.arg.remap.to == (unsigned long)place ? "place" : "unknown");
        break;
    case UFFD_EVENT_REMOVE:
        print("remove %ld to %ld", bytes_at(message.arg.remove.start), bytes_at(message.arg.remove.end));
        break;
    case UFFD_EVENT_UNMAP:
        print("unmap %ld to %ld", bytes_at(message.arg.remove.start), bytes_at(message.arg.remove.end));
        break;
    }
    return message;
}

/** In a thread of its own: the call, and that it is over. */
static void discard(void *unused) {
    (void)unused;
    result = sys_madvise(area + PAGE_BYTES, 2 * PAGE_BYTES, MADV_DONTNEED);
    over = 1;
}

static void unmap(void *unused) {
    (void)unused;
    result = sys_munmap(area + 6 * PAGE_BYTES, 2 * PAGE_BYTES);
    over = 1;
}

static void overmap(void *unused) {
    (void)unused;
    result = sys_mmap(area + 5 * PAGE_BYTES, PAGE_BYTES, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    over = 1;
}

static void move(void *unused) {
    (void)unused;
    result = sys_mremap(area, 4 * PAGE_BYTES, 4 * PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    over = 1;
}

static void touch(void *address) {
    result = *(volatile char *)address;
}

/** Begins `call`; it is not over, and no page is delivered, before its event has been read. */
static struct thread *begin(thread_function *call) {
    over = 0;
    struct thread *thread = thread_start(call, NULL);
    struct pollfd poll = {.fd = uffd, .events = POLLIN};
    CHECK(CALL(ppoll, &poll, 1, NULL, NULL, 0) == 1 && poll.revents == POLLIN);
    print("over %u, copy %ld; ", over, copy_page(area + 4 * PAGE_BYTES, source, 1, 0, NULL));
    return thread;
}

static void changes(void) {
    CHECK(copy_page(area, source, 4, 0, NULL) == 0);
    struct thread *thread = begin(discard);
    next();
    thread_join(thread);
    print(": %ld\n", result);
    thread = thread_start(touch, area + PAGE_BYTES);
    next();
    CHECK(copy_page(area + PAGE_BYTES, source, 2, 0, NULL) == 0);
    thread_join(thread);
    print(": it reads %ld\n", result);
    thread = begin(unmap);
    next();
    thread_join(thread);
    print(": %ld, then copy %ld\n", result, copy_page(area + 6 * PAGE_BYTES, source, 1, 0, NULL));
    thread = begin(overmap);
    next();
    thread_join(thread);
    print(": %d, not registered: it reads %d\n", result == (long)area + 5 * (long)PAGE_BYTES, area[5 * PAGE_BYTES]);
    place = map_pages(PAGES, RW);
    thread = begin(move);
    next();
    print(", ");
    next();
    thread_join(thread);
    print(": %d, it reads %d\n", result == (long)place, place[PAGE_BYTES] == source[0]);
    print("registered there: copy %ld", copy_page(place, source, 1, 0, NULL));
    sys_madvise(source, PAGE_BYTES, MADV_DONTNEED); // registered with nobody: nobody is asked
    CHECK(sys_munmap(area, 4 * PAGE_BYTES) == 0);
    print(", where it was: copy %ld\n", copy_page(area, source, 1, 0, NULL));
}

/** The copy waits for a page and for leave to write; what it gets is its own. */
static void fork_and_wait(void *unused) {
    (void)unused;
    // With the descriptors of the parent: its own copy of `uffd` would keep that open.
    long pid = CALL(clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        int right = area[PAGE_BYTES] == 'm' && area[0] == 'p';
        area[0] = 'c';
        sys_exit_group(right && area[0] == 'c' ? 7 : 1);
    }
    int status = 0;
    CHECK(sys_wait4((int)pid, &status, 0) == pid);
    result = exit_code(status);
    over = 1;
}

static void forks(void) {
    area = place;
    CHECK(enroll(area, 4, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP, NULL) == 0);
    area[0] = 'p';
    CHECK(protect(area, 1, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
    struct thread *remover = begin(discard);
    next();
    thread_join(remover);
    print("\n");
    struct thread *thread = begin(fork_and_wait);
    int parent = uffd;
    uffd = (int)next().arg.fork.ufd;
    print("; in the copy: ");
    next();
    source[0] = 'm';
    CHECK(copy_page(area + PAGE_BYTES, source, 1, 0, NULL) == 0);
    print(", ");
    CHECK((next().arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) != 0);
    print(" by a store");
    CHECK(protect(area, 1, 0) == 0);
    thread_join(thread);
    print(": exit %ld, the original reads %c\n", result, area[0]);
    print("the copy has ended: copy %ld\n", copy_page(area + 2 * PAGE_BYTES, source, 1, 0, NULL));
    CALL(close, uffd, 0, 0, 0, 0);
    uffd = parent;
    // Nobody reads any more: who waits goes on, and the copy finds zeros.
    thread = begin(fork_and_wait);
    CALL(close, uffd, 0, 0, 0, 0);
    thread_join(thread);
    print("closed instead of read: exit %ld\n", result);
}

int main(void) {
    source = map_pages(PAGES, RW);
    for (size_t i = 0; i < PAGES * PAGE_BYTES; i++) source[i] = (char)(i % 251 + 1);
    area = map_pages(PAGES, RW);
    open_uffd(UFFD_FEATURE_EVENT_FORK | UFFD_FEATURE_EVENT_REMAP | UFFD_FEATURE_EVENT_REMOVE |
              UFFD_FEATURE_EVENT_UNMAP);
    CHECK(enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING, NULL) == 0);
    changes();
    forks();
    return 0;
}
