import { expect, test } from "vitest";
import {
  HART_DOORBELL,
  MACHINE_BASE,
  MACHINE_IDLE_MASK,
  POOL_TASK,
  RQ_COUNT,
  TASK_CPUS_ALLOWED,
  TASK_HART,
} from "../../assembly/layout.ts";
import { enqueueOn, kickIdle } from "../../host/kernel/placement.ts";
import { hartBase, rqOf } from "../../host/memory/hart-local.ts";
import { kmemCacheAlloc } from "../../host/memory/slab.ts";
import { MmMachine } from "../mm/harness.ts";

const HART_0 = 1 << 0;
const HART_1 = 1 << 1;

function machineWithTask(allowed: number) {
  const { shared, hart } = new MmMachine(2);
  const task = kmemCacheAlloc(hart, POOL_TASK);
  shared.set(task + TASK_CPUS_ALLOWED, allowed);
  return { shared, hart, task };
}

test("a task whose affinity changes on its way to a hart ends where it may run", () => {
  const { shared, hart, task } = machineWithTask(HART_0);
  shared.set(task + TASK_HART, 1);
  expect(enqueueOn(hart, 1, task)).toBe(0);
  expect(shared.get(task + TASK_HART)).toBe(0);
  expect([0, 1].map((id) => shared.get(rqOf(id) + RQ_COUNT))).toEqual([1, 0]);
});

test("tasks that wait for a hart wake an idle one only if it may run one of them", () => {
  const { shared, hart, task } = machineWithTask(HART_0);
  enqueueOn(hart, 0, task);
  shared.set(MACHINE_BASE + MACHINE_IDLE_MASK, HART_1);
  kickIdle(hart);
  expect(shared.get(hartBase(1) + HART_DOORBELL)).toBe(0);
  shared.set(task + TASK_CPUS_ALLOWED, HART_0 | HART_1);
  kickIdle(hart);
  expect(shared.get(hartBase(1) + HART_DOORBELL)).not.toBe(0);
});
