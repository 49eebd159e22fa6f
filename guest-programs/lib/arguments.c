#include "arguments.h"

#include "port.h"

unsigned long argument_number(int argc, char **argv, int index, unsigned long fallback, unsigned long low,
                              unsigned long high) {
    if (index >= argc) return fallback;
    unsigned long value = 0;
    for (const char *c = argv[index]; *c != 0; c++) {
        if (*c < '0' || *c > '9' || value > high) fail("not a number up to %lu: %s", high, argv[index]);
        value = value * 10 + (unsigned long)(*c - '0');
    }
    if (value < low || value > high) fail("not between %lu and %lu: %s", low, high, argv[index]);
    return value;
}

const char *argument_word(int argc, char **argv, int index, const char *fallback) {
    return index < argc ? argv[index] : fallback;
}
