// userfaultfd: a monitor thread delivers the pages that the main thread touches, from guest code and from inside system
// calls, and hears of stores to pages that it has write-protected.
// System calls: userfaultfd, ioctl, read, poll, mmap, munmap, mremap, madvise, pipe2, write, clone, wait4, tgkill.

#include <linux/poll.h>

#include "lib/signals.h"
#include "lib/thread.h"
#include "lib/userfault.h"

#define PAGES 8

static char *area, *source;
static volatile uint32_t missing, written, protected_stores;
static volatile int handled, seen_by_handler;

static void nothing(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)info, (void)context;
    seen_by_handler = 1;
}

/** Answers faults until it is told to end by a byte in the pipe. */
static int stop_pipe[2];
static void monitor(void *unused) {
    (void)unused;
    for (;;) {
        struct pollfd fds[2] = {{.fd = uffd, .events = POLLIN}, {.fd = stop_pipe[0], .events = POLLIN}};
        CHECK(CALL(ppoll, fds, 2, NULL, NULL, 0) >= 0);
        if (fds[1].revents != 0) return;
        struct uffd_msg message;
        long length = CALL(read, uffd, &message, sizeof message, 0, 0);
        if (length == -EAGAIN) continue;
        CHECK(length == sizeof message && message.event == UFFD_EVENT_PAGEFAULT);
        char *page = (char *)(message.arg.pagefault.address & -PAGE_BYTES);
        CHECK(page >= area && page < area + PAGES * PAGE_BYTES);
        if ((message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP) != 0) {
            __atomic_add_fetch(&protected_stores, 1, __ATOMIC_SEQ_CST);
            CHECK(protect(page, 1, 0) == 0);
            continue;
        }
        __atomic_add_fetch(&missing, 1, __ATOMIC_SEQ_CST);
        int is_store = (message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE) != 0;
        __atomic_add_fetch(&written, is_store, __ATOMIC_SEQ_CST);
        if (handled == 1) {
            // A signal in between: the handler runs first, then the fault is made again.
            handled = 2;
            CHECK(sys_tgkill((int)sys_getpid(), (int)sys_getpid(), SIGUSR1) == 0);
            while (seen_by_handler == 0) sys_sched_yield();
        }
        long error = copy_page(page, source + (page - area), 1, 0, NULL);
        CHECK(error == 0 || error == -EEXIST || error == -EAGAIN);
    }
}

static struct thread *start_monitor(void) {
    CHECK(CALL(pipe2, stop_pipe, 0, 0, 0, 0) == 0);
    return thread_start(monitor, NULL);
}

static void stop_monitor(struct thread *thread) {
    CHECK(sys_write(stop_pipe[1], "x", 1) == 1);
    thread_join(thread);
    CALL(close, stop_pipe[0], 0, 0, 0, 0);
    CALL(close, stop_pipe[1], 0, 0, 0, 0);
}

static void handshake(void) {
    uffd = (int)CALL(userfaultfd, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0);
    print("flags: %ld\n", CALL(userfaultfd, 4, 0, 0, 0, 0));
    print("before UFFDIO_API: register %ld", enroll(area, 1, UFFDIO_REGISTER_MODE_MISSING, NULL));
    struct pollfd poll = {.fd = uffd, .events = POLLIN};
    CALL(ppoll, &poll, 1, NULL, NULL, 0);
    print(", read %ld, poll %x\n", CALL(read, uffd, source, 32, 0, 0), poll.revents);
    struct uffdio_api api = {.api = 1};
    print("another api: %ld", control(UFFDIO_API, &api));
    print(", zeroed %d\n", api.api == 0 && api.features == 0 && api.ioctls == 0);
    api = (struct uffdio_api){.api = UFFD_API};
    print("this api: %ld", control(UFFDIO_API, &api));
    api = (struct uffdio_api){.api = UFFD_API};
    print(", twice %ld\n", control(UFFDIO_API, &api));
    print("read with nothing pending: %ld, too short %ld\n", CALL(read, uffd, source, 32, 0, 0),
          CALL(read, uffd, source, 31, 0, 0));
    CALL(close, uffd, 0, 0, 0, 0);
}

static void refusals(void) {
    open_uffd(0);
    int first = uffd;
    unsigned long ioctls = 0;
    print("mode 0: %ld, unaligned %ld, empty %ld, unmapped %ld\n", enroll(area, 1, 0, NULL),
          enroll(area + 1, 1, UFFDIO_REGISTER_MODE_MISSING, NULL), enroll(area, 0, UFFDIO_REGISTER_MODE_MISSING, NULL),
          enroll((void *)0x100000, 1, UFFDIO_REGISTER_MODE_MISSING, NULL));
    print("register: %ld", enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING, &ioctls));
    print(", copy %d zeropage %d wake %d writeprotect %d\n", (int)(ioctls >> _UFFDIO_COPY & 1),
          (int)(ioctls >> _UFFDIO_ZEROPAGE & 1), (int)(ioctls >> _UFFDIO_WAKE & 1),
          (int)(ioctls >> _UFFDIO_WRITEPROTECT & 1));
    open_uffd(0);
    print("registered with another: %ld\n", enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING, NULL));
    CALL(close, uffd, 0, 0, 0, 0);
    uffd = first;
    long done = 0;
    print("copy: %ld", copy_page(area + PAGE_BYTES, source + PAGE_BYTES, 1, 0, &done));
    print(" %ld\n", done);
    print("copy over a page: %ld", copy_page(area + PAGE_BYTES, source, 1, 0, &done));
    print(" %ld\n", done);
    print("copy of two, the second is there: %ld", copy_page(area, source, 2, 0, &done));
    print(" %ld\n", done);
    print("copy from nowhere: %ld", copy_page(area + 2 * PAGE_BYTES, (void *)0x1000, 1, 0, &done));
    print(" %ld\n", done);
    print("copy to what is not registered: %ld", copy_page(source, source, 1, 0, &done));
    print(" %ld\n", done);
    print("copy, unknown mode %ld, write-protected without WP %ld\n",
          copy_page(area + 2 * PAGE_BYTES, source, 1, 4, NULL),
          copy_page(area + 2 * PAGE_BYTES, source, 1, UFFDIO_COPY_MODE_WP, NULL));
    print("zeropage: %ld", zero_page(area + 3 * PAGE_BYTES, 1, &done));
    print(" %ld, it reads %d\n", done, area[3 * PAGE_BYTES]);
    print("writeprotect without WP: %ld\n", protect(area, 1, UFFDIO_WRITEPROTECT_MODE_WP));
    print("content: %d %d\n", area[0] == source[0], area[PAGE_BYTES] == source[PAGE_BYTES]);
    CALL(close, uffd, 0, 0, 0, 0);
    // Nobody is told any more: the rest is zero.
    print("after close: %d\n", area[5 * PAGE_BYTES]);
    sys_madvise(area, PAGES * PAGE_BYTES, MADV_DONTNEED);
}

static void faults(void) {
    open_uffd(0);
    CHECK(enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING, NULL) == 0);
    struct thread *thread = start_monitor();
    long sum = 0;
    for (int page = 0; page < PAGES; page++) sum += area[page * PAGE_BYTES] == source[page * PAGE_BYTES];
    print("loads: %ld pages right, %u missing, %u by stores\n", sum, missing, written);
    missing = written = 0;
    sys_madvise(area, PAGES * PAGE_BYTES, MADV_DONTNEED);
    for (int page = 0; page < PAGES; page++) area[page * PAGE_BYTES + 1] = 'w';
    for (int page = sum = 0; page < PAGES; page++)
        sum += area[page * PAGE_BYTES] == source[page * PAGE_BYTES] && area[page * PAGE_BYTES + 1] == 'w';
    print("stores: %ld pages right, %u missing, %u by stores\n", sum, missing, written);

    // The kernel's own accesses wait too, and the calls do what they should, once.
    int ends[2];
    CHECK(CALL(pipe2, ends, 0, 0, 0, 0) == 0);
    missing = written = 0;
    sys_madvise(area, PAGES * PAGE_BYTES, MADV_DONTNEED);
    print("write from pages that come late: %ld", CALL(write, ends[1], area, PAGES * PAGE_BYTES, 0, 0));
    print(", %u missing, %u by stores\n", missing, written);
    missing = written = 0;
    sys_madvise(area, PAGES * PAGE_BYTES, MADV_DONTNEED);
    long got = 0, length = 1, all = PAGES * PAGE_BYTES;
    for (; got < all && length > 0; got += length) length = CALL(read, ends[0], area + got, all - got, 0, 0);
    print("read into pages that come late: %ld, right %d", got, memcmp(area, source, PAGES * PAGE_BYTES) == 0);
    print(", %u missing, %u by stores\n", missing, written);

    sys_madvise(area, PAGES * PAGE_BYTES, MADV_DONTNEED);
    CHECK(handle(SIGUSR1, nothing, 0, 0) == 0);
    handled = 1;
    sum = *(volatile char *)(area + 2 * PAGE_BYTES) == source[2 * PAGE_BYTES];
    print("a signal while it waits: handler ran %d, page right %ld\n", seen_by_handler, sum);
    stop_monitor(thread);
    CALL(close, uffd, 0, 0, 0, 0);
    sys_madvise(area, PAGES * PAGE_BYTES, MADV_DONTNEED);
}

static void write_protection(void) {
    open_uffd(0);
    memcpy(area, source, 4 * PAGE_BYTES);
    CHECK(enroll(area, PAGES, UFFDIO_REGISTER_MODE_WP, NULL) == 0);
    CHECK(protect(area, 4, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
    struct thread *thread = start_monitor();
    long sum = 0;
    for (int page = 0; page < 4; page++) sum += area[page * PAGE_BYTES] == source[page * PAGE_BYTES];
    print("write-protected: %ld pages read, %u stores told\n", sum, protected_stores);
    for (int page = 0; page < 4; page++) area[page * PAGE_BYTES] = 'p';
    for (int page = 0; page < 4; page++) area[page * PAGE_BYTES + 1] = 'p';
    print("stores: %u told\n", protected_stores);
    CHECK(protect(area, 1, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
    CHECK(sys_mprotect(area, PAGE_BYTES, PROT_READ) == 0);
    CHECK(sys_mprotect(area, PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
    area[2] = 'p';
    print("after mprotect to and fro: %u told\n", protected_stores);
    CHECK(protect(area, 4, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
    long pid = CALL(clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
        // The child is registered with nothing: no monitor is needed for its stores.
        area[0] = 'c';
        sys_exit_group(area[0] == 'c' && area[7 * PAGE_BYTES] == 0 ? 7 : 1);
    }
    int status = 0;
    CHECK(CALL(wait4, pid, &status, 0, 0, 0) == pid);
    print("in a child: exit %d", status >> 8);
    area[3] = 'p';
    print(", in its parent %u told\n", protected_stores);
    struct uffdio_range range = {(unsigned long)area, PAGES * PAGE_BYTES};
    CHECK(protect(area, 4, UFFDIO_WRITEPROTECT_MODE_WP) == 0);
    print("unregister: %ld", control(UFFDIO_UNREGISTER, &range));
    area[PAGE_BYTES] = 'u';
    print(", then %u told\n", protected_stores);
    stop_monitor(thread);
    CALL(close, uffd, 0, 0, 0, 0);
    sys_madvise(area, PAGES * PAGE_BYTES, MADV_DONTNEED);
}

static volatile uint32_t sigbus;
static void catch_sigbus(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)context;
    sigbus += info->si_addr == area;
    struct uffdio_range range = {(unsigned long)area, PAGES * PAGE_BYTES};
    CHECK(control(UFFDIO_UNREGISTER, &range) == 0);
}

static void signals_and_moves(void) {
    open_uffd(UFFD_FEATURE_SIGBUS);
    CHECK(enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING, NULL) == 0);
    CHECK(handle(SIGBUS, catch_sigbus, 0, 0) == 0);
    int value = *(volatile char *)area;
    print("with UFFD_FEATURE_SIGBUS: %u signals, then it reads %d\n", sigbus, value);
    CHECK(enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING, NULL) == 0);
    print("a call gets EFAULT: %ld\n", CALL(write, stop_pipe[1], area + PAGE_BYTES, 1, 0, 0) == -EBADF
              ? CALL(getrandom, area + PAGE_BYTES, 1, 0, 0, 0)
              : 0);
    char *moved = (char *)sys_mremap(area, PAGES * PAGE_BYTES, PAGES * PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED,
                                     source + 4 * PAGES * PAGE_BYTES);
    CHECK((long)moved > 0);
    print("moved elsewhere it is registered no more: %d\n", moved[2 * PAGE_BYTES]);
    CALL(close, uffd, 0, 0, 0, 0);
}

int main(void) {
    char *both = map_pages(6 * PAGES, PROT_READ | PROT_WRITE);
    source = both;
    area = map_pages(PAGES, PROT_READ | PROT_WRITE);
    for (size_t i = 0; i < PAGES * PAGE_BYTES; i++) source[i] = (char)(i % 251 + 1);
    handshake();
    refusals();
    faults();
    write_protection();
    signals_and_moves();
    return 0;
}
