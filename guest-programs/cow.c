// Copy on write of the zero page: pages that were only read share one frame of zeroes, and a write to one of them,
// by a store, an AMO, an SC, the kernel, or by several threads at once, shows in that page alone.
// (Copy on write after fork needs fork, and has a program of its own.)
// System calls: mmap, madvise, munmap, clock_gettime, clone, futex, exit, exit_group, write.

#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define PAGES 64ul
#define THREADS 8u
#define RACES 32u

static char *base;

static volatile uint32_t *word_of(unsigned long page) {
    return (volatile uint32_t *)(base + page * PAGE_BYTES);
}

static void expect_zero(unsigned long first, unsigned long step) {
    for (unsigned long page = first; page < PAGES; page += step) {
        for (unsigned long word = 0; word < PAGE_BYTES / 4; word++) {
            if (word_of(page)[word] != 0) fail("page %lu word %lu is %x", page, word, word_of(page)[word]);
        }
    }
}

static void store_to_every_second_page(void) {
    for (unsigned long page = 0; page < PAGES; page += 2) *word_of(page) = 0xc0de0000 + (uint32_t)page;
    expect_zero(1, 2);
    for (unsigned long page = 0; page < PAGES; page += 2) CHECK(*word_of(page) == 0xc0de0000 + page);
}

static void forget(void) {
    CHECK(sys_madvise(base, PAGES * PAGE_BYTES, MADV_DONTNEED) == 0);
    expect_zero(0, 1);
}

/** Page 0 by AMO, 1 by SC, 2 by the kernel; all were mapped to the zero page by the reads of forget(). */
static void write_in_other_ways(void) {
    __asm__ volatile("amoadd.w zero, %1, %0" : "+A"(*word_of(0)) : "r"(7) : "memory");
    uint32_t old, failed;
    __asm__ volatile("1: lr.w %0, %2\n   sc.w %1, %3, %2\n   bnez %1, 1b"
                     : "=&r"(old), "=&r"(failed), "+A"(*word_of(1)) : "r"(9) : "memory");
    CHECK(sys_clock_gettime(CLOCK_REALTIME, (struct timespec *)(base + 2 * PAGE_BYTES)) == 0);
    CHECK(*word_of(0) == 7 && old == 0 && *word_of(1) == 9 && *word_of(2) != 0);
    expect_zero(3, 1);
}

static struct barrier together = BARRIER(THREADS);

/** All threads break the sharing of the same page at once; no thread's word may be lost in a second copy. */
static void racer(void *argument) {
    uint32_t index = (uint32_t)(uintptr_t)argument;
    for (uint32_t race = 0; race < RACES; race++) {
        CHECK(load_relaxed(&word_of(race)[index]) == 0);
        barrier_wait(&together);
        store_relaxed(&word_of(race)[index], race + 1);
        barrier_wait(&together);
        for (uint32_t other = 0; other < THREADS; other++) CHECK(load_relaxed(&word_of(race)[other]) == race + 1);
        barrier_wait(&together);
    }
}

int main(void) {
    base = map_pages(PAGES, PROT_READ | PROT_WRITE);
    expect_zero(0, 1);
    print("cow: %lu pages read as zero\n", PAGES);
    store_to_every_second_page();
    print("cow: stores show in their own page only\n");
    forget();
    write_in_other_ways();
    print("cow: so do an AMO, an SC and a write by the kernel\n");
    forget();
    struct thread *threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) threads[i] = thread_start(racer, (void *)i);
    for (uintptr_t i = 0; i < THREADS; i++) thread_join(threads[i]);
    print("cow: %u threads, %u races, no word lost\n", THREADS, RACES);
    unmap_pages(base, PAGES);
    return 0;
}
