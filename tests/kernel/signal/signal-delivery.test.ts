// Delivery of signals to handlers: the frame on the stack to the byte, what the interrupted call does, and what pending
// signals leave behind.

import { beforeEach, describe, expect, test } from "vitest";
import {
  HART_FCSR,
  HART_PC,
  HART_X,
  MACHINE_EXIT_STATUS,
  MACHINE_STOP,
  MM_VDSO,
  POOL_SIGQUEUE,
  STOP_FATAL_SIGNAL,
  STOP_NONE,
  TASK_MM,
} from "../../../assembly/layout.ts";
import { loadU64 } from "../../../host/kernel/registers.ts";
import { WAIT } from "../../../host/kernel/sched/wait.ts";
import { EAGAIN, EINTR } from "../../../host/memory/errno.ts";
import { kmemCacheLive } from "../../../host/memory/slab.ts";
import { NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const SP = 2;
const A0 = 10;
const A7 = 17;
const SIGKILL = 9;
const SIGUSR1 = 10;
const SIGSEGV = 11;
const SIGUSR2 = 12;
const REALTIME = 34;
const SA_SIGINFO = 4;
const SA_ONSTACK = 0x08000000;
const SA_RESTART = 0x10000000;
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIG_SETMASK = 2;
const HANDLER = 0x12344;
const FRAME_BYTES = 1088;
const RT_SIGRETURN = 139;
const RT_SIGQUEUEINFO = 138;
const RESTART_SYSCALL = 128;

let p: TestProcess;
let stackTop: number;

beforeEach(() => {
  p = new TestProcess();
  stackTop = p.memory + 65536;
  p.setRegister(SP, stackTop);
});

function pc(): number {
  return loadU64(p.hart, p.hart.base + HART_PC);
}

function handle(signal: number, flags: number, mask = 0): void {
  expect(p.call(NR.rt_sigaction, signal, p.poke64(p.memory, HANDLER, flags, mask), 0, 8)).toBe(0);
}

function mask(how: number, set: bigint): void {
  expect(p.call(NR.rt_sigprocmask, how, p.poke64(p.memory, set), 0, 8)).toBe(0);
}

function bit(signal: number): bigint {
  return 1n << BigInt(signal - 1);
}

function queue(signal: number, value: number): number {
  p.poke32(p.memory, signal, 0, -1, 0, 1, 0, value, 0);
  return p.call(RT_SIGQUEUEINFO, 1, signal, p.memory);
}

describe("the frame of a handler", () => {
  test("is Linux's rt_sigframe: siginfo, ucontext, registers with pc first, floating point", () => {
    handle(SIGUSR1, SA_SIGINFO, Number(bit(SIGUSR2)));
    mask(SIG_SETMASK, bit(SIGSEGV));
    p.call(NR.kill, 1, SIGUSR1);
    for (let n = 1; n < 32; n++) if (n !== SP) p.setRegister(n, 1000 + n);
    p.hart.set(HART_FCSR, 0x61);
    const before = pc();
    expect(p.deliverSignals()).toBe(false);
    const frame = stackTop - FRAME_BYTES;
    expect([p.register(SP), p.register(A0)].map(Number)).toEqual([frame, SIGUSR1]);
    expect([p.register(A0 + 1), p.register(A0 + 2)].map(Number)).toEqual([frame, frame + 128]);
    expect(pc()).toBe(HANDLER);
    const vdso = p.shared.getF64(p.shared.get(p.hart.current + TASK_MM) + MM_VDSO);
    const returnTo = Number(p.register(1));
    expect(returnTo - (returnTo % 4096)).toBe(vdso);
    expect(p.peek32(returnTo)).toBe(0x08b00893); // li a7, 139: what unwinders look for
    expect(p.peek32(returnTo + 4)).toBe(0x73);
    expect([p.peek32(frame), p.peek32(frame + 8), p.peek32(frame + 16)]).toEqual([SIGUSR1, 0, 1]);
    expect(p.peek64(frame + 128 + 40)).toBe(Number(bit(SIGSEGV))); // uc_sigmask
    expect(p.peek64(frame + 304)).toBe(before);
    expect(p.peek64(frame + 304 + 8 * 31)).toBe(1031);
    expect(p.peek32(frame + 560 + 256)).toBe(0x61); // fcsr
    p.call(NR.rt_sigprocmask, SIG_BLOCK, 0, p.memory, 8);
    expect(BigInt(p.peek64(p.memory))).toBe(bit(SIGSEGV) | bit(SIGUSR1) | bit(SIGUSR2));
  });

  test("gives everything back to rt_sigreturn", () => {
    handle(SIGUSR1, SA_SIGINFO);
    p.call(NR.kill, 1, SIGUSR1);
    for (let n = 1; n < 32; n++) if (n !== SP) p.setRegister(n, 1000 + n);
    const before = pc();
    p.deliverSignals();
    for (let n = 1; n < 32; n++) if (n !== SP) p.setRegister(n, 0);
    p.setRegister(A7, RT_SIGRETURN);
    p.restart();
    expect(pc()).toBe(before);
    expect(Number(p.register(SP))).toBe(stackTop);
    for (let n = 1; n < 32; n++) if (n !== SP) expect(Number(p.register(n))).toBe(1000 + n);
    expect(p.shared.u64[(p.hart.base + HART_X) >>> 3]).toBe(0n);
  });

  test("that rt_sigreturn does not find kills", () => {
    p.setRegister(SP, 0x1000);
    p.setRegister(A7, RT_SIGRETURN);
    p.restart();
    expect([p.machine(MACHINE_STOP), p.machine(MACHINE_EXIT_STATUS)]).toEqual([STOP_FATAL_SIGNAL, SIGSEGV]);
    expect(p.output()).toMatch(/killed by SIGSEGV: rt_sigreturn found no signal frame/);
  });

  test("with an extension that nobody knows kills too", () => {
    handle(SIGUSR1, SA_SIGINFO);
    p.call(NR.kill, 1, SIGUSR1);
    p.deliverSignals();
    p.poke32(Number(p.register(SP)) + 560 + 520, 0x12345678);
    p.setRegister(A7, RT_SIGRETURN);
    p.restart();
    expect(p.machine(MACHINE_STOP)).toBe(STOP_FATAL_SIGNAL);
  });

  test("that has no room kills", () => {
    handle(SIGUSR1, SA_SIGINFO);
    p.call(NR.kill, 1, SIGUSR1);
    p.setRegister(SP, 0x800);
    expect(p.deliverSignals()).toBe(true);
    expect(p.machine(MACHINE_EXIT_STATUS)).toBe(SIGSEGV);
  });

  test("goes to the alternate stack", () => {
    p.poke64(p.memory, p.memory + 16384, 0, 8192);
    expect(p.call(NR.sigaltstack, p.memory, 0)).toBe(0);
    handle(SIGUSR1, SA_SIGINFO | SA_ONSTACK);
    p.call(NR.kill, 1, SIGUSR1);
    p.deliverSignals();
    expect(Number(p.register(SP))).toBe(p.memory + 16384 + 8192 - FRAME_BYTES);
  });
});

test("two handlers at once: the last frame is on top", () => {
  handle(SIGUSR1, 0);
  handle(SIGUSR2, 0);
  mask(SIG_BLOCK, bit(SIGUSR1) | bit(SIGUSR2));
  p.call(NR.kill, 1, SIGUSR2);
  p.call(NR.kill, 1, SIGUSR1);
  mask(SIG_UNBLOCK, bit(SIGUSR1) | bit(SIGUSR2));
  p.deliverSignals();
  expect(Number(p.register(A0))).toBe(SIGUSR2);
  expect(Number(p.register(SP))).toBe(stackTop - 2 * FRAME_BYTES);
  expect(p.peek64(stackTop - 2 * FRAME_BYTES + 304)).toBe(HANDLER); // it returns into the first one
});

describe("a call that a signal interrupted", () => {
  const TIMEOUT = 32;

  function wait(timeout: boolean): number {
    p.poke32(p.memory + 64, 7);
    p.poke64(p.memory + TIMEOUT, 5, 0);
    expect(p.call(NR.futex, p.memory + 64, 128, 7, timeout ? p.memory + TIMEOUT : 0)).toBe(WAIT);
    const at = pc();
    p.signalCurrent(SIGUSR1);
    p.restart();
    expect(p.register(A0)).toBe(BigInt(p.memory + 64)); // its argument, until the signal is delivered
    expect(pc()).toBe(at);
    expect(p.deliverSignals()).toBe(false);
    return at;
  }

  test("is made again after a handler with SA_RESTART", () => {
    handle(SIGUSR1, SA_RESTART);
    const at = wait(false);
    expect(p.peek64(stackTop - FRAME_BYTES + 304)).toBe(at);
    expect(p.peek64(stackTop - FRAME_BYTES + 304 + 8 * A0)).toBe(p.memory + 64);
  });

  test("fails with EINTR after a handler without it, or if it has a timeout", () => {
    handle(SIGUSR1, 0);
    const at = wait(false);
    expect(p.peek64(stackTop - FRAME_BYTES + 304)).toBe(at + 4);
    expect(p.peek64(stackTop - FRAME_BYTES + 304 + 8 * A0)).toBe(-EINTR);
    p.setRegister(SP, stackTop);
    mask(SIG_SETMASK, 0n);
    handle(SIGUSR1, SA_RESTART);
    wait(true);
    expect(p.peek64(stackTop - FRAME_BYTES + 304 + 8 * A0)).toBe(-EINTR);
  });

  test("goes on by restart_syscall, with the deadline it began with, if no handler runs", () => {
    const start = p.now;
    // Somebody else has taken the signal: this task looks and finds nothing.
    handle(SIGUSR1, 0);
    p.poke32(p.memory + 64, 7);
    p.poke64(p.memory + TIMEOUT, 5, 0);
    expect(p.call(NR.futex, p.memory + 64, 128, 7, p.memory + TIMEOUT)).toBe(WAIT);
    p.signalCurrent(SIGUSR1);
    p.restart();
    p.call(NR.rt_sigaction, SIGUSR1, p.poke64(p.memory, 1, 0, 0), 0, 8);
    expect(p.machine(MACHINE_STOP)).toBe(STOP_NONE);
    expect(start).toBe(p.now);
  });

  test("restart_syscall without a call to go on with is EINTR", () => {
    expect(p.call(RESTART_SYSCALL)).toBe(-EINTR);
  });
});

describe("pending signals", () => {
  test("of the real-time kind queue up to RLIMIT_SIGPENDING, and none is left when the process ends", () => {
    mask(SIG_BLOCK, bit(REALTIME));
    const RLIMIT_SIGPENDING = 11;
    p.poke64(p.memory + 128, 3, 3);
    expect(p.call(261, 0, RLIMIT_SIGPENDING, p.memory + 128, 0)).toBe(0);
    expect([1, 2, 3, 4].map((value) => queue(REALTIME, value))).toEqual([0, 0, 0, -EAGAIN]);
    expect(kmemCacheLive(p.shared, POOL_SIGQUEUE)).toBe(3);
    p.call(NR.exit_group, 0);
    expect(kmemCacheLive(p.shared, POOL_SIGQUEUE)).toBe(0);
  });

  test("of the standard kind are one, and a kill needs no record", () => {
    mask(SIG_BLOCK, bit(SIGUSR1));
    for (let i = 0; i < 5; i++) expect(p.call(NR.kill, 1, SIGUSR1)).toBe(0);
    expect(kmemCacheLive(p.shared, POOL_SIGQUEUE)).toBe(1);
    expect(p.call(NR.kill, 1, SIGKILL)).toBe(0);
    expect(kmemCacheLive(p.shared, POOL_SIGQUEUE)).toBe(1);
    expect(p.deliverSignals()).toBe(true);
    expect(kmemCacheLive(p.shared, POOL_SIGQUEUE)).toBe(0);
  });
});
