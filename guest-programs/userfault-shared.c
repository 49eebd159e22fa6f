// userfaultfd on shared memory: what fills a hole fills it for all who map the file; a page that is there already, put
// there through another mapping, is a minor fault; beyond the end there is no fault to hear of, but SIGBUS.
// System calls: userfaultfd, ioctl, read, memfd_create, ftruncate, pread64, mmap, munmap, madvise, clone, futex.

#include "lib/signals.h"
#include "lib/thread.h"
#include "lib/userfault.h"

#define PAGES 6
#define RW (PROT_READ | PROT_WRITE)

static char *area, *other, *source;
static int memory;
static unsigned long faulted;
static volatile char seen;

static char *map_file(int flags) {
    long address = sys_mmap(NULL, PAGES * PAGE_BYTES, RW, flags, memory, 0);
    CHECK(address > 0);
    return (char *)address;
}

static void touch(void *address) {
    seen = *(volatile char *)address;
}

static void store(void *address) {
    *(volatile char *)address = 's';
}

/** A thread begins `access` at `address`; says what its fault is, once it waits for that. */
static struct thread *begin(thread_function *access, char *address) {
    struct thread *thread = thread_start(access, address);
    struct uffd_msg message;
    long length;
    while ((length = CALL(read, uffd, &message, sizeof message, 0, 0)) == -EAGAIN) sys_sched_yield();
    CHECK(length == sizeof message && message.event == UFFD_EVENT_PAGEFAULT);
    faulted = message.arg.pagefault.address;
    unsigned long flags = message.arg.pagefault.flags;
    print("%s%s at byte %ld", (flags & UFFD_PAGEFAULT_FLAG_MINOR) != 0 ? "minor" : "missing",
          (flags & UFFD_PAGEFAULT_FLAG_WRITE) != 0 ? " by a store" : "", (long)(faulted - (unsigned long)area));
    return thread;
}

static void missing(void) {
    unsigned long ioctls = 0;
    print("shared and write-protected: %ld\n", enroll(area, PAGES, UFFDIO_REGISTER_MODE_WP, NULL));
    print("missing: %ld", enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING, &ioctls));
    print(", copy %d zeropage %d", (int)(ioctls >> _UFFDIO_COPY & 1), (int)(ioctls >> _UFFDIO_ZEROPAGE & 1));
    print(" continue %d\n", (int)(ioctls >> _UFFDIO_CONTINUE & 1));
    struct thread *thread = begin(touch, area + 8);
    long done = 0, result = copy_page(area, source, 1, 0, &done);
    thread_join(thread);
    print(": copy %ld %ld, it reads %d", result, done, seen == source[8]);
    print(", the other mapping %d\n", other[0] == source[0]);
    char byte = 0;
    print("and the file %d\n", CALL(pread64, memory, &byte, 1, 0, 0) == 1 && byte == source[0]);
    thread = begin(store, area + PAGE_BYTES + 16);
    result = zero_page(area + PAGE_BYTES, 1, &done);
    thread_join(thread);
    print(": zeropage %ld %ld, then %d %d\n", result, done, other[PAGE_BYTES], other[PAGE_BYTES + 16] == 's');
    other[2 * PAGE_BYTES] = 'o';
    print("a page of the file is mapped without a word: %d\n", area[2 * PAGE_BYTES] == 'o');
    result = copy_page(area + 2 * PAGE_BYTES, source, 1, 0, &done);
    print("copy over it: %ld %ld", result, done);
    sys_madvise(area, PAGES * PAGE_BYTES, MADV_DONTNEED);
    result = copy_page(area + 2 * PAGE_BYTES, source, 1, 0, &done);
    print(", not mapped here: %ld %ld", result, done);
    result = zero_page(area + 2 * PAGE_BYTES, 1, &done);
    print(", zeropage %ld %ld\n", result, done);
    result = continue_page(area + 3 * PAGE_BYTES, 1, &done);
    print("continue a hole: %ld %ld", result, done);
    result = continue_page(area, 1, &done);
    print(", a page %ld %ld", result, done);
    result = continue_page(area, 1, &done);
    print(", again %ld %ld\n", result, done);
}

static void minor(void) {
    unsigned long ioctls = 0;
    print("minor: %ld", enroll(area, PAGES, UFFDIO_REGISTER_MODE_MINOR, &ioctls));
    print(", continue %d\n", (int)(ioctls >> _UFFDIO_CONTINUE & 1));
    sys_madvise(area, PAGES * PAGE_BYTES, MADV_DONTNEED);
    other[3 * PAGE_BYTES] = 'm';
    struct thread *thread = begin(touch, area + 3 * PAGE_BYTES);
    other[3 * PAGE_BYTES] = 'M';
    long done = 0, result = continue_page(area + 3 * PAGE_BYTES, 1, &done);
    thread_join(thread);
    print(": continue %ld %ld, it reads %c\n", result, done, seen);
    thread = begin(store, area + 3 * PAGE_BYTES - PAGE_BYTES + 24);
    result = continue_page(area + 2 * PAGE_BYTES, 1, &done);
    thread_join(thread);
    print(": continue %ld %ld, then %c\n", result, done, other[2 * PAGE_BYTES + 24]);
    print("a hole is filled without a word: %d\n", area[4 * PAGE_BYTES]);
    print("private memory: %ld\n", enroll(source, 1, UFFDIO_REGISTER_MODE_MINOR, NULL));
}

static volatile uint32_t sigbus;
static void catch_sigbus(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)context;
    sigbus += info->si_addr == area + 5 * PAGE_BYTES && info->si_code == BUS_ADRERR;
    CHECK(CALL(ftruncate, memory, PAGES * PAGE_BYTES, 0, 0, 0) == 0);
    struct uffdio_range range = {(unsigned long)area, PAGES * PAGE_BYTES};
    CHECK(control(UFFDIO_UNREGISTER, &range) == 0);
}

static void beyond(void) {
    CHECK(enroll(area, PAGES, UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_MINOR, NULL) == 0);
    CHECK(CALL(ftruncate, memory, 5 * PAGE_BYTES, 0, 0, 0) == 0);
    long done = 0, result = copy_page(area + 5 * PAGE_BYTES, source, 1, 0, &done);
    print("beyond the end: copy %ld %ld", result, done);
    result = continue_page(area + 5 * PAGE_BYTES, 1, &done);
    print(", continue %ld %ld", result, done);
    CHECK(handle(SIGBUS, catch_sigbus, 0, 0) == 0);
    touch(area + 5 * PAGE_BYTES);
    print(", a load %u SIGBUS\n", sigbus);
}

/** Private pages of a file of memory: what is delivered is this mapping's alone. */
static void private_mapping(void) {
    char *own = map_file(MAP_PRIVATE);
    print("private: %ld", enroll(own, PAGES, UFFDIO_REGISTER_MODE_MISSING, NULL));
    sys_madvise(other, PAGES * PAGE_BYTES, MADV_REMOVE);
    long done = 0, result = copy_page(own, source, 1, 0, &done);
    print(", copy %ld %ld, it reads %d", result, done, own[1] == source[1]);
    print(", the file %d\n", other[1]);
    unmap_pages(own, PAGES);
}

int main(void) {
    source = map_pages(PAGES, RW);
    for (size_t i = 0; i < PAGES * PAGE_BYTES; i++) source[i] = (char)(i % 251 + 1);
    memory = (int)CALL(memfd_create, "shared", 0, 0, 0, 0);
    CHECK(memory >= 0 && CALL(ftruncate, memory, PAGES * PAGE_BYTES, 0, 0, 0) == 0);
    area = map_file(MAP_SHARED);
    other = map_file(MAP_SHARED);
    open_uffd(UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM | UFFD_FEATURE_EXACT_ADDRESS);
    missing();
    minor();
    beyond();
    private_mapping();
    CALL(close, uffd, 0, 0, 0, 0);
    return 0;
}
