// Prints a greeting and its arguments: the shortest way to see that a program was loaded and its stack was built.
// System calls: write, exit_group.

#include "lib/print.h"

int main(int argc, char **argv) {
    print("hello, world\n");
    for (int i = 1; i < argc; i++) print("argv[%d] = %s\n", i, argv[i]);
    return 0;
}
