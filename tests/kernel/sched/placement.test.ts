import { expect, test } from "vitest";
import {
  HART_DOORBELL,
  HART_NEED_RESCHED,
  MACHINE_BASE,
  MACHINE_IDLE_MASK,
  MACHINE_KSWAPD_QUEUE,
  PF_KSWAPD,
  PF_KTHREAD,
  POOL_TASK,
  RQ_COUNT,
  RQ_HEAD,
  RQ_TAIL,
  TASK_CPUS_ALLOWED,
  TASK_FLAGS,
  TASK_HART,
  TASK_RQ_NEXT,
  TASK_STATE,
  TASK_UNINTERRUPTIBLE,
} from "../../../assembly/layout.ts";
import { wakeKswapd } from "../../../host/kernel/memory/kswapd.ts";
import { enqueueOn, kickIdle, selectHart } from "../../../host/kernel/sched/placement.ts";
import { waitqAdd } from "../../../host/kernel/sched/wait.ts";
import { hartBase, rqOf } from "../../../host/memory/hart-local.ts";
import { kmemCacheAlloc } from "../../../host/memory/slab.ts";
import { MmMachine } from "../../mm/harness.ts";

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

function addKswapd({ shared, hart }: MmMachine): number {
  const task = kmemCacheAlloc(hart, POOL_TASK);
  shared.set(task + TASK_FLAGS, PF_KTHREAD | PF_KSWAPD);
  shared.set(task + TASK_CPUS_ALLOWED, HART_0 | HART_1);
  shared.set(task + TASK_HART, 1);
  return task;
}

test("kswapd goes to an idle hart, else before all others to the one that needs memory", () => {
  const machine = new MmMachine(2);
  const { shared, hart } = machine;
  const other = kmemCacheAlloc(hart, POOL_TASK);
  shared.set(other + TASK_CPUS_ALLOWED, HART_0 | HART_1);
  enqueueOn(hart, 0, other);
  const kswapd = addKswapd(machine);
  shared.set(MACHINE_BASE + MACHINE_IDLE_MASK, HART_1);
  expect(selectHart(hart, kswapd, 1)).toBe(1);
  shared.set(MACHINE_BASE + MACHINE_IDLE_MASK, 0);
  expect(selectHart(hart, kswapd, 1)).toBe(0);
  expect(selectHart(hart, other, 1)).toBe(1);
  expect(enqueueOn(hart, 0, kswapd)).toBe(0);
  expect(shared.get(rqOf(0) + RQ_HEAD)).toBe(kswapd);
  expect([shared.get(kswapd + TASK_RQ_NEXT), shared.get(rqOf(0) + RQ_TAIL)]).toEqual([other, other]);
});

test("who wakes kswapd on his own hart is to make way for it", () => {
  const machine = new MmMachine(2);
  const { shared, hart } = machine;
  const kswapd = addKswapd(machine);
  shared.set(kswapd + TASK_STATE, TASK_UNINTERRUPTIBLE);
  const queue = MACHINE_BASE + MACHINE_KSWAPD_QUEUE;
  const current = hart.current;
  hart.setCurrent(kswapd);
  waitqAdd(hart, queue);
  hart.setCurrent(current);
  wakeKswapd(hart);
  expect(shared.get(kswapd + TASK_HART)).toBe(0);
  expect(hart.get(HART_NEED_RESCHED)).toBe(1);
});
