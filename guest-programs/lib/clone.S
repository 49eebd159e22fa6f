# long clone_thread(unsigned long flags, void *stack, int *parent_tid, void *tls, int *child_tid)
#
# The argument order is the riscv64 system call's. The child starts on an empty stack, so it cannot return
# into its caller's frame: it goes to thread_main(tls) instead.

#include <asm/unistd.h>

    .text
    .globl clone_thread
    .type clone_thread, @function
clone_thread:
    li      a7, __NR_clone
    ecall
    beqz    a0, child
    ret
child:
    mv      s0, zero                # end of the frame chain
    mv      a0, tp                  # CLONE_SETTLS put the thread's record here
    call    thread_main
    ebreak                          # thread_main never returns
    .size clone_thread, . - clone_thread
