// An ordinary glibc program: what a static Debian binary asks of the kernel. Threads with mutexes, condition variables,
// barriers, rwlocks, once, thread-local storage and key destructors; malloc from all threads; doubles; qsort; strings.
//
//   pthread-check [THREADS [ROUNDS]]
//
// Output depends on the arguments only. Exit status 1 if any check failed.

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 64
#define QUEUE_LENGTH 8

static int threads = 4;
static int rounds = 200;
static int failures;

static void check(int holds, const char *what) {
    if (holds) return;
    printf("FAIL: %s\n", what);
    failures++;
}

static void run_threads(void *(*function)(void *), uintptr_t results[]) {
    pthread_t ids[THREADS_MAX];
    for (int i = 0; i < threads; i++) {
        check(pthread_create(&ids[i], NULL, function, (void *)(intptr_t)i) == 0, "create");
    }
    for (int i = 0; i < threads; i++) {
        void *result;
        check(pthread_join(ids[i], &result) == 0, "join");
        if (results != NULL) results[i] = (uintptr_t)result;
    }
}

// Mutex, once, thread-local storage.

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static long counter, once_calls, destroyed;
static __thread long local_counter = 1000;
static __thread char local_name[32];

static void destroy(void *value) {
    pthread_mutex_lock(&mutex);
    destroyed += *(long *)value;
    pthread_mutex_unlock(&mutex);
    free(value);
}

static void first_time(void) {
    once_calls++;
    pthread_key_create(&key, destroy);
}

static void *count(void *argument) {
    long *value = malloc(sizeof *value);
    *value = (intptr_t)argument + 1;
    pthread_once(&once, first_time);
    pthread_setspecific(key, value);
    snprintf(local_name, sizeof local_name, "thread-%ld", (long)(intptr_t)argument);
    for (int i = 0; i < rounds; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
        local_counter++;
    }
    return (void *)(local_counter + (long)strlen(local_name));
}

static void check_counters(void) {
    uintptr_t results[THREADS_MAX];
    run_threads(count, results);
    long lengths = 0;
    for (int i = 0; i < threads; i++) lengths += (long)results[i] - 1000 - rounds;
    printf("mutex: %ld of %d, once: %ld, destroyed: %ld, names: %ld characters, main's own: %ld\n", counter,
           threads * rounds, once_calls, destroyed, lengths, local_counter);
    check(counter == (long)threads * rounds && once_calls == 1 && local_counter == 1000, "counters");
    check(destroyed == (long)threads * (threads + 1) / 2, "key destructors");
}

// Condition variables: a bounded queue, even threads produce, odd ones consume.

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t not_empty, not_full;
    int items[QUEUE_LENGTH];
    unsigned head, length;
} queue = {.mutex = PTHREAD_MUTEX_INITIALIZER, .not_empty = PTHREAD_COND_INITIALIZER,
           .not_full = PTHREAD_COND_INITIALIZER};

static void put(int item) {
    pthread_mutex_lock(&queue.mutex);
    while (queue.length == QUEUE_LENGTH) pthread_cond_wait(&queue.not_full, &queue.mutex);
    queue.items[(queue.head + queue.length++) % QUEUE_LENGTH] = item;
    pthread_cond_signal(&queue.not_empty);
    pthread_mutex_unlock(&queue.mutex);
}

static int take(void) {
    pthread_mutex_lock(&queue.mutex);
    while (queue.length == 0) pthread_cond_wait(&queue.not_empty, &queue.mutex);
    int item = queue.items[queue.head++ % QUEUE_LENGTH];
    queue.length--;
    pthread_cond_signal(&queue.not_full);
    pthread_mutex_unlock(&queue.mutex);
    return item;
}

static void *produce_or_consume(void *argument) {
    uintptr_t sum = 0;
    for (int i = 1; i <= rounds; i++) {
        if ((intptr_t)argument % 2 == 0) put(i);
        else sum += (uintptr_t)take();
    }
    return (void *)sum;
}

static void check_queue(void) {
    uintptr_t results[THREADS_MAX];
    uintptr_t sum = 0;
    run_threads(produce_or_consume, results);
    for (int i = 0; i < threads; i++) sum += results[i];
    printf("condition variables: %lu consumed in total\n", (unsigned long)sum);
    check(sum == (uintptr_t)threads / 2 * (uintptr_t)rounds * (uintptr_t)(rounds + 1) / 2, "queue");
}

// Barrier and rwlock: all threads see the same phase.

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static long phase;

static void *follow_phases(void *argument) {
    uintptr_t wrong = 0;
    for (int i = 0; i < rounds; i++) {
        if (i % threads == (intptr_t)argument) {
            pthread_rwlock_wrlock(&rwlock);
            phase++;
            pthread_rwlock_unlock(&rwlock);
        }
        pthread_barrier_wait(&barrier);
        pthread_rwlock_rdlock(&rwlock);
        wrong += phase != i + 1;
        pthread_rwlock_unlock(&rwlock);
        pthread_barrier_wait(&barrier);
    }
    return (void *)wrong;
}

static void check_phases(void) {
    uintptr_t results[THREADS_MAX];
    uintptr_t wrong = 0;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    run_threads(follow_phases, results);
    for (int i = 0; i < threads; i++) wrong += results[i];
    printf("barrier and rwlock: %ld phases, %lu wrong\n", phase, (unsigned long)wrong);
    check(wrong == 0, "phases");
}

// malloc: sizes from a few bytes to past the mmap threshold, each block filled and checked.

static void *allocate(void *argument) {
    enum { LIVE = 32 };
    unsigned char *blocks[LIVE] = {NULL};
    size_t sizes[LIVE] = {0};
    uint32_t random = 2463534242u + (uint32_t)(intptr_t)argument;
    uintptr_t wrong = 0;
    for (int i = 0; i < rounds; i++) {
        random ^= random << 13, random ^= random >> 17, random ^= random << 5;
        unsigned slot = random % LIVE;
        for (size_t b = 0; b < sizes[slot]; b += 61) wrong += blocks[slot][b] != (unsigned char)slot;
        sizes[slot] = (random >> 8) % (i % 16 == 0 ? 300000 : 3000) + 1;
        blocks[slot] = realloc(blocks[slot], sizes[slot]);
        memset(blocks[slot], (int)slot, sizes[slot]);
    }
    for (int slot = 0; slot < LIVE; slot++) free(blocks[slot]);
    return (void *)wrong;
}

static void check_malloc(void) {
    uintptr_t results[THREADS_MAX];
    uintptr_t wrong = 0;
    run_threads(allocate, results);
    for (int i = 0; i < threads; i++) wrong += results[i];
    printf("malloc: %lu bytes wrong\n", (unsigned long)wrong);
    check(wrong == 0, "malloc");
}

// No threads: numbers, sorting, strings.

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static void check_numbers(void) {
    double values[1000];
    for (int i = 0; i < 1000; i++) values[i] = sin(i * 0.37) * exp(i % 7);
    qsort(values, 1000, sizeof values[0], compare_doubles);
    for (int i = 1; i < 1000; i++) check(values[i - 1] <= values[i], "qsort");
    printf("doubles: %.17g %.3f %e %a\n", values[0], values[500], values[999], 1.0 / 3.0);
    printf("special: %f %f %f %g\n", INFINITY, -INFINITY, copysign(0.0, -1.0), 5e-324);
    printf("parsed: %.15g %ld\n", strtod("6.02214076e23", NULL), strtol("-0x7fffffffffffffff", NULL, 0));
    printf("math: %.15g %.15g %.15g %.15g\n", sqrt(2), pow(2, 0.5), fma(3, 4, 5), log(10));
}

static void check_strings(void) {
    char text[64] = "one,two,,three";
    char *rest = text;
    int parts = 0;
    for (char *part; (part = strsep(&rest, ",")) != NULL;) parts += *part != 0;
    char moved[] = "abcdefghij";
    memmove(moved + 2, moved, 6);
    const char *found = strstr("the needle in it", "needle");
    printf("strings: %d parts, %s, %s, %d\n", parts, moved, found, strcmp("abc", "abd") < 0);
}

int main(int argc, char **argv) {
    if (argc > 1) threads = atoi(argv[1]);
    if (argc > 2) rounds = atoi(argv[2]);
    if (threads < 2 || threads > THREADS_MAX || threads % 2 != 0 || rounds < 1) {
        fprintf(stderr, "usage: pthread-check [even number of threads up to %d [rounds]]\n", THREADS_MAX);
        return 2;
    }
    check_counters();
    check_queue();
    check_phases();
    check_malloc();
    check_numbers();
    check_strings();
    printf("pthread-check: %d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
