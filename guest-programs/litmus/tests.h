// The tests: what each role does, and where the interesting outcome is forbidden.
#pragma once

#include "lib/atomics.h"

/** How the two accesses of a role are kept in order. */
enum variant {
    NONE,       // not at all
    FENCE,      // fence rw,rw
    TSO,        // fence.tso: everything but a store before a load
    AQRL,       // every load is lr.w.aqrl, every store amoswap.w.aqrl
    VARIANT_COUNT,
};

static const char *const variant_names[VARIANT_COUNT] = {"none", "fence", "tso", "aqrl"};

#define ROLES_MAX 4
#define REGISTERS_MAX 4

/** Each word has a cache line of its own. */
struct cell {
    volatile uint32_t x __attribute__((aligned(64)));
    volatile uint32_t y __attribute__((aligned(64)));
    volatile uint32_t arrived __attribute__((aligned(64)));
};

typedef void role_function(struct cell *cell, uint32_t *registers);

struct test {
    const char *name;
    uint32_t roles, registers;
    uint32_t interesting;       // the registers as bits, the first one highest
    uint32_t forbidden_in;      // set of variants
    role_function *role[ROLES_MAX][VARIANT_COUNT];
};

static inline __attribute__((always_inline)) void order(enum variant variant) {
    if (variant == FENCE) __asm__ volatile("fence rw, rw" : : : "memory");
    if (variant == TSO) __asm__ volatile("fence.tso" : : : "memory");
}

static inline __attribute__((always_inline)) uint32_t load(volatile uint32_t *word, enum variant variant) {
    uint32_t value;
    if (variant == AQRL) __asm__ volatile("lr.w.aqrl %0, %1" : "=r"(value) : "A"(*word) : "memory");
    else __asm__ volatile("lw %0, %1" : "=r"(value) : "m"(*word) : "memory");
    return value;
}

static inline __attribute__((always_inline)) void store(volatile uint32_t *word, enum variant variant) {
    if (variant == AQRL) __asm__ volatile("amoswap.w.aqrl zero, %1, %0" : "+A"(*word) : "r"(1) : "memory");
    else __asm__ volatile("sw %1, %0" : "=m"(*word) : "r"(1) : "memory");
}

/** One function per role and variant: the variant is a constant, so nothing but the accesses is left. */
#define ROLE_VARIANT(name, v, body)                                                                     \
    static void name##_##v(struct cell *c, uint32_t *r) {                                               \
        (void)r;                                                                                        \
        body(v)                                                                                         \
    }
#define ROLE(name, body)                                                                                \
    ROLE_VARIANT(name, NONE, body) ROLE_VARIANT(name, FENCE, body)                                      \
    ROLE_VARIANT(name, TSO, body) ROLE_VARIANT(name, AQRL, body)
#define ALL(name) {name##_NONE, name##_FENCE, name##_TSO, name##_AQRL}

#define STORE_X(v) store(&c->x, v);
#define STORE_Y(v) store(&c->y, v);
#define STORE_X_STORE_Y(v) store(&c->x, v); order(v); store(&c->y, v);
#define STORE_X_LOAD_Y(v) store(&c->x, v); order(v); r[0] = load(&c->y, v);
#define STORE_Y_LOAD_X(v) store(&c->y, v); order(v); r[1] = load(&c->x, v);
#define LOAD_X_STORE_Y(v) r[0] = load(&c->x, v); order(v); store(&c->y, v);
#define LOAD_Y_STORE_X(v) r[1] = load(&c->y, v); order(v); store(&c->x, v);
#define LOAD_Y_LOAD_X(v) uint32_t y = load(&c->y, v); order(v); uint32_t x = load(&c->x, v); r[0] = y; r[1] = x;
#define LOAD_X_LOAD_X(v) uint32_t a = load(&c->x, v); order(v); uint32_t b = load(&c->x, v); r[0] = a; r[1] = b;
#define LOAD_X_LOAD_Y(v) uint32_t x = load(&c->x, v); order(v); uint32_t y = load(&c->y, v); r[0] = x; r[1] = y;
#define LOAD_Y_LOAD_X_2(v) uint32_t y = load(&c->y, v); order(v); uint32_t x = load(&c->x, v); r[2] = y; r[3] = x;

ROLE(store_x, STORE_X)
ROLE(store_y, STORE_Y)
ROLE(mp_send, STORE_X_STORE_Y)
ROLE(mp_receive, LOAD_Y_LOAD_X)
ROLE(sb_left, STORE_X_LOAD_Y)
ROLE(sb_right, STORE_Y_LOAD_X)
ROLE(lb_left, LOAD_X_STORE_Y)
ROLE(lb_right, LOAD_Y_STORE_X)
ROLE(corr_read, LOAD_X_LOAD_X)
ROLE(iriw_left, LOAD_X_LOAD_Y)
ROLE(iriw_right, LOAD_Y_LOAD_X_2)

#define IN_ORDERED (1u << FENCE | 1u << TSO | 1u << AQRL)

/** MP: message seen, content not. SB: neither saw the other. LB: each saw the other's later store. CoRR: a word went
 * back in time. IRIW: two readers saw two stores in opposite orders. */
static const struct test tests[] = {
    {"MP", 2, 2, 0b10, IN_ORDERED, {ALL(mp_send), ALL(mp_receive)}},
    {"SB", 2, 2, 0b00, 1u << FENCE | 1u << AQRL, {ALL(sb_left), ALL(sb_right)}},
    {"LB", 2, 2, 0b11, IN_ORDERED, {ALL(lb_left), ALL(lb_right)}},
    {"CoRR", 2, 2, 0b10, IN_ORDERED | 1u << NONE, {ALL(store_x), ALL(corr_read)}},
    {"IRIW", 4, 4, 0b1010, IN_ORDERED, {ALL(store_x), ALL(store_y), ALL(iriw_left), ALL(iriw_right)}},
};

#define TEST_COUNT (sizeof tests / sizeof tests[0])
