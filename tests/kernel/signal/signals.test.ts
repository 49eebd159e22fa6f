// Signals as far as they go without handlers: masks, what is ignored, what kills, and the line that says why.

import { beforeEach, describe, expect, test } from "vitest";
import {
  CAUSE_STORE_PAGE_FAULT,
  HART_CAUSE,
  MACHINE_EXIT_STATUS,
  MACHINE_STOP,
  STOP_FATAL_SIGNAL,
  STOP_NONE,
  TASK_SIGNAL_PENDING,
} from "../../../assembly/layout.ts";
import { forceSignal } from "../../../host/kernel/signal/force-signal.ts";
import { EFAULT, EINVAL, ENOMEM, ESRCH } from "../../../host/memory/errno.ts";
import { BAD_ADDRESS, NR, THREAD_FLAGS } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const SIGABRT = 6;
const SIGKILL = 9;
const SIGUSR1 = 10;
const SIGSEGV = 11;
const SIGTERM = 15;
const SIGCHLD = 17;
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIG_SETMASK = 2;

let p: TestProcess;
beforeEach(() => {
  p = new TestProcess();
});

function setAction(signal: number, handler: number): number {
  return p.call(NR.rt_sigaction, signal, p.poke64(p.memory, handler, 0, 0), 0, 8);
}

test("a signal to the process is not lost when the thread that was to take it ends", () => {
  const tid = p.call(NR.clone, THREAD_FLAGS);
  expect(p.call(NR.kill, 1, SIGTERM)).toBe(0);
  p.call(NR.exit, 0); // before it has looked
  expect(p.switchTask()).toBe(tid);
  expect(p.shared.get(p.hart.current + TASK_SIGNAL_PENDING)).toBe(1);
  expect(p.deliverSignals()).toBe(true);
});

describe("actions and masks", () => {
  test("are remembered, checked and given back", () => {
    expect(setAction(SIGUSR1, 0x12345)).toBe(0);
    expect(p.call(NR.rt_sigaction, SIGUSR1, 0, p.memory + 64, 8)).toBe(0);
    expect(p.peek64(p.memory + 64)).toBe(0x12345);
    expect(setAction(SIGKILL, 1)).toBe(-EINVAL);
    expect(setAction(0, 1)).toBe(-EINVAL);
    expect(setAction(65, 1)).toBe(-EINVAL);
    expect(p.call(NR.rt_sigaction, SIGUSR1, 0, 0, 16)).toBe(-EINVAL);
    expect(p.call(NR.rt_sigaction, SIGUSR1, BAD_ADDRESS, 0, 8)).toBe(-EFAULT);
  });

  test("block, unblock and set, but never SIGKILL", () => {
    const mask = p.poke64(p.memory, -1);
    expect(p.call(NR.rt_sigprocmask, SIG_BLOCK, mask, 0, 8)).toBe(0);
    expect(p.call(NR.rt_sigprocmask, SIG_UNBLOCK, p.poke64(p.memory, 1), p.memory + 8, 8)).toBe(0);
    expect(BigInt.asUintN(64, BigInt(p.peek64(p.memory + 8))) & (1n << 8n)).toBe(0n);
    expect(p.call(NR.rt_sigprocmask, 7, mask, 0, 8)).toBe(-EINVAL);
    expect(p.call(NR.rt_sigprocmask, 7, 0, 0, 8)).toBe(0);
    expect(p.call(NR.rt_sigprocmask, SIG_SETMASK, p.poke64(p.memory, 0), 0, 8)).toBe(0);
  });

  test("the alternate stack has a least size", () => {
    p.poke64(p.memory, p.memory, 0, 1024);
    expect(p.call(NR.sigaltstack, p.memory, 0)).toBe(-ENOMEM);
    p.poke64(p.memory, p.memory, 0, 8192);
    expect(p.call(NR.sigaltstack, p.memory, p.memory + 64)).toBe(0);
    expect(p.peek32(p.memory + 72)).toBe(2);
    p.poke64(p.memory, 0, 16, 8192);
    expect(p.call(NR.sigaltstack, p.memory, 0)).toBe(-EINVAL);
  });
});

describe("sending", () => {
  test("checks the signal and the target", () => {
    expect(p.call(NR.kill, 1, 65)).toBe(-EINVAL);
    expect(p.call(NR.kill, 1, 0)).toBe(0);
    expect(p.call(NR.kill, 77, SIGTERM)).toBe(-ESRCH);
    expect(p.call(NR.tgkill, 1, 0, SIGTERM)).toBe(-EINVAL);
    expect(p.call(NR.tgkill, 2, 1, SIGTERM)).toBe(-ESRCH);
  });

  test("an ignored signal does nothing", () => {
    p.call(NR.kill, 1, SIGCHLD);
    expect(setAction(SIGTERM, 1)).toBe(0);
    p.call(NR.kill, 1, SIGTERM);
    expect(p.deliverSignals()).toBe(false);
    expect(p.machine(MACHINE_STOP)).toBe(STOP_NONE);
  });

  test("a blocked signal is pending until it is unblocked, then it kills", () => {
    const mask = p.poke64(p.memory, 1 << (SIGTERM - 1));
    p.call(NR.rt_sigprocmask, SIG_BLOCK, mask, 0, 8);
    p.call(NR.kill, 1, SIGTERM);
    expect(p.deliverSignals()).toBe(false);
    expect(p.call(NR.rt_sigpending, p.memory + 8, 8)).toBe(0);
    expect(p.peek64(p.memory + 8)).toBe(1 << (SIGTERM - 1));
    p.call(NR.rt_sigprocmask, SIG_UNBLOCK, p.memory, 0, 8);
    expect(p.deliverSignals()).toBe(true);
    expect([p.machine(MACHINE_STOP), p.machine(MACHINE_EXIT_STATUS)]).toEqual([STOP_FATAL_SIGNAL, SIGTERM]);
  });

  test("a fatal signal to one thread ends all of them", () => {
    const tid = p.call(NR.clone, THREAD_FLAGS, 0);
    p.call(NR.tgkill, 1, tid, SIGABRT);
    p.call(NR.sched_yield);
    expect(p.switchTask()).toBe(tid);
    expect(p.deliverSignals()).toBe(true);
    expect(p.machine(MACHINE_STOP)).toBe(STOP_NONE);
    expect(p.switchTask()).toBe(1);
    expect(p.deliverSignals()).toBe(true);
    expect([p.machine(MACHINE_STOP), p.machine(MACHINE_EXIT_STATUS)]).toEqual([STOP_FATAL_SIGNAL, SIGABRT]);
    expect(p.output()).toMatch(/^pagewalk: hello\[1\] killed by SIGABRT, pc 0x[0-9a-f]+\n$/);
  });
});

test("a fault kills with one line that names signal, access, address, reason and pc", () => {
  p.hart.set(HART_CAUSE, CAUSE_STORE_PAGE_FAULT);
  forceSignal(p.hart, SIGSEGV, 1, 0x1234);
  expect(p.machine(MACHINE_EXIT_STATUS)).toBe(SIGSEGV);
  expect(p.output()).toMatch(
    /^pagewalk: hello\[1\] killed by SIGSEGV: store to 0x1234, nothing is mapped there, pc 0x/,
  );
});
