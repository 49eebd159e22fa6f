// What small embedded benchmarks do: walk and reverse a linked list, multiply small matrices, run a state machine over
// text, and fold everything into a CRC. Our own composition.
#include "kernels.h"

#define LIST_LENGTH 256u
#define MATRIX 16
#define ROUNDS 200u

struct item {
    struct item *next;
    int16_t key, payload;
};

static struct item items[LIST_LENGTH];
static int32_t left[MATRIX][MATRIX], right[MATRIX][MATRIX], product[MATRIX][MATRIX];
static const char text[] = "42,-17,0x1f,+8,3.25,1e9,abc,,-,0xzz,77.,12e-3,0,-0x80,9e,+";

enum state { START, SIGN, ZERO, INTEGER, HEX, FRACTION, EXPONENT, INVALID, STATE_COUNT };

static uint16_t crc16(uint16_t crc, uint16_t value) {
    for (int bit = 0; bit < 16; bit++, value >>= 1) {
        uint16_t carry = (crc ^ value) & 1;
        crc = (uint16_t)(crc >> 1 ^ (carry ? 0xa001 : 0));
    }
    return crc;
}

/** Linked by a stride, so that the list does not run along the array. */
static struct item *item_at(uint32_t position) {
    return &items[position * 77 % LIST_LENGTH];
}

static struct item *build_list(uint32_t seed) {
    for (uint32_t i = 0; i < LIST_LENGTH; i++) {
        struct item *item = item_at(i);
        item->key = (int16_t)random_next(&seed);
        item->payload = (int16_t)i;
        item->next = i + 1 < LIST_LENGTH ? item_at(i + 1) : NULL;
    }
    return item_at(0);
}

static struct item *reverse(struct item *head) {
    struct item *done = NULL;
    while (head != NULL) {
        struct item *next = head->next;
        head->next = done;
        done = head;
        head = next;
    }
    return done;
}

static uint16_t search_list(struct item *head, uint16_t crc) {
    int32_t best = -32768;
    for (const struct item *item = head; item != NULL; item = item->next) {
        if (item->key <= best) continue;
        best = item->key;
        crc = crc16(crc, (uint16_t)item->payload);
    }
    return crc;
}

static uint16_t multiply(uint32_t seed, uint16_t crc) {
    for (int i = 0; i < MATRIX; i++) {
        for (int j = 0; j < MATRIX; j++) {
            left[i][j] = (int8_t)random_next(&seed);
            right[j][i] = (int8_t)(seed >> 8);
        }
    }
    for (int i = 0; i < MATRIX; i++) {
        for (int j = 0; j < MATRIX; j++) {
            int32_t sum = 0;
            for (int k = 0; k < MATRIX; k++) sum += left[i][k] * right[k][j];
            product[i][j] = sum;
        }
    }
    return crc16(crc, (uint16_t)(product[seed % MATRIX][seed / MATRIX % MATRIX]));
}

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

/** One step of recognising a number: decimal, hexadecimal, fraction or with an exponent. */
static enum state step(enum state state, char c) {
    switch (state) {
    case START:
        if (c == '+' || c == '-') return SIGN;
        return c == '0' ? ZERO : is_digit(c) ? INTEGER : INVALID;
    case SIGN: return c == '0' ? ZERO : is_digit(c) ? INTEGER : INVALID;
    case ZERO: return c == 'x' ? HEX : is_digit(c) ? INTEGER : c == '.' ? FRACTION : INVALID;
    case INTEGER: return is_digit(c) ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case HEX: return is_digit(c) || (c >= 'a' && c <= 'f') ? HEX : INVALID;
    case FRACTION: return is_digit(c) ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return is_digit(c) || c == '-' ? EXPONENT : INVALID;
    default: return INVALID;
    }
}

static uint16_t recognise(uint16_t crc) {
    uint16_t counts[STATE_COUNT] = {0};
    enum state state = START;
    for (const char *c = text; *c != 0; c++) {
        if (*c == ',') {
            counts[state]++;
            state = START;
        } else {
            state = step(state, *c);
        }
    }
    for (int i = 0; i < STATE_COUNT; i++) crc = crc16(crc, counts[i]);
    return crc;
}

uint64_t mix(uint32_t repeats) {
    uint16_t crc = 0xffff;
    while (repeats-- > 0) {
        for (uint32_t round = 1; round <= ROUNDS; round++) {
            struct item *head = build_list(round);
            crc = search_list(head, crc);
            crc = search_list(reverse(head), crc);
            crc = multiply(round, crc);
            crc = recognise(crc);
        }
    }
    return crc;
}
