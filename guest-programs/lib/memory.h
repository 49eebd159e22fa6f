// Pages, and the string functions of libc that the programs or the compiler call.
#pragma once

#include "print.h"
#include "syscall.h"

#define PAGE_BYTES 4096ul

void *memcpy(void *target, const void *source, size_t length);
void *memmove(void *target, const void *source, size_t length);
void *memset(void *target, int byte, size_t length);
int memcmp(const void *left, const void *right, size_t length);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t length);

/** Anonymous private memory, or the end of the process. */
static inline void *map_pages(size_t pages, int prot) {
    long address = sys_mmap(NULL, pages * PAGE_BYTES, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address < 0) fail("mmap of %lu pages returned %ld", pages, address);
    return (void *)address;
}

static inline void unmap_pages(void *address, size_t pages) {
    long result = sys_munmap(address, pages * PAGE_BYTES);
    if (result != 0) fail("munmap of %lu pages returned %ld", pages, result);
}
