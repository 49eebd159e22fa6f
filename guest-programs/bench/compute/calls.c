#include "kernels.h"

#define STEPS 300000u
#define OPERATIONS 8

typedef uint64_t operation(uint64_t value, uint64_t operand);

static uint64_t op_add(uint64_t value, uint64_t operand) { return value + operand; }
static uint64_t op_subtract(uint64_t value, uint64_t operand) { return value - operand; }
static uint64_t op_multiply(uint64_t value, uint64_t operand) { return value * (operand | 1); }
static uint64_t op_xor(uint64_t value, uint64_t operand) { return value ^ operand; }
static uint64_t op_rotate(uint64_t value, uint64_t operand) { return value << 9 | (value >> 55 ^ operand); }
static uint64_t op_divide(uint64_t value, uint64_t operand) { return value ^ value / (operand | 1); }
static uint64_t op_select(uint64_t value, uint64_t operand) { return value > operand ? value : value + operand; }
static uint64_t op_popcount(uint64_t value, uint64_t operand) {
    uint64_t count = 0;
    for (uint64_t rest = operand & 0xff; rest != 0; rest &= rest - 1) count++;
    return value + count;
}

static operation *const volatile operations[OPERATIONS] = {
    op_add, op_subtract, op_multiply, op_xor, op_rotate, op_divide, op_select, op_popcount,
};

uint64_t calls(uint32_t repeats) {
    uint32_t random = 17;
    uint64_t value = 1;
    while (repeats-- > 0) {
        for (uint32_t step = 0; step < STEPS; step++) {
            uint32_t choice = random_next(&random);
            value = operations[choice % OPERATIONS](value, choice);
        }
    }
    return value;
}
