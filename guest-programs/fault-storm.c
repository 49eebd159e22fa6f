// Page faults from many threads at once.
//
//   fault-storm [THREADS [PAGES [ROUNDS [own|slice|same [munmap|dontneed]]]]]
//
// own:   each thread has a vma of its own, so faults on different harts take different vma locks.
// slice: one vma, each thread touches its own PAGES pages: different page table entries under one lock.
// same:  one vma and one set of pages: all threads fault on the same entries, each page must get one frame.
// Between rounds the pages go away (munmap and mmap again, or MADV_DONTNEED) and must read zero when they return.
// System calls: mmap, munmap, madvise, clone, futex, exit, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define THREADS_MAX 256

enum sharing { OWN, SLICE, SAME };

static unsigned long threads, pages, rounds;
static enum sharing sharing;
static int unmap_between_rounds;
static char *shared;
static struct barrier start;
static volatile uint32_t touched, not_zero;

/** Maps `count` pages and one PROT_NONE page behind them, so that neighbours do not merge into one vma. */
static char *reserve(unsigned long count) {
    char *base = map_pages(count + 1, PROT_NONE);
    CHECK(sys_mprotect(base, count * PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
    return base;
}

static void drop(char *base, unsigned long count) {
    if (!unmap_between_rounds) {
        CHECK(sys_madvise(base, count * PAGE_BYTES, MADV_DONTNEED) == 0);
        return;
    }
    CHECK(sys_munmap(base, count * PAGE_BYTES) == 0);
    long again = sys_mmap(base, count * PAGE_BYTES, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(again == (long)base);
}

/** Every page starts at zero and gains one from each thread that may touch it. */
static void touch(char *base) {
    uint32_t owners = sharing == SAME ? (uint32_t)threads : 1;
    for (unsigned long page = 0; page < pages; page++) {
        uint32_t before = fetch_add((volatile uint32_t *)(base + page * PAGE_BYTES), 1);
        if (before >= owners) fetch_add(&not_zero, 1);
    }
    fetch_add(&touched, (uint32_t)pages);
}

static void worker(void *argument) {
    unsigned long index = (unsigned long)argument;
    char *base = sharing == OWN ? reserve(pages) : sharing == SLICE ? shared + index * pages * PAGE_BYTES : shared;
    barrier_wait(&start);
    for (unsigned long round = 0; round < rounds; round++) {
        touch(base);
        if (sharing == SAME) {
            barrier_wait(&start);
            if (index == 0) {
                for (unsigned long page = 0; page < pages; page++) {
                    if (*(uint32_t *)(base + page * PAGE_BYTES) != threads) fetch_add(&not_zero, 1);
                }
                drop(base, pages);
            }
            barrier_wait(&start);
        } else {
            drop(base, pages);
        }
    }
}

static enum sharing parse_sharing(const char *word) {
    if (strcmp(word, "own") == 0) return OWN;
    if (strcmp(word, "slice") == 0) return SLICE;
    if (strcmp(word, "same") == 0) return SAME;
    fail("own, slice or same, not %s", word);
}

int main(int argc, char **argv) {
    threads = argument_number(argc, argv, 1, 4, 1, THREADS_MAX);
    pages = argument_number(argc, argv, 2, 64, 1, 1 << 16);
    rounds = argument_number(argc, argv, 3, 8, 1, 1 << 16);
    const char *sharing_word = argument_word(argc, argv, 4, "own");
    const char *drop_word = argument_word(argc, argv, 5, "munmap");
    sharing = parse_sharing(sharing_word);
    unmap_between_rounds = strcmp(drop_word, "munmap") == 0;
    if (!unmap_between_rounds && strcmp(drop_word, "dontneed") != 0) fail("munmap or dontneed, not %s", drop_word);

    start.parties = (uint32_t)threads;
    if (sharing != OWN) shared = reserve(sharing == SLICE ? threads * pages : pages);
    struct thread *workers[THREADS_MAX];
    for (unsigned long i = 0; i < threads; i++) workers[i] = thread_start(worker, (void *)i);
    for (unsigned long i = 0; i < threads; i++) thread_join(workers[i]);

    print("fault-storm: %lu threads, %lu pages, %lu rounds, %s, %s\n", threads, pages, rounds, sharing_word, drop_word);
    print("touched %u pages, %u not as expected\n", touched, not_zero);
    return not_zero == 0 && touched == threads * pages * rounds ? 0 : 1;
}
