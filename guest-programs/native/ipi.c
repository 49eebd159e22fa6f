// The yardstick of an IPI round trip: membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED, which interrupts the CPU that
// runs the other thread of this process and waits until it has answered.
//
//   ipi ROUNDS
//
// Prints elapsed_ns=N. The other thread spins in user mode the whole time.

#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile int spinning, stop;

static void *spin(void *unused) {
    (void)unused;
    spinning = 1;
    while (!stop) {}
    return NULL;
}

static long membarrier(int command) {
    return syscall(SYS_membarrier, command, 0, 0);
}

static unsigned long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000000000ul + (unsigned long)now.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    unsigned long rounds = strtoul(argv[1], NULL, 10);
    if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) != 0) return 3;
    pthread_t other;
    if (pthread_create(&other, NULL, spin, NULL) != 0) return 3;
    while (!spinning) {}
    unsigned long start = now_ns();
    for (unsigned long i = 0; i < rounds; i++)
        if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) != 0) return 3;
    printf("elapsed_ns=%lu\n", now_ns() - start);
    stop = 1;
    pthread_join(other, NULL);
    return 0;
}
