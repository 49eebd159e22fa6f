// Kernel threads. Each is a step function: a synchronous worker cannot switch stacks, so a kernel thread does a piece
// of work and says whether it wants to go on, to sleep until somebody wakes it, or to end.

import {
  HART_NEED_RESCHED,
  PF_KSWAPD,
  RQ_COUNT,
  TASK_DEAD,
  TASK_FLAGS,
  TASK_STATE,
  TASK_STEP,
  TASK_STEP_ARG,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import { rcuStallReport } from "../../memory/rcu.ts";
import type { Hart } from "../../policy/hart.ts";
import { writeKernelLine } from "../kernel-line.ts";
import { khugepagedStep } from "../memory/khugepaged.ts";
import { kswapdStep } from "../memory/kswapd.ts";
import { armTimer } from "../time/timer.ts";
import { sampleLoad } from "./load.ts";
import { schedulerTick } from "./sched.ts";
import { sleepOnTimer } from "./wait.ts";

/** "wait": the step has already put the task on a queue or armed its timer, with its state no longer RUNNING. */
export type StepResult = "again" | "wait" | "done";
export type KthreadStep = (hart: Hart, argument: number) => StepResult;

/** Does nothing but let others run: what lazy-TLB tests and benchmarks switch to and from. */
export const KTHREAD_YIELD = 1;

/** Once a second: is a grace period stuck? Then it says who holds it. And how many tasks there are to run. */
export const KTHREAD_RCU_WATCH = 2;

/** Reclaims while memory is short (kswapd.ts). */
export const KTHREAD_KSWAPD = 3;

/** Collapses pages into huge ones (khugepaged.ts). */
export const KTHREAD_KHUGEPAGED = 4;

const WATCH_NS = 1e9;

const STEPS: readonly (KthreadStep | undefined)[] = [undefined, () => "again", watchRcu, kswapdStep, khugepagedStep];

function watchRcu(hart: Hart): StepResult {
  const report = rcuStallReport(hart);
  sampleLoad(hart);
  if (report !== "") writeKernelLine(hart, `pagewalk: ${report}`);
  sleepOnTimer(hart);
  armTimer(hart, hart.clock.now() + WATCH_NS);
  return "wait";
}

/** Runs one step of the current task, which is a kernel thread. */
export function runKthreadStep(hart: Hart): void {
  const { shared, current } = hart;
  const step = STEPS[shared.get(current + TASK_STEP)];
  if (step === undefined) throw new KernelBug("kernel thread without a step function", { task: current });
  const result = step(hart, shared.get(current + TASK_STEP_ARG));
  if (result === "done") shared.storeRelease(current + TASK_STATE, TASK_DEAD);
  if (result !== "again") hart.set(HART_NEED_RESCHED, 1);
  // kswapd uses its slice: others would allocate meanwhile, and come to reclaim themselves.
  else if ((shared.get(current + TASK_FLAGS) & PF_KSWAPD) !== 0) schedulerTick(hart);
  else if (shared.loadOnce(hart.rq + RQ_COUNT) > 0) hart.set(HART_NEED_RESCHED, 1);
}
