#include "kernels.h"

#define NODES (64 * 1024u)          // 4 MiB: 1,024 pages, as many as the default TLB has entries
#define STEPS (1u << 20)

struct node {
    struct node *next;
    uint64_t value;
    uint64_t padding[6];            // one node per cache line
};

static struct node nodes[NODES];
static uint32_t sequence[NODES];

/** One cycle through all nodes in random order (Sattolo's shuffle). */
static void link_nodes(void) {
    uint32_t random = 7;
    for (uint32_t i = 0; i < NODES; i++) sequence[i] = i;
    for (uint32_t i = NODES - 1; i > 0; i--) {
        uint32_t j = random_next(&random) % i;
        uint32_t kept = sequence[i];
        sequence[i] = sequence[j];
        sequence[j] = kept;
    }
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[sequence[i]].next = &nodes[sequence[(i + 1) % NODES]];
        nodes[sequence[i]].value = i;
    }
}

uint64_t chase(uint32_t repeats) {
    link_nodes();
    uint64_t sum = 0;
    const struct node *at = nodes;
    while (repeats-- > 0) {
        for (uint32_t step = 0; step < STEPS; step++) {
            sum += at->value;
            at = at->next;
        }
        sum = fold(sum, at->value);
        forget_memory();
    }
    return sum;
}
