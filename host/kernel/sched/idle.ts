// The idle task. It runs a few instructions of the kernel stub through satp, so that a borrowed root table which was
// freed breaks a real walk; then it looks for work, moves RCU along, and parks until the doorbell rings or a timer is
// due. While parked the hart keeps the last mm loaded: that is what makes lazy TLB a question.

import {
  CAUSE_ECALL_S,
  EXIT_TRAP,
  HART_CAUSE,
  HART_DOORBELL,
  HART_NEED_RESCHED,
  HART_PC,
  HART_PRIV,
  MACHINE_BASE,
  MACHINE_IDLE_MASK,
  PRIV_SUPERVISOR,
  PRIV_USER,
  RQ_COUNT,
} from "../../../assembly/layout.ts";
import { cpumaskClear, cpumaskSet } from "../../memory/cpumask.ts";
import { KernelBug } from "../../memory/errors.ts";
import { park } from "../../memory/park.ts";
import { type RcuCallback, rcuAdvance, rcuPending, rcuQuiescent } from "../../memory/rcu.ts";
import { POINT_IDLE, SCHEDULE_POINTS } from "../../memory/schedule.ts";
import { IDLE_EXIT, IDLE_PARKED, TRACE_CPU_IDLE, trace } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { expireTimers, nextTimer } from "../time/timer.ts";
import { isOfflineWanted, stayOffline } from "./hotplug.ts";
import { stealTask } from "./sched.ts";

const IDLE_MASK = MACHINE_BASE + MACHINE_IDLE_MASK;
const STUB_PC_HIGH = 0xffffffc0; // KERNEL_STUB_VPN as a sign-extended address: 0xffffffc000000000
const STUB_BUDGET_INSTRS = 64;
/** How soon an idle hart with RCU callbacks looks again. */
const RCU_LOOK_NS = 100_000;

/** Returns when there may be something to run, or work that the hart loop does. */
export function idle(hart: Hart, callbacks: readonly (RcuCallback | undefined)[]): void {
  runStub(hart);
  if (isOfflineWanted(hart)) stayOffline(hart, callbacks);
  cpumaskSet(hart, IDLE_MASK, hart.id);
  try {
    waitForWork(hart, callbacks);
  } finally {
    cpumaskClear(hart, IDLE_MASK, hart.id);
  }
}

function waitForWork(hart: Hart, callbacks: readonly (RcuCallback | undefined)[]): void {
  const { shared } = hart;
  for (let spin = 0; ; spin++) {
    hart.pollIrq();
    expireTimers(hart);
    rcuQuiescent(hart);
    if (hart.get(HART_NEED_RESCHED) !== 0 || shared.loadAcquire(hart.rq + RQ_COUNT) > 0) return;
    if (isOfflineWanted(hart)) return;
    if (stealTask(hart)) return;
    rcuAdvance(hart, callbacks);
    if (!SCHEDULE_POINTS && spin < hart.spinCount) continue;
    const deadline = rcuPending(hart) ? Math.min(nextTimer(hart), hart.clock.now() + RCU_LOOK_NS) : nextTimer(hart);
    // The idle bit is set and the queue was empty after that: whoever enqueues from now on rings the doorbell.
    if (shared.loadAcquire(hart.rq + RQ_COUNT) > 0) return;
    // What a poll above has taken off the doorbell would not end the park.
    if (hart.hasDeferredWork() || hart.get(HART_NEED_RESCHED) !== 0) return;
    trace(hart, TRACE_CPU_IDLE, IDLE_PARKED, hart.id);
    park(hart, hart.base + HART_DOORBELL, 0, deadline, POINT_IDLE);
    trace(hart, TRACE_CPU_IDLE, IDLE_EXIT, hart.id);
    if (hart.hasDeferredWork()) return;
  }
}

/** A real walk through the borrowed root: the stub is global, supervisor, read and execute. */
export function runStub(hart: Hart): void {
  const u32 = hart.shared.u32;
  u32[(hart.base + HART_PC) >>> 2] = 0;
  u32[(hart.base + HART_PC + 4) >>> 2] = STUB_PC_HIGH;
  setPrivilege(hart, PRIV_SUPERVISOR);
  for (;;) {
    const exit = hart.core.run(STUB_BUDGET_INSTRS);
    if (exit !== EXIT_TRAP) {
      hart.pollIrq();
      continue;
    }
    if (hart.get(HART_CAUSE) === CAUSE_ECALL_S) break;
    throw new KernelBug("the idle stub faulted: the borrowed root table is broken", { cause: hart.get(HART_CAUSE) });
  }
  setPrivilege(hart, PRIV_USER);
}

function setPrivilege(hart: Hart, privilege: number): void {
  hart.set(HART_PRIV, privilege);
  hart.core.loadSatp(); // takes the privilege into use as well
}
