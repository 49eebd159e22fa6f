// The life of a hart: run the current task's guest code, handle why it came back, schedule; or idle. One worker runs
// this loop for each hart, in the threaded and in the deterministic driver alike, and never returns to its event loop
// while the machine runs.

import {
  COUNTER_BUDGET_EXIT,
  DOORBELL_CONSOLE,
  EXIT_BUDGET,
  EXIT_DOORBELL,
  EXIT_TRAP,
  HART_INSTRET,
  HART_NEED_RESCHED,
  HART_RUN_STATE,
  HART_TIME_NS,
  MACHINE_BASE,
  MACHINE_HARTS_RUNNING,
  PF_FORKED,
  PF_IDLE,
  PF_KTHREAD,
  PF_RSEQ,
  PROCESS_GROUP_EXIT,
  RUN_KERNEL,
  RUN_OFFLINE,
  RUN_USER,
  TASK_FLAGS,
  TASK_PROCESS,
  TASK_RESTART_CALL,
  TASK_SIGNAL_PENDING,
} from "../../assembly/layout.ts";
import { KernelBug, MachineStopped } from "../memory/errors.ts";
import { rcuAdvance, rcuDrainAll, rcuQuiescent } from "../memory/rcu.ts";
import { POINT_GUEST, SCHEDULE_POINTS } from "../memory/schedule.ts";
import { signalPending } from "../memory/signal-pending.ts";
import type { KernelHart } from "./kernel-hart.ts";
import { finishFork } from "./process/clone.ts";
import { mustMakeRoom } from "./process/group-exit.ts";
import { resumeRseq } from "./process/rseq.ts";
import { rcuCallbacks } from "./rcu-callbacks.ts";
import { idle } from "./sched/idle.ts";
import { runKthreadStep } from "./sched/kthread.ts";
import { schedulerTick } from "./sched/sched.ts";
import { releaseBorrowedMm, schedule } from "./sched/switch.ts";
import { deliverSignals } from "./signal/signal.ts";
import { cpuTimersTick } from "./time/cpu-timer.ts";
import { expireTimers } from "./time/timer.ts";
import { handleTrap, systemCall } from "./trap.ts";
import { consoleEvent } from "./tty/tty-events.ts";

/**
 * Instructions per call of run(): V8 replaces baseline code only between calls, and timers are looked at after each.
 */
const BUDGET_INSTRS = 200_000;
/** In the deterministic driver a shorter one, so that harts interleave. */
const BUDGET_INSTRS_DETERMINISTIC = 2_000;
/** What a trap or a kernel thread's step costs of the budget, so that who makes only these is preempted too. */
const TRAP_CHARGE_INSTRS = 200;

/** Runs the hart until the machine stops. Bugs throw: the worker makes an oops of them. */
export function runHart(hart: KernelHart): void {
  try {
    tick(hart);
    for (;;) step(hart);
  } catch (error) {
    if (!(error instanceof MachineStopped)) throw error;
  }
  leave(hart);
}

function step(hart: KernelHart): void {
  hart.pollIrq();
  if (hart.hasDeferredWork()) doDeferredWork(hart);
  if (hart.get(HART_NEED_RESCHED) !== 0) schedule(hart);
  const flags = hart.shared.get(hart.current + TASK_FLAGS);
  if ((flags & PF_IDLE) !== 0) {
    idle(hart, rcuCallbacks);
    setTime(hart); // it may have slept for long
    schedule(hart);
  } else if ((flags & PF_KTHREAD) !== 0) {
    runKthreadStep(hart);
    rcuQuiescent(hart);
    hart.budgetInstrs -= TRAP_CHARGE_INSTRS;
    if (hart.budgetInstrs <= 0) tick(hart);
  } else if (signalPending(hart)) {
    // A call that waits looks first: it ends with what it has, or with -ERESTART*, and only then a handler may run.
    if (mustFinishCall(hart)) systemCall(hart);
    else if (deliverSignals(hart)) schedule(hart); // the task is dead or stopped
  } else {
    if ((flags & PF_FORKED) !== 0) finishFork(hart);
    if ((flags & PF_RSEQ) === 0 || resumeRseq(hart)) runGuest(hart);
  }
}

/** True while the current task is in the middle of a call that waits, and will live to see its result. */
function mustFinishCall(hart: KernelHart): boolean {
  const { shared, current } = hart;
  if (shared.get(current + TASK_RESTART_CALL) === 0) return false;
  const process = shared.get(current + TASK_PROCESS);
  return shared.loadAcquire(process + PROCESS_GROUP_EXIT) === 0 && !mustMakeRoom(hart, process);
}

/**
 * Guest code and its traps, until the hart has something else to do. Nothing is polled between two traps: run() looks
 * at the doorbell before its first instruction, and everything that others want of this hart rings there.
 */
function runGuest(hart: KernelHart): void {
  const { shared, base, core, current } = hart;
  const instret = (base + HART_INSTRET) >>> 2;
  do {
    shared.storeOnce(base + HART_RUN_STATE, RUN_USER);
    const before = shared.u32[instret];
    const exit = core.run(hart.budgetInstrs);
    shared.storeOnce(base + HART_RUN_STATE, RUN_KERNEL);
    const retired = (shared.u32[instret] - before) >>> 0;
    hart.budgetInstrs -= retired + TRAP_CHARGE_INSTRS;
    if (SCHEDULE_POINTS) {
      shared.scheduler?.retired(retired);
      shared.scheduler?.point(POINT_GUEST, current);
    }
    rcuQuiescent(hart);
    if (exit !== EXIT_TRAP) {
      if (exit === EXIT_BUDGET) hart.count(COUNTER_BUDGET_EXIT);
      else if (exit !== EXIT_DOORBELL) throw new KernelBug("run() returned an unknown exit code", { exit });
      break;
    }
    handleTrap(hart);
  } while (hart.budgetInstrs > 0 && hart.current === current && !hasOtherWork(hart));
  if (hart.budgetInstrs <= 0) tick(hart);
}

/** What the kernel itself may have left for the hart loop while it handled a trap. */
function hasOtherWork(hart: KernelHart): boolean {
  return (
    hart.get(HART_NEED_RESCHED) !== 0 ||
    hart.doorbell.deferred !== 0 ||
    hart.shared.get(hart.current + TASK_SIGNAL_PENDING) !== 0
  );
}

/** The timer interrupt: due timers, the time slice, and RCU. */
function tick(hart: KernelHart): void {
  hart.budgetInstrs = SCHEDULE_POINTS ? BUDGET_INSTRS_DETERMINISTIC : BUDGET_INSTRS;
  setTime(hart);
  expireTimers(hart);
  cpuTimersTick(hart);
  schedulerTick(hart);
  rcuAdvance(hart, rcuCallbacks);
}

/** The base of the guest's time CSR: nanoseconds. */
function setTime(hart: KernelHart): void {
  const now = hart.clock.now();
  const u32 = hart.shared.u32;
  const index = (hart.base + HART_TIME_NS) >>> 2;
  u32[index] = now;
  u32[index + 1] = now / 2 ** 32;
}

/** Work that an interrupt left because it needs a lock. */
function doDeferredWork(hart: KernelHart): void {
  const bits = hart.doorbell.takeDeferred();
  if ((bits & DOORBELL_CONSOLE) !== 0) consoleEvent(hart);
}

/** The machine has stopped. The last hart out frees what still waited for a grace period: no reader is left. */
function leave(hart: KernelHart): void {
  const { shared } = hart;
  hart.forgetContext();
  tidyUp(() => releaseBorrowedMm(hart));
  hart.forgetContext();
  shared.storeRelease(hart.base + HART_RUN_STATE, RUN_OFFLINE);
  const left = Atomics.sub(shared.i32, (MACHINE_BASE + MACHINE_HARTS_RUNNING) >>> 2, 1) - 1;
  if (left === 0) tidyUp(() => rcuDrainAll(hart, rcuCallbacks));
  shared.notify(MACHINE_BASE + MACHINE_HARTS_RUNNING);
}

/** A lock that is taken just now ends the tidying, as it ends every wait after the stop; the hart must leave anyway. */
function tidyUp(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof MachineStopped)) throw error;
  }
}
