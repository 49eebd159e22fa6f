// FUTEX_LOCK_PI and its kin between threads of one process: who owns the word, and every way not to get it.

import { beforeEach, expect, test } from "vitest";
import { WAIT } from "../../../host/kernel/sched/wait.ts";
import {
  EAGAIN,
  EDEADLK,
  EFAULT,
  EINVAL,
  ENOSYS,
  EPERM,
  ERESTARTNOINTR,
  ESRCH,
  ETIMEDOUT,
} from "../../../host/memory/errno.ts";
import { BAD_ADDRESS, NR, THREAD_FLAGS } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const [WAKE, REQUEUE, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, LOCK_PI2, PRIVATE] = [1, 3, 6, 7, 8, 13, 128];
const REALTIME = 256;
const WAITERS = 0x80000000;
const OWNER_DIED = 0x40000000;
const ALL = 0x7fffffff;

let p: TestProcess;
let word: number;
beforeEach(() => {
  p = new TestProcess();
  word = p.poke32(p.memory, 0);
});

function futex(operation: number, timeout = 0): number {
  return p.call(NR.futex, word, operation | PRIVATE, 0, timeout);
}

function held(): number {
  return p.peek32(word) >>> 0;
}

/** Starts threads that wait for the lock, in the order of their numbers; the caller is init again. */
function waiters(count: number): number[] {
  return Array.from({ length: count }, () => {
    const tid = p.call(NR.clone, THREAD_FLAGS, 0);
    expect(p.switchTask()).toBe(tid);
    expect(futex(LOCK_PI)).toBe(WAIT);
    expect(p.switchTask()).toBe(1);
    return tid;
  });
}

/** The next thread runs, and its call comes back with `result`. */
function comesBack(tid: number, result: number): void {
  p.call(NR.sched_yield);
  expect(p.switchTask()).toBe(tid);
  expect(p.restart()).toBe(result);
}

test("a free lock is taken and given back; only its owner can do that, and not take it twice", () => {
  expect([futex(LOCK_PI), held()]).toEqual([0, 1]);
  expect([futex(LOCK_PI), futex(TRYLOCK_PI)]).toEqual([-EDEADLK, -EDEADLK]);
  expect([futex(UNLOCK_PI), held()]).toEqual([0, 0]);
  expect(futex(UNLOCK_PI)).toBe(-EPERM);
  expect([futex(TRYLOCK_PI), held()]).toEqual([0, 1]);
});

test("the lock goes to who waited longest, and the bit says whether others wait", () => {
  expect(futex(LOCK_PI)).toBe(0);
  const [first, second] = waiters(2);
  expect(held()).toBe((1 | WAITERS) >>> 0);
  expect([futex(UNLOCK_PI), held()]).toEqual([0, (first | WAITERS) >>> 0]);
  expect(futex(TRYLOCK_PI)).toBe(-EAGAIN);
  comesBack(first, 0);
  expect([futex(UNLOCK_PI), held()]).toEqual([0, second]);
  p.call(NR.exit, 0);
  expect(p.switchTask()).toBe(1);
  comesBack(second, 0);
});

test("an owner that does not exist is ESRCH, a lock that nobody owns any more is taken with what it says", () => {
  p.poke32(word, 4000);
  expect(futex(LOCK_PI)).toBe(-ESRCH);
  p.poke32(word, OWNER_DIED | WAITERS);
  expect([futex(LOCK_PI), held()]).toEqual([0, (1 | OWNER_DIED) >>> 0]);
});

test("a wait ends at a time of the wall clock, LOCK_PI2's of either", () => {
  const owner = p.call(NR.clone, THREAD_FLAGS, 0);
  const until = (operation: number, seconds: number) => {
    p.poke32(word, owner);
    expect(futex(operation, p.poke64(p.memory + 64, seconds, 0))).toBe(WAIT);
    p.now += 1e9;
    return p.restart();
  };
  p.now = 1e9;
  const results = [until(LOCK_PI, 1_700_000_002), until(LOCK_PI2, 3), until(LOCK_PI2 | REALTIME, 1_700_000_004)];
  expect(results).toEqual([-ETIMEDOUT, -ETIMEDOUT, -ETIMEDOUT]);
  expect(futex(LOCK_PI | REALTIME)).toBe(-ENOSYS);
  expect(futex(LOCK_PI, p.poke64(p.memory + 64, 0, -1))).toBe(-EINVAL);
});

test("a signal makes the call again, unless the lock has come meanwhile", () => {
  const owner = p.call(NR.clone, THREAD_FLAGS, 0);
  p.poke32(word, owner);
  expect(futex(LOCK_PI)).toBe(WAIT);
  p.signalCurrent(10);
  expect(p.restart()).toBe(-ERESTARTNOINTR);
  expect(futex(LOCK_PI)).toBe(WAIT);
  expect(p.switchTask()).toBe(owner);
  expect(futex(UNLOCK_PI)).toBe(0);
  p.call(NR.sched_yield);
  expect(p.switchTask()).toBe(1);
  expect([p.restart(), held()]).toEqual([0, 1]);
});

test("FUTEX_WAKE and FUTEX_REQUEUE do not find who waits for a lock", () => {
  futex(LOCK_PI);
  const [waiter] = waiters(1);
  expect(futex(WAKE)).toBe(0);
  expect(p.call(NR.futex, word, REQUEUE | PRIVATE, ALL, ALL, p.memory + 64)).toBe(0);
  expect([futex(UNLOCK_PI), held()]).toEqual([0, waiter]);
  comesBack(waiter, 0);
});

test("bad addresses", () => {
  const at = (va: number, operation: number) => p.call(NR.futex, va, operation | PRIVATE, 0, 0);
  expect([at(word + 2, LOCK_PI), at(BAD_ADDRESS, LOCK_PI)]).toEqual([-EINVAL, -EFAULT]);
  expect([at(BAD_ADDRESS, UNLOCK_PI), at(BAD_ADDRESS, TRYLOCK_PI)]).toEqual([-EFAULT, -EFAULT]);
});

test.each([["private", PRIVATE] as const, ["shared", 0] as const])(
  "a robust lock of a thread that ends goes to who waits for it, %s",
  (_name, kind) => {
    const [OFFSET, head, entry] = [-16, p.memory + 256, p.memory + 512];
    word = entry + OFFSET;
    const owner = p.call(NR.clone, THREAD_FLAGS, 0);
    expect(p.switchTask()).toBe(owner);
    expect(p.call(NR.futex, word, LOCK_PI | kind, 0, 0)).toBe(0);
    p.poke64(head, entry + 1, OFFSET, 0); // the lowest bit: priority inheritance
    p.poke64(entry, head);
    expect(p.call(NR.set_robust_list, head, 24)).toBe(0);
    expect(p.switchTask()).toBe(1);
    expect(p.call(NR.futex, word, LOCK_PI | kind, 0, 0)).toBe(WAIT);
    expect(p.switchTask()).toBe(owner);
    p.call(NR.exit, 0);
    expect(p.switchTask()).toBe(1);
    expect([p.restart(), held()]).toEqual([0, (1 | OWNER_DIED) >>> 0]);
  },
);
