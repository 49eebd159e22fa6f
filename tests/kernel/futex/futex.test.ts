// futex(2) between threads of one process: who is woken, who is moved, and every way a wait can end.

import { beforeEach, describe, expect, test } from "vitest";
import { WAIT } from "../../../host/kernel/sched/wait.ts";
import { EAGAIN, EFAULT, EINVAL, ENOSYS, ERESTARTSYS, ETIMEDOUT } from "../../../host/memory/errno.ts";
import { BAD_ADDRESS, NR, THREAD_FLAGS } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const OP_WAIT = 0;
const OP_WAKE = 1;
const OP_REQUEUE = 3;
const OP_CMP_REQUEUE = 4;
const OP_WAKE_OP = 5;
const OP_WAIT_BITSET = 9;
const OP_WAKE_BITSET = 10;
const PRIVATE = 128;
const REALTIME = 256;
const ALL = 0x7fffffff;

let p: TestProcess;
let word: number;
let other: number;
beforeEach(() => {
  p = new TestProcess();
  word = p.poke32(p.memory, 7);
  other = p.poke32(p.memory + 64, 0);
});

/** Starts threads that all wait on `va`, in the order of their numbers; the caller is init again. */
function waiters(count: number, va: number, operation = OP_WAIT | PRIVATE, bitset = 0): number[] {
  const tids: number[] = [];
  for (let i = 0; i < count; i++) {
    tids.push(p.call(NR.clone, THREAD_FLAGS, 0));
    expect(p.switchTask()).toBe(tids[i]);
    expect(p.call(NR.futex, va, operation, p.peek32(va), 0, 0, bitset)).toBe(WAIT);
    expect(p.switchTask()).toBe(1);
  }
  return tids;
}

/** Runs every runnable thread's call again: the numbers of those that came back from it, in order. */
function returned(): number[] {
  const tids: number[] = [];
  for (;;) {
    p.call(NR.sched_yield);
    const tid = p.switchTask();
    if (tid === 1) return tids;
    expect(p.restart()).toBe(0);
    tids.push(tid);
    p.call(NR.exit, 0);
  }
}

describe("waiting", () => {
  test("is refused if the word differs, is misaligned, not there, or the mask is empty", () => {
    expect(p.call(NR.futex, word, OP_WAIT, 8, 0)).toBe(-EAGAIN);
    expect(p.call(NR.futex, word + 2, OP_WAIT, 7, 0)).toBe(-EINVAL);
    expect(p.call(NR.futex, BAD_ADDRESS, OP_WAIT, 7, 0)).toBe(-EFAULT);
    expect(p.call(NR.futex, BAD_ADDRESS, OP_WAIT | PRIVATE, 7, 0)).toBe(-EFAULT);
    expect(p.call(NR.futex, 2 ** 40, OP_WAIT | PRIVATE, 7, 0)).toBe(-EFAULT);
    expect(p.call(NR.futex, word, OP_WAIT_BITSET, 7, 0, 0, 0)).toBe(-EINVAL);
  });

  test("looks at a page that was never touched", () => {
    const fresh = p.call(NR.mmap, 0, 4096, 3, 0x22, -1, 0);
    expect(p.call(NR.futex, fresh, OP_WAIT | PRIVATE, 1, 0)).toBe(-EAGAIN);
  });

  test("ends at a relative timeout, not before", () => {
    const timeout = p.poke64(p.memory + 128, 1, 0);
    expect(p.call(NR.futex, word, OP_WAIT, 7, timeout)).toBe(WAIT);
    p.now += 999_999_999;
    expect(p.restart()).toBe(WAIT);
    p.now += 1;
    expect(p.restart()).toBe(-ETIMEDOUT);
  });

  test("ends at an absolute timeout of either clock", () => {
    p.now = 4e9;
    const monotonic = p.poke64(p.memory + 128, 5, 0);
    expect(p.call(NR.futex, word, OP_WAIT_BITSET, 7, monotonic, 0, -1)).toBe(WAIT);
    p.now = 5e9;
    expect(p.restart()).toBe(-ETIMEDOUT);
    const realtime = p.poke64(p.memory + 128, 1_700_000_006, 0);
    expect(p.call(NR.futex, word, OP_WAIT_BITSET | REALTIME, 7, realtime, 0, -1)).toBe(WAIT);
    p.now = 6e9;
    expect(p.restart()).toBe(-ETIMEDOUT);
    expect(p.call(NR.futex, word, OP_WAIT | REALTIME, 7, realtime)).toBe(-ENOSYS);
    p.poke64(p.memory + 128, 0, -1);
    expect(p.call(NR.futex, word, OP_WAIT, 7, p.memory + 128)).toBe(-EINVAL);
  });

  test("ends by a signal", () => {
    expect(p.call(NR.futex, word, OP_WAIT, 7, 0)).toBe(WAIT);
    p.signalCurrent(10);
    expect(p.restart()).toBe(-ERESTARTSYS);
  });

  test("looks at the word again after a spurious wake-up", () => {
    const timeout = p.poke64(p.memory + 128, 9, 0);
    expect(p.call(NR.futex, word, OP_WAIT, 7, timeout)).toBe(WAIT);
    p.poke32(word, 8);
    expect(p.restart()).toBe(-EAGAIN);
  });
});

describe("waking", () => {
  test("takes waiters in the order in which they came", () => {
    const tids = waiters(3, word);
    expect(p.call(NR.futex, word, OP_WAKE | PRIVATE, 2)).toBe(2);
    expect(returned()).toEqual(tids.slice(0, 2));
    expect(p.call(NR.futex, word, OP_WAKE | PRIVATE, ALL)).toBe(1);
    expect(returned()).toEqual(tids.slice(2));
    expect(p.call(NR.futex, word, OP_WAKE | PRIVATE, ALL)).toBe(0);
  });

  test("leaves waiters of another word, another mask and the other sharing alone", () => {
    waiters(1, word);
    waiters(1, other);
    waiters(1, word, OP_WAIT);
    const [masked] = waiters(1, word, OP_WAIT_BITSET | PRIVATE, 0b100);
    expect(p.call(NR.futex, word, OP_WAKE_BITSET | PRIVATE, ALL, 0, 0, 0b011)).toBe(1);
    expect(p.call(NR.futex, word, OP_WAKE_BITSET | PRIVATE, ALL, 0, 0, 0b110)).toBe(1);
    expect(returned()).toContain(masked);
    expect(p.call(NR.futex, word, OP_WAKE, ALL)).toBe(1);
    expect(p.call(NR.futex, other, OP_WAKE | PRIVATE, ALL)).toBe(1);
  });

  test("finds waiters of a shared page at its other address", () => {
    const shared = p.call(NR.mmap, 0, 4096, 3, 0x21, -1, 0);
    p.poke32(shared, 3);
    waiters(1, shared, OP_WAIT);
    expect(p.call(NR.futex, shared, OP_WAKE | PRIVATE, ALL)).toBe(0);
    expect(p.call(NR.futex, shared, OP_WAKE, ALL)).toBe(1);
  });
});

describe("requeueing", () => {
  test("wakes some and moves others, who then wait for the second word", () => {
    const tids = waiters(4, word);
    expect(p.call(NR.futex, word, OP_CMP_REQUEUE | PRIVATE, 1, 2, other, 7)).toBe(3);
    expect(returned()).toEqual([tids[0]]);
    expect(p.call(NR.futex, other, OP_WAKE | PRIVATE, ALL)).toBe(2);
    expect(returned()).toEqual([tids[1], tids[2]]);
    expect(p.call(NR.futex, word, OP_WAKE | PRIVATE, ALL)).toBe(1);
  });

  test("compares first, and refuses negative counts", () => {
    expect(p.call(NR.futex, word, OP_CMP_REQUEUE, 1, 1, other, 8)).toBe(-EAGAIN);
    expect(p.call(NR.futex, word, OP_CMP_REQUEUE, -1, 1, other, 7)).toBe(-EINVAL);
    expect(p.call(NR.futex, word, OP_REQUEUE, 1, 1, other + 1)).toBe(-EINVAL);
    expect(p.call(NR.futex, word, OP_REQUEUE, 1, 1, other)).toBe(0);
  });

  test("a waiter that was moved can still time out", () => {
    const tid = p.call(NR.clone, THREAD_FLAGS, 0);
    const timeout = p.poke64(p.memory + 128, 1, 0);
    expect(p.switchTask()).toBe(tid);
    expect(p.call(NR.futex, word, OP_WAIT | PRIVATE, 7, timeout)).toBe(WAIT);
    expect(p.switchTask()).toBe(1);
    expect(p.call(NR.futex, word, OP_REQUEUE | PRIVATE, 0, 1, other)).toBe(1);
    p.now += 2e9;
    p.expireTimers();
    p.call(NR.sched_yield);
    expect(p.switchTask()).toBe(tid);
    expect(p.restart()).toBe(-ETIMEDOUT);
    p.call(NR.exit, 0);
    expect(p.switchTask()).toBe(1);
    expect(p.call(NR.futex, other, OP_WAKE | PRIVATE, ALL)).toBe(0);
  });
});

describe("FUTEX_WAKE_OP", () => {
  const encode = (operation: number, argument: number, comparison: number, comparand: number) =>
    (operation << 28) | (comparison << 24) | ((argument & 0xfff) << 12) | (comparand & 0xfff);

  test.each([
    ["set", 0, 5, 5],
    ["add", 1, 5, 8],
    ["or", 2, 4, 7],
    ["andn", 3, 1, 2],
    ["xor", 4, 1, 2],
    ["or shifted", 2 | 8, 4, 19],
  ])("%s changes the second word", (_name, operation, argument, result) => {
    p.poke32(other, 3);
    expect(p.call(NR.futex, word, OP_WAKE_OP, 1, 1, other, encode(operation, argument, 0, 99))).toBe(0);
    expect(p.peek32(other)).toBe(result);
  });

  test("wakes the second word's waiters only if its old value compares", () => {
    waiters(1, word);
    waiters(2, other);
    const greater = encode(0, 1, 4, 0);
    expect(p.call(NR.futex, word, OP_WAKE_OP | PRIVATE, ALL, ALL, other, greater)).toBe(1);
    expect(p.call(NR.futex, word, OP_WAKE_OP | PRIVATE, ALL, ALL, other, greater)).toBe(2);
    expect(p.call(NR.futex, word, OP_WAKE_OP | PRIVATE, 1, 1, other, encode(7, 0, 0, 0))).toBe(-ENOSYS);
    expect(p.call(NR.futex, word, OP_WAKE_OP | PRIVATE, 1, 1, BAD_ADDRESS, greater)).toBe(-EFAULT);
  });
});
