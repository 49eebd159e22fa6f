// A hart must not use an old translation after the call that removed it has returned.
//
//   munmap-race [fixed|dontneed|mremap|munmap [READERS [GENERATIONS]]]
//
// The main thread replaces the same few pages again and again, each time with another generation, and says so in
// `announced` after the system call has returned. A reader that sees generation a announced and then reads from
// the page a value below a has used the old frame: the process fails.
//
// fixed:    mmap(MAP_FIXED) of fresh pages over the old ones. There is never a hole, so no access may fault.
// dontneed: madvise(MADV_DONTNEED), the same vma with new frames.
// mremap:   a page that was filled elsewhere moves over the old one (MREMAP_FIXED).
// munmap:   a real hole. The readers let the kernel do the access: futex(FUTEX_WAIT) compares the word and
//           answers EAGAIN (another value), EFAULT (no page) or, if it equals the old value, ETIMEDOUT.
//
// Odd readers also store to the page. Frames that were freed are used at once for a scratch page that nobody else
// knows: a store through an old translation shows up there.
// System calls: mmap, munmap, mprotect, madvise, mremap, clone, futex, sched_yield, exit, exit_group, write.

#include "lib/arguments.h"
#include "lib/atomics.h"
#include "lib/memory.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define READERS_MAX 64
#define PAGES 4ul
#define WORDS_PER_PAGE (PAGE_BYTES / sizeof(uint32_t))
#define READS_BETWEEN_YIELDS 2048
#define GENERATIONS_BETWEEN_MEETINGS 16
#define GENERATION_FIRST 2      // so that the generation before it differs from the zero of a fresh page

enum mode { FIXED, DONTNEED, MREMAP, MUNMAP };

/** One reader's words, on a cache line of its own. */
struct reader {
    volatile uint32_t seen;     // the newest generation it has checked the pages against
    uint32_t index;
} __attribute__((aligned(64)));

static enum mode mode;
static char *pages, *spare, *scratch;
static volatile uint32_t announced, stop;
static struct reader readers[READERS_MAX];
static struct barrier start;

static volatile uint32_t *page_word(char *base, unsigned long page, unsigned long word) {
    return (volatile uint32_t *)(base + page * PAGE_BYTES) + word;
}

/** Zero is a fresh page, not yet written; `after` was announced no earlier than the read, so nothing newer exists. */
static void check_read(const struct reader *reader, uint32_t before, uint32_t value, uint32_t after) {
    uint32_t newest = mode == MREMAP ? after + 1 : after;
    if (mode != MREMAP && value == 0) return;
    if (value >= before && value <= newest) return;
    fail("reader %u read %u, though %u was announced before and %u after", reader->index, value, before, after);
}

static void read_directly(const struct reader *reader, unsigned long page) {
    uint32_t before = load_acquire(&announced);
    if (reader->index % 2 == 1) *page_word(pages, page, 1 + reader->index) = before;
    uint32_t value = load_acquire(page_word(pages, page, 0));
    check_read(reader, before, value, load_acquire(&announced));
}

static void read_through_kernel(const struct reader *reader, unsigned long page) {
    const struct timespec at_once = {0, 0};
    uint32_t before = load_acquire(&announced);
    long result = sys_futex(page_word(pages, page, 0), FUTEX_WAIT_PRIVATE, before - 1, &at_once);
    if (result == -EAGAIN || result == -EFAULT) return;
    fail("reader %u: the kernel compared with %u, gone since %u, and returned %ld", reader->index, before - 1, before,
         result);
}

static void reader_main(void *argument) {
    struct reader *reader = argument;
    barrier_wait(&start);
    for (unsigned long reads = 0; load_relaxed(&stop) == 0; reads++) {
        uint32_t generation = load_acquire(&announced);
        for (unsigned long page = 0; page < PAGES; page++) {
            if (mode == MUNMAP) read_through_kernel(reader, page);
            else read_directly(reader, page);
        }
        store_release(&reader->seen, generation);
        if (reads % READS_BETWEEN_YIELDS == 0) sys_sched_yield();
    }
}

static void fill(char *base, uint32_t generation) {
    for (unsigned long page = 0; page < PAGES; page++) store_release(page_word(base, page, 0), generation);
}

static void map_at(char *base, int how) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | how;
    CHECK(sys_mmap(base, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0) == (long)base);
}

/** When this returns, no hart may reach the frames that were mapped at `pages` before. */
static void replace(uint32_t generation) {
    switch (mode) {
    case FIXED: map_at(pages, MAP_FIXED); break;
    case DONTNEED: CHECK(sys_madvise(pages, PAGES * PAGE_BYTES, MADV_DONTNEED) == 0); break;
    case MREMAP:
        map_at(spare, MAP_FIXED_NOREPLACE);
        fill(spare, generation);
        CHECK(sys_mremap(spare, PAGES * PAGE_BYTES, PAGES * PAGE_BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, pages) ==
              (long)pages);
        break;
    case MUNMAP: CHECK(sys_munmap(pages, PAGES * PAGE_BYTES) == 0); break;
    }
}

/** Takes the frames that were just freed. Its words hold the generation, or zero, for as long as nobody strays. */
static void scratch_take(uint32_t generation) {
    for (unsigned long page = 0; page < PAGES; page++) *page_word(scratch, page, 0) = generation;
}

static void scratch_check_and_drop(uint32_t generation) {
    for (unsigned long page = 0; page < PAGES; page++) {
        CHECK(*page_word(scratch, page, 0) == generation);
        for (unsigned long word = 1; word < 1 + READERS_MAX; word++) {
            uint32_t value = *page_word(scratch, page, word);
            if (value != 0) fail("generation %u: stray store of %u to a page of another owner", generation, value);
        }
    }
    CHECK(sys_madvise(scratch, PAGES * PAGE_BYTES, MADV_DONTNEED) == 0);
}

/** Without this a fast main thread could be done before a reader has read once. */
static void meet_readers(unsigned long count, uint32_t generation) {
    for (unsigned long i = 0; i < count; i++) {
        while (load_acquire(&readers[i].seen) < generation) sys_sched_yield();
    }
}

static enum mode parse_mode(const char *word) {
    if (strcmp(word, "fixed") == 0) return FIXED;
    if (strcmp(word, "dontneed") == 0) return DONTNEED;
    if (strcmp(word, "mremap") == 0) return MREMAP;
    if (strcmp(word, "munmap") == 0) return MUNMAP;
    fail("fixed, dontneed, mremap or munmap, not %s", word);
}

static void replace_many_times(unsigned long count, uint32_t generations) {
    for (uint32_t generation = GENERATION_FIRST + 1; generation <= generations; generation++) {
        replace(generation);
        store_release(&announced, generation);
        scratch_take(generation);
        if (mode == MUNMAP) map_at(pages, MAP_FIXED_NOREPLACE);
        if (mode != MREMAP) fill(pages, generation);
        if (generation % GENERATIONS_BETWEEN_MEETINGS == 0) meet_readers(count, generation);
        scratch_check_and_drop(generation);
    }
}

int main(int argc, char **argv) {
    const char *mode_word = argument_word(argc, argv, 1, "fixed");
    mode = parse_mode(mode_word);
    unsigned long count = argument_number(argc, argv, 2, 3, 1, READERS_MAX);
    uint32_t generations = (uint32_t)argument_number(argc, argv, 3, 500, GENERATION_FIRST + 1, 1 << 24);

    // The page after each area stays PROT_NONE, so that every area is a vma of its own.
    pages = map_pages(PAGES + 1, PROT_NONE);
    spare = map_pages(PAGES + 1, PROT_NONE);
    scratch = map_pages(PAGES + 1, PROT_NONE);
    CHECK(sys_mprotect(scratch, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE) == 0);
    map_at(pages, MAP_FIXED);
    fill(pages, GENERATION_FIRST);
    announced = GENERATION_FIRST;

    struct thread *threads[READERS_MAX];
    start.parties = (uint32_t)count + 1;
    for (uint32_t i = 0; i < count; i++) {
        readers[i].index = i;
        threads[i] = thread_start(reader_main, &readers[i]);
    }
    unmap_pages(spare, PAGES);      // no thread maps anything from here on, so the hole stays free
    barrier_wait(&start);
    replace_many_times(count, generations);
    meet_readers(count, generations);
    store_release(&stop, 1);
    for (unsigned long i = 0; i < count; i++) thread_join(threads[i]);
    print("munmap-race: %s, %lu readers, %u generations, no stale access\n", mode_word, count, generations);
    return 0;
}
