# Process entry. The kernel enters with sp at argc, followed by argv, NULL, envp, NULL, auxv
# (riscv-elf psABI, "Process Initialization"). Everything else is done in C, in start.c.

    .text
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax                 # gp cannot be relaxed against itself
    la      gp, __global_pointer$
    .option pop
    mv      a0, sp
    mv      s0, zero                # end of the frame chain
    andi    sp, sp, -16
    call    start_c
    ebreak                          # start_c never returns
    .size _start, . - _start
