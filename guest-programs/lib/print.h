// Output without a heap. One print() is one write(2), so lines of different threads never mix.
#pragma once

#define PRINT_LENGTH_MAX 512

/** The subset of printf that the programs use: %d %u %x %c %s %%, `l`, a width, `0` and `-` flags. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Prints "FAIL: ..." and ends the process with status 1. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/** A check that stays in every build: prints the expression and its line when it is false. */
#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) fail("%s:%d: %s", __FILE__, __LINE__, #condition);  \
    } while (0)
