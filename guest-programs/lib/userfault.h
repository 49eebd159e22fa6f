// userfaultfd by raw ioctls on one descriptor, `uffd`.
#pragma once

#include <linux/fcntl.h>
#include <linux/ioctl.h>
#include <linux/userfaultfd.h>

#include "memory.h"
#include "print.h"

#define CALL(name, a, b, c, d, e) syscall6(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

static int uffd;

static inline long control(unsigned long request, void *argument) {
    return CALL(ioctl, uffd, request, argument, 0, 0);
}

static inline int open_uffd(unsigned long features) {
    int fd = (int)CALL(userfaultfd, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0);
    CHECK(fd >= 0);
    uffd = fd;
    struct uffdio_api api = {.api = UFFD_API, .features = features};
    CHECK(control(UFFDIO_API, &api) == 0);
    CHECK((api.ioctls & (1ul << _UFFDIO_REGISTER)) != 0);
    return fd;
}

static inline long enroll(void *start, size_t pages, unsigned long mode, unsigned long *ioctls) {
    struct uffdio_register request = {.range = {(unsigned long)start, pages * PAGE_BYTES}, .mode = mode};
    long result = control(UFFDIO_REGISTER, &request);
    if (ioctls != NULL) *ioctls = request.ioctls;
    return result;
}

static inline long copy_page(void *target, void *from, size_t pages, unsigned long mode, long *done) {
    struct uffdio_copy request = {
        .dst = (unsigned long)target, .src = (unsigned long)from, .len = pages * PAGE_BYTES, .mode = mode};
    long result = control(UFFDIO_COPY, &request);
    if (done != NULL) *done = request.copy;
    return result;
}

static inline long zero_page(void *target, size_t pages, long *done) {
    struct uffdio_zeropage request = {.range = {(unsigned long)target, pages * PAGE_BYTES}};
    long result = control(UFFDIO_ZEROPAGE, &request);
    if (done != NULL) *done = request.zeropage;
    return result;
}

static inline long protect(void *start, size_t pages, unsigned long mode) {
    struct uffdio_writeprotect request = {.range = {(unsigned long)start, pages * PAGE_BYTES}, .mode = mode};
    return control(UFFDIO_WRITEPROTECT, &request);
}

static inline long continue_page(void *target, size_t pages, long *done) {
    struct uffdio_continue request = {.range = {(unsigned long)target, pages * PAGE_BYTES}};
    long result = control(UFFDIO_CONTINUE, &request);
    if (done != NULL) *done = request.mapped;
    return result;
}
