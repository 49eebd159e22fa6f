#include "memory.h"

void *memcpy(void *restrict target, const void *restrict source, size_t length) {
    char *to = target;
    const char *from = source;
    if ((((uintptr_t)to | (uintptr_t)from) & 7) == 0) {
        for (; length >= 8; length -= 8, to += 8, from += 8) *(uint64_t *)to = *(const uint64_t *)from;
    }
    while (length-- > 0) *to++ = *from++;
    return target;
}

void *memmove(void *target, const void *source, size_t length) {
    char *to = target;
    const char *from = source;
    if (to <= from) return memcpy(target, source, length);
    while (length-- > 0) to[length] = from[length];
    return target;
}

void *memset(void *target, int byte, size_t length) {
    char *to = target;
    uint64_t word = (uint8_t)byte * 0x0101010101010101ul;
    for (; length > 0 && ((uintptr_t)to & 7) != 0; length--) *to++ = (char)byte;
    for (; length >= 8; length -= 8, to += 8) *(uint64_t *)to = word;
    while (length-- > 0) *to++ = (char)byte;
    return target;
}

int memcmp(const void *left, const void *right, size_t length) {
    const uint8_t *a = left;
    const uint8_t *b = right;
    for (; length > 0; length--, a++, b++) {
        if (*a != *b) return *a - *b;
    }
    return 0;
}

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length] != 0) length++;
    return length;
}

int strcmp(const char *left, const char *right) {
    while (*left != 0 && *left == *right) left++, right++;
    return (uint8_t)*left - (uint8_t)*right;
}

int strncmp(const char *left, const char *right, size_t length) {
    while (length > 0 && *left != 0 && *left == *right) left++, right++, length--;
    return length == 0 ? 0 : (uint8_t)*left - (uint8_t)*right;
}
