#include "start.h"

#include <linux/auxvec.h>

#include "print.h"
#include "syscall.h"
#include "thread.h"

char **start_environment;
const unsigned long *start_auxv;

static struct thread main_thread;

void __attribute__((noreturn)) start_c(long *stack) {
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);
    start_environment = argv + argc + 1;
    char **end = start_environment;
    while (*end != NULL) end++;
    start_auxv = (const unsigned long *)(end + 1);
    __asm__ volatile("mv tp, %0" : : "r"(&main_thread));
    sys_exit_group(main(argc, argv));
}

unsigned long auxv_value(unsigned long type) {
    for (const unsigned long *entry = start_auxv; entry[0] != AT_NULL; entry += 2) {
        if (entry[0] == type) return entry[1];
    }
    return 0;
}
