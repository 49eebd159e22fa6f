// What getrusage, wait4 and /proc say of page faults, to the number (guest-programs/usage.c), and of switches.

import { expect, test } from "vitest";
import { PREBUILT } from "../../support/paths.ts";
import { pagewalk } from "../../support/process.ts";
import { NR, THREAD_FLAGS } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

test.each([1, 2])("each page touched for the first time is one minor fault, on %d harts", async (harts) => {
  const { status, stderr } = await pagewalk(["run", "--harts", `${harts}`, `${PREBUILT}/usage`, "exact"]);
  expect([status, stderr]).toEqual([0, ""]);
});

test("a switch is voluntary if the task had to wait, else involuntary; a process has those of its threads", () => {
  const GETRUSAGE = 165;
  const [SELF, CHILDREN, THREAD] = [0, -1, 1];
  const p = new TestProcess();
  const switches = (who: number) => {
    expect(p.call(GETRUSAGE, who, p.memory)).toBe(0);
    return [p.peek64(p.memory + 128), p.peek64(p.memory + 136)];
  };
  const tid = p.call(NR.clone, THREAD_FLAGS, 0);
  p.call(NR.sched_yield);
  expect(p.switchTask()).toBe(tid);
  expect(switches(THREAD)).toEqual([0, 0]);
  p.call(NR.futex, p.poke32(p.memory, 0), 0, 0, 0);
  expect(p.switchTask()).toBe(1);
  expect([switches(THREAD), switches(SELF)]).toEqual([
    [0, 1],
    [1, 1],
  ]);
  expect(p.call(NR.futex, p.memory + 1024, 1, 1)).toBe(0);
  const child = p.call(NR.clone, 17);
  p.call(NR.sched_yield);
  expect(p.switchTask()).toBe(child);
  p.call(NR.sched_yield);
  expect(p.switchTask()).toBe(1);
  p.call(NR.sched_yield);
  expect(p.switchTask()).toBe(child);
  p.call(NR.exit_group, 0);
  expect(p.switchTask()).toBe(1);
  expect(p.call(NR.wait4, -1, 0, 0, p.memory)).toBe(child);
  // The child's yield; its last switch comes when it has been counted.
  expect([p.peek64(p.memory + 128), p.peek64(p.memory + 136)]).toEqual(switches(CHILDREN));
  expect(switches(CHILDREN)).toEqual([0, 1]);
});
