// The life of threads: clone's checks, what a new thread starts with, and what is left behind when it ends.

import { beforeEach, describe, expect, test } from "vitest";
import {
  MACHINE_EXIT_STATUS,
  MACHINE_STOP,
  MACHINE_TASK_COUNT,
  POOL_TASK,
  STOP_EXIT,
  STOP_NONE,
} from "../../../assembly/layout.ts";
import { rcuCallbacks } from "../../../host/kernel/rcu-callbacks.ts";
import { NO_RETURN, WAIT } from "../../../host/kernel/sched/wait.ts";
import { EINVAL, ESRCH } from "../../../host/memory/errno.ts";
import { rcuAdvance } from "../../../host/memory/rcu.ts";
import { kmemCacheLive } from "../../../host/memory/slab.ts";
import { NR, THREAD_FLAGS } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const CLONE_SIGHAND = 0x800;
const CLONE_THREAD = 0x10000;
const CLONE_SETTLS = 0x80000;
const CLONE_PARENT_SETTID = 0x100000;
const CLONE_CHILD_CLEARTID = 0x200000;
const CLONE_CHILD_SETTID = 0x1000000;
const SP = 2;
const TP = 4;
const S0 = 8;
const A0 = 10;

let p: TestProcess;
beforeEach(() => {
  p = new TestProcess();
});

describe("clone", () => {
  test("refuses combinations that Linux refuses, namespaces and a sibling of init", () => {
    expect(p.call(NR.clone, CLONE_THREAD)).toBe(-EINVAL);
    expect(p.call(NR.clone, CLONE_SIGHAND)).toBe(-EINVAL);
    expect(p.call(NR.clone, THREAD_FLAGS | 0x20000)).toBe(-EINVAL);
    expect(p.call(NR.clone, 0x20000000 | 17)).toBe(-EINVAL);
    expect(p.call(NR.clone, 0x8000 | 17)).toBe(-EINVAL);
  });

  test("gives the thread its parent's registers, but a0 = 0, its own stack and tp", () => {
    p.setRegister(S0, 1234);
    const flags = THREAD_FLAGS | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    const tid = p.call(NR.clone, flags, p.memory + 4096, p.memory, 0x55aa, p.memory + 8);
    expect(tid).toBeGreaterThan(1);
    expect([p.peek32(p.memory), p.peek32(p.memory + 8)]).toEqual([tid, tid]);
    expect(p.switchTask()).toBe(tid);
    expect([SP, TP, S0, A0].map((r) => Number(p.register(r)))).toEqual([p.memory + 4096, 0x55aa, 1234, 0]);
    expect([p.call(NR.getpid), p.call(NR.gettid)]).toEqual([1, tid]);
  });
});

describe("exit", () => {
  test("clears the thread's word and wakes who waits for it", () => {
    const tid = p.call(NR.clone, THREAD_FLAGS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID, 0, 0, 0, p.memory);
    expect(p.call(NR.futex, p.memory, 0, tid, 0)).toBe(WAIT);
    expect(p.switchTask()).toBe(tid);
    expect(p.call(NR.exit, 3)).toBe(NO_RETURN);
    expect(p.switchTask()).toBe(1);
    expect(p.restart()).toBe(0);
    expect(p.peek32(p.memory)).toBe(0);
    expect(p.machine(MACHINE_STOP)).toBe(STOP_NONE);
    expect(p.call(NR.tgkill, 1, tid, 0)).toBe(-ESRCH);
  });

  test("of a thousand threads leaves no record behind, and numbers are not used again at once", () => {
    const before = kmemCacheLive(p.shared, POOL_TASK);
    const count = p.machine(MACHINE_TASK_COUNT);
    const seen = new Set<number>();
    for (let i = 0; i < 1000; i++) {
      const tid = p.call(NR.clone, THREAD_FLAGS, 0);
      seen.add(tid);
      p.call(NR.sched_yield);
      expect(p.switchTask()).toBe(tid);
      p.call(NR.exit, 0);
      expect(p.switchTask()).toBe(1);
    }
    expect(seen.size).toBe(1000);
    for (let i = 0; i < 4; i++) rcuAdvance(p.hart, rcuCallbacks);
    expect(kmemCacheLive(p.shared, POOL_TASK)).toBe(before);
    expect(p.machine(MACHINE_TASK_COUNT)).toBe(count);
  });

  test("of the first thread leaves the process to the others; the last one's code is the process's", () => {
    const tid = p.call(NR.clone, THREAD_FLAGS, 0);
    p.call(NR.exit, 9);
    expect(p.machine(MACHINE_STOP)).toBe(STOP_NONE);
    expect(p.switchTask()).toBe(tid);
    expect(p.call(NR.getpid)).toBe(1);
    expect(p.call(NR.kill, 1, 0)).toBe(0);
    p.call(NR.exit, 5);
    expect([p.machine(MACHINE_STOP), p.machine(MACHINE_EXIT_STATUS)]).toEqual([STOP_EXIT, 5]);
  });

  test("exit_group ends threads that wait, with its own code", () => {
    const tid = p.call(NR.clone, THREAD_FLAGS, 0);
    expect(p.switchTask()).toBe(tid);
    p.poke32(p.memory, 1);
    expect(p.call(NR.futex, p.memory, 0, 1, 0)).toBe(WAIT);
    expect(p.switchTask()).toBe(1);
    p.call(NR.exit_group, 42);
    expect(p.machine(MACHINE_STOP)).toBe(STOP_NONE);
    expect(p.switchTask()).toBe(tid);
    expect(p.deliverSignals()).toBe(true);
    expect([p.machine(MACHINE_STOP), p.machine(MACHINE_EXIT_STATUS)]).toEqual([STOP_EXIT, 42]);
  });
});

describe("robust futexes", () => {
  const WAITERS = 0x80000000;
  const OWNER_DIED = 0x40000000;
  const LOCK_OFFSET = -16;

  test("held by a thread that ends are marked and one waiter is woken", () => {
    const head = p.memory + 256;
    const entry = p.memory + 512;
    const lock = entry + LOCK_OFFSET;
    const tid = p.call(NR.clone, THREAD_FLAGS, 0);
    p.poke32(lock, tid | WAITERS);
    p.poke64(head, entry, LOCK_OFFSET, 0);
    p.poke64(entry, head);
    expect(p.call(NR.futex, lock, 0, tid | WAITERS, 0)).toBe(WAIT);
    expect(p.switchTask()).toBe(tid);
    expect(p.call(NR.set_robust_list, head, 23)).toBe(-EINVAL);
    expect(p.call(NR.set_robust_list, head, 24)).toBe(0);
    expect(p.call(NR.get_robust_list, 0, p.memory, p.memory + 8)).toBe(0);
    expect([p.peek64(p.memory), p.peek64(p.memory + 8)]).toEqual([head, 24]);
    p.call(NR.exit, 0);
    expect(p.switchTask()).toBe(1);
    expect(p.restart()).toBe(0);
    expect(p.peek32(lock) >>> 0).toBe((WAITERS | OWNER_DIED) >>> 0);
  });

  test("a list that goes round or leads nowhere ends the walk, not the kernel", () => {
    const head = p.memory + 256;
    p.poke64(head, p.memory + 512, LOCK_OFFSET, 0);
    p.poke64(p.memory + 512, p.memory + 512);
    p.call(NR.set_robust_list, head, 24);
    p.call(NR.exit, 0);
    const q = new TestProcess();
    q.poke64(q.memory, 0x7000, LOCK_OFFSET, 0x9000);
    q.call(NR.set_robust_list, q.memory, 24);
    expect(q.call(NR.exit, 0)).toBe(NO_RETURN);
  });
});
