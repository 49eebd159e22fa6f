// Signal delivery: what a handler is given, on which stack it runs, what is blocked meanwhile, and that everything is
// as it was when it has returned.
//
//   signals
//
// System calls: rt_sigaction, rt_sigprocmask, rt_sigreturn, sigaltstack, tgkill, getpid, gettid, write, exit_group.

#include "lib/arguments.h"
#include "lib/memory.h"
#include "lib/signals.h"

#define BIT(signal) (1ul << ((signal) - 1))
#define STACK_BYTES 16384ul

static volatile int calls;
static volatile int depth;
static volatile int deepest;
static volatile unsigned long blocked;
static volatile unsigned long handler_sp;
static char stack[STACK_BYTES] __attribute__((aligned(16)));

static unsigned long blocked_now(void) {
    unsigned long set;
    sys_rt_sigprocmask(SIG_BLOCK, 0, &set);
    return set;
}

static void note(int signal, siginfo_t *info, struct ucontext *context) {
    CHECK(info->si_signo == signal);
    CHECK(info->si_errno == 0);
    CHECK(context->uc_link == NULL);
    calls++;
    blocked = blocked_now();
    __asm__ volatile("mv %0, sp" : "=r"(handler_sp));
}

static void arguments(void) {
    CHECK(handle(SIGUSR1, note, 0, BIT(SIGUSR2)) == 0);
    CHECK(raise_signal(SIGUSR1) == 0);
    CHECK(calls == 1);
    CHECK(blocked == (BIT(SIGUSR1) | BIT(SIGUSR2)));
    CHECK(blocked_now() == 0);
    CHECK(handle(SIGUSR1, note, SA_NODEFER, 0) == 0);
    CHECK(raise_signal(SIGUSR1) == 0);
    CHECK(blocked == 0);
    print("handler: arguments and mask\n");
}

/** Every register holds a number of its own across a signal, integer and floating point. */
static void registers(void) {
    long pid = sys_getpid(), tid = sys_gettid();
    register long a0 __asm__("a0") = pid;
    register long a1 __asm__("a1") = tid;
    register long a2 __asm__("a2") = SIGUSR1;
    register long a7 __asm__("a7") = __NR_tgkill;
    long wrong;
    __asm__ volatile("li t0, 105\n li t1, 106\n li t2, 107\n li s2, 118\n li s11, 127\n li t6, 131\n"
                     "fcvt.d.l ft0, t0\n fcvt.d.l fs11, t6\n fcvt.d.l ft11, t2\n fsrmi 2\n"
                     "ecall\n"
                     "mv %0, a0\n"
                     "addi t0, t0, -105\n or %0, %0, t0\n addi t1, t1, -106\n or %0, %0, t1\n"
                     "addi s2, s2, -118\n or %0, %0, s2\n addi s11, s11, -127\n or %0, %0, s11\n"
                     "fcvt.l.d t0, fs11\n sub t0, t0, t6\n or %0, %0, t0\n addi t6, t6, -131\n or %0, %0, t6\n"
                     "fcvt.l.d t0, ft11\n sub t0, t0, t2\n or %0, %0, t0\n addi t2, t2, -107\n or %0, %0, t2\n"
                     "fcvt.l.d t0, ft0\n addi t0, t0, -105\n or %0, %0, t0\n"
                     "frrm t0\n addi t0, t0, -2\n or %0, %0, t0\n fsrmi 0\n"
                     : "=&r"(wrong), "+r"(a0)
                     : "r"(a1), "r"(a2), "r"(a7)
                     : "t0", "t1", "t2", "s2", "s11", "t6", "ft0", "ft11", "fs11", "memory");
    CHECK(wrong == 0);
    print("registers: as they were\n");
}

/** A handler changes what its frame says: the program goes on elsewhere. */
static void skip(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)info;
    context->uc_mcontext.sc_regs.a0 = 4242;
    context->uc_mcontext.sc_fpregs.d.f[10] = 0x4008000000000000;   // fa0 = 3.0
    context->uc_sigmask.sig[0] |= BIT(SIGALRM);
}

static void frame(void) {
    CHECK(handle(SIGUSR2, skip, 0, 0) == 0);
    register double fa0 __asm__("fa0") = 1.0;
    register long a0 __asm__("a0") = sys_getpid();
    register long a1 __asm__("a1") = sys_gettid();
    register long a2 __asm__("a2") = SIGUSR2;
    register long a7 __asm__("a7") = __NR_tgkill;
    __asm__ volatile("ecall" : "+r"(a0), "+f"(fa0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    CHECK(a0 == 4242);
    CHECK(fa0 == 3.0);
    CHECK(blocked_now() == BIT(SIGALRM));
    sys_rt_sigprocmask(SIG_SETMASK, 0, NULL);
    print("frame: what the handler wrote there counts\n");
}

static void nested(int signal, siginfo_t *info, struct ucontext *context) {
    (void)signal, (void)info, (void)context;
    if (++depth > deepest) deepest = depth;
    if (++calls < 5) raise_signal(SIGUSR1);
    depth--;
}

static void nesting(void) {
    calls = 0;
    CHECK(handle(SIGUSR1, nested, SA_NODEFER, 0) == 0);
    CHECK(raise_signal(SIGUSR1) == 0);
    CHECK(deepest == 5);
    deepest = calls = 0;
    CHECK(handle(SIGUSR1, nested, 0, 0) == 0);
    CHECK(raise_signal(SIGUSR1) == 0);     // blocked in its own handler: pending until that has returned
    CHECK(deepest == 1 && calls == 5);
    print("nesting: only with SA_NODEFER\n");
}

static void once(void) {
    calls = 0;
    CHECK(handle(SIGUSR1, note, SA_RESETHAND, 0) == 0);
    CHECK(raise_signal(SIGUSR1) == 0);
    struct {
        struct sigaction action;
        unsigned long room;     // qemu writes a restorer
    } now;
    CHECK(sys_rt_sigaction(SIGUSR1, NULL, &now.action) == 0);
    CHECK(now.action.sa_handler == SIG_DFL && (now.action.sa_flags & SA_RESETHAND) != 0 && calls == 1);
    print("SA_RESETHAND: once\n");
}

static volatile int altstack_flags;
static volatile long altstack_change;

static void on_altstack(int signal, siginfo_t *info, struct ucontext *context) {
    note(signal, info, context);
    stack_t now, wish = {stack, 0, STACK_BYTES};
    CHECK(sys_sigaltstack(NULL, &now) == 0);
    altstack_flags = now.ss_flags;
    altstack_change = sys_sigaltstack(&wish, NULL);
}

static void alternate(void) {
    stack_t wish = {stack, 0, STACK_BYTES}, now;
    CHECK(sys_sigaltstack(&wish, NULL) == 0);
    CHECK(sys_sigaltstack(NULL, &now) == 0);
    CHECK(now.ss_sp == (void *)stack && now.ss_flags == 0 && now.ss_size == STACK_BYTES);
    CHECK(handle(SIGUSR1, on_altstack, SA_ONSTACK, 0) == 0);
    CHECK(raise_signal(SIGUSR1) == 0);
    CHECK(handler_sp > (unsigned long)stack && handler_sp <= (unsigned long)stack + STACK_BYTES);
    CHECK(altstack_flags == SS_ONSTACK && altstack_change == -EPERM);
    CHECK(handle(SIGUSR1, on_altstack, 0, 0) == 0);
    CHECK(raise_signal(SIGUSR1) == 0);
    CHECK(handler_sp < (unsigned long)stack || handler_sp > (unsigned long)stack + STACK_BYTES);
    CHECK(altstack_flags == 0 && altstack_change == 0);
    wish.ss_flags = SS_DISABLE;
    CHECK(sys_sigaltstack(&wish, NULL) == 0);
    print("sigaltstack: used with SA_ONSTACK\n");
}

int main(void) {
    arguments();
    registers();
    frame();
    nesting();
    once();
    alternate();
    print("signals: all as documented\n");
    return 0;
}
