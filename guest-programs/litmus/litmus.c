// Litmus tests of the memory model (RVWMO, unprivileged manual, chapter "RVWMO Memory Consistency Model").
//
//   litmus [TEST|all [VARIANT|all [ROUNDS]]] [--counts] [--relaxed]
//
// Each round runs two to four roles at once on two fresh words x and y. An outcome is the values that the roles'
// loads saw, e.g. SB 0:0. The test's one interesting outcome is forbidden in some variants (tests.h), and a round
// that shows it there fails the program. Where it is allowed, --relaxed fails if it never showed (exit status 2):
// a test that cannot see reordering proves nothing. --counts prints how often each outcome was seen.
// System calls: mmap, munmap, clone, futex, exit, exit_group, write.

#include "tests.h"

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/sync.h"
#include "lib/thread.h"

#define ROUNDS_PER_BATCH 1024u
#define RENDEZVOUS_SPINS 200u
#define DELAY_MAX 16u

/** What one round leaves behind. Outcomes are written by one role each, and read after the batch. */
struct outcome {
    uint32_t registers[REGISTERS_MAX];
};

static struct cell cells[ROUNDS_PER_BATCH];
static struct outcome outcomes[ROUNDS_PER_BATCH];
static uint32_t counts[1 << REGISTERS_MAX];

/** The batch that all roles work on; changed only while they wait at the barrier. */
static const struct test *test;
static enum variant variant;
static uint32_t batch_rounds;
static int finished;
static struct barrier batch;

static uint32_t random_next(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/**
 * Brings the roles close together: waits a while for the others, but not for ever, since on one hart they cannot
 * come. A round that starts apart is still a correct round, it is only less likely to show anything.
 */
static void rendezvous(struct cell *cell, uint32_t roles, uint32_t delay) {
    // Both lines in this hart's cache: a store to one then has to wait, while a load need not.
    (void)load_relaxed(&cell->x);
    (void)load_relaxed(&cell->y);
    fetch_add(&cell->arrived, 1);
    for (uint32_t i = 0; i < RENDEZVOUS_SPINS && load_relaxed(&cell->arrived) < roles; i++) {}
    for (volatile uint32_t i = 0; i < delay; i++) {}
}

static void play_role(uint32_t role) {
    uint32_t random = 0x9e3779b9 * (role + 1);
    for (;;) {
        barrier_wait(&batch);               // the cells are clean
        if (finished) return;
        if (role < test->roles) {
            role_function *act = test->role[role][variant];
            for (uint32_t i = 0; i < batch_rounds; i++) {
                rendezvous(&cells[i], test->roles, random_next(&random) % DELAY_MAX);
                act(&cells[i], outcomes[i].registers);
            }
        }
        barrier_wait(&batch);               // the outcomes are complete
    }
}

static void thread_role(void *argument) {
    play_role((uint32_t)(uintptr_t)argument);
}

static void count_batch(void) {
    for (uint32_t i = 0; i < batch_rounds; i++) {
        uint32_t outcome = 0;
        for (uint32_t r = 0; r < test->registers; r++) outcome = outcome << 1 | (outcomes[i].registers[r] & 1);
        counts[outcome]++;
    }
}

static void run_test(const struct test *next, enum variant next_variant, uint32_t rounds) {
    memset(counts, 0, sizeof counts);
    test = next;
    variant = next_variant;
    for (uint32_t done = 0; done < rounds; done += batch_rounds) {
        batch_rounds = rounds - done < ROUNDS_PER_BATCH ? rounds - done : ROUNDS_PER_BATCH;
        memset(cells, 0, sizeof cells);
        barrier_wait(&batch);
        barrier_wait(&batch);
        count_batch();
    }
}

static void print_counts(void) {
    for (uint32_t outcome = 0; outcome < 1u << test->registers; outcome++) {
        if (counts[outcome] == 0) continue;
        print("    ");
        for (uint32_t r = test->registers; r-- > 0;) print("%u%s", outcome >> r & 1, r > 0 ? ":" : "");
        print(" %u%s\n", counts[outcome], outcome == test->interesting ? " *" : "");
    }
}

struct options {
    const char *positional[3];
    int counts, must_show_relaxed;
};

static struct options parse_options(int argc, char **argv) {
    struct options options = {{"all", "all", "10000"}, 0, 0};
    int position = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--counts") == 0) options.counts = 1;
        else if (strcmp(argv[i], "--relaxed") == 0) options.must_show_relaxed = 1;
        else if (position < 3) options.positional[position++] = argv[i];
        else fail("too many arguments: %s", argv[i]);
    }
    return options;
}

static int selected(const char *wanted, const char *name) {
    return strcmp(wanted, "all") == 0 || strcmp(wanted, name) == 0;
}

/** Returns the exit status that this test asks for. */
static int report(const struct options *options, uint32_t rounds) {
    int forbidden = (test->forbidden_in & 1u << variant) != 0;
    uint32_t seen = counts[test->interesting];
    print("%-5s %-6s %u rounds, forbidden %u\n", test->name, variant_names[variant], rounds, forbidden ? seen : 0);
    if (options->counts) print_counts();
    if (forbidden && seen > 0) return 1;
    return !forbidden && options->must_show_relaxed && seen == 0 ? 2 : 0;
}

int main(int argc, char **argv) {
    struct options options = parse_options(argc, argv);
    char *number[] = {(char *)options.positional[2]};
    uint32_t rounds = (uint32_t)argument_number(1, number, 0, 0, 1, 1u << 30);
    struct thread *threads[ROLES_MAX];
    int status = 0;
    int ran = 0;

    batch.parties = ROLES_MAX + 1;
    for (uintptr_t role = 0; role < ROLES_MAX; role++) threads[role] = thread_start(thread_role, (void *)role);
    for (const struct test *next = tests; next < tests + TEST_COUNT; next++) {
        for (enum variant v = 0; v < VARIANT_COUNT; v++) {
            if (!selected(options.positional[0], next->name)) continue;
            if (!selected(options.positional[1], variant_names[v])) continue;
            run_test(next, v, rounds);
            int asked = report(&options, rounds);
            if (status == 0 || asked == 1) status = asked;
            ran++;
        }
    }
    finished = 1;
    barrier_wait(&batch);
    for (int role = 0; role < ROLES_MAX; role++) thread_join(threads[role]);
    if (ran == 0) fail("no such test: %s %s", options.positional[0], options.positional[1]);
    return status;
}
