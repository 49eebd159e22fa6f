// Quicksort through a comparison function, as qsort(3) does it.
#include "kernels.h"

#define COUNT 20000u
#define SHORT_RUN 12u

typedef int compare_function(const void *left, const void *right);

static uint32_t keys[COUNT];

static int compare_keys(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static compare_function *volatile comparison = compare_keys;

static void insertion_sort(uint32_t *from, uint32_t count, compare_function *compare) {
    for (uint32_t i = 1; i < count; i++) {
        uint32_t key = from[i];
        uint32_t hole = i;
        for (; hole > 0 && compare(&from[hole - 1], &key) > 0; hole--) from[hole] = from[hole - 1];
        from[hole] = key;
    }
}

static void quick_sort(uint32_t *from, uint32_t count, compare_function *compare) {
    while (count > SHORT_RUN) {
        uint32_t pivot = from[count / 2];
        uint32_t low = 0;
        uint32_t high = count - 1;
        for (;;) {
            while (compare(&from[low], &pivot) < 0) low++;
            while (compare(&from[high], &pivot) > 0) high--;
            if (low >= high) break;
            uint32_t kept = from[low];
            from[low++] = from[high];
            from[high--] = kept;
        }
        quick_sort(from, low, compare);
        from += low;
        count -= low;
    }
    insertion_sort(from, count, compare);
}

uint64_t sort(uint32_t repeats) {
    uint32_t random = 11;
    uint64_t sum = 0;
    while (repeats-- > 0) {
        for (uint32_t i = 0; i < COUNT; i++) keys[i] = random_next(&random);
        quick_sort(keys, COUNT, comparison);
        for (uint32_t i = 1; i < COUNT; i++) {
            if (keys[i - 1] > keys[i]) return 0;
        }
        sum = fold(sum, keys[COUNT / 3]);
    }
    return sum;
}
