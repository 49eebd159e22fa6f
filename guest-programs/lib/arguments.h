// Positional arguments.
#pragma once

/** argv[index] as a decimal number within [low, high], or `fallback` when it is not there. */
unsigned long argument_number(int argc, char **argv, int index, unsigned long fallback, unsigned long low,
                              unsigned long high);

/** argv[index], or `fallback` when it is not there. */
const char *argument_word(int argc, char **argv, int index, const char *fallback);
