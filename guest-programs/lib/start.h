// What the kernel put on the initial stack.
#pragma once

extern char **start_environment;
extern const unsigned long *start_auxv;     // pairs {type, value}, ended by AT_NULL

int main(int argc, char **argv);

/** The value of an auxiliary vector entry, 0 if absent. */
unsigned long auxv_value(unsigned long type);
