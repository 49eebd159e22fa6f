// kswapd: a kernel thread that reclaims as soon as memory begins to run short, so that others seldom have to.
// (Linux: kswapd and balance_pgdat in mm/vmscan.c)

import {
  COUNTER_PAGEOUTRUN,
  HART_NEED_RESCHED,
  MACHINE_BASE,
  MACHINE_KSWAPD_AWAKE,
  MACHINE_KSWAPD_FAILURES,
  MACHINE_KSWAPD_QUEUE,
  PF_KSWAPD,
  RQ_HEAD,
  TASK_FLAGS,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { isAboveLow, missingToHigh } from "../../mm/frame/watermark.ts";
import { shrinkMemory } from "../../mm/reclaim/vmscan.ts";
import type { Hart } from "../../policy/hart.ts";
import type { StepResult } from "../sched/kthread.ts";
import { finishWait, waitqAdd, waitqWakeOne } from "../sched/wait.ts";

const QUEUE = MACHINE_BASE + MACHINE_KSWAPD_QUEUE;
const AWAKE = MACHINE_BASE + MACHINE_KSWAPD_AWAKE;
const FAILURES = MACHINE_BASE + MACHINE_KSWAPD_FAILURES;
/** Most that one step frees, in frames: it has to share its hart, and then it must be worth its turn. */
const STEP_FRAMES = 256;
/** So often in vain, and it sleeps until somebody else has found something. (MAX_RECLAIM_RETRIES) */
const FAILURES_MAX = 16;

/** One step: some frames, or to sleep. */
export function kswapdStep(hart: Hart): StepResult {
  const { shared } = hart;
  finishWait(hart);
  const missing = missingToHigh(shared);
  if (missing <= 0 || shared.loadOnce(FAILURES) >= FAILURES_MAX) return sleep(hart);
  if (shrinkMemory(hart, Math.min(missing, STEP_FRAMES), true) === 0) shared.fetchAdd(FAILURES, 1);
  // Not one turn later: on a queue it can not be woken, and go before others again.
  return missingToHigh(shared) <= 0 ? sleep(hart) : "again";
}

/** There is little free memory. Cheap while kswapd is awake, or has given up. */
export function wakeKswapd(hart: Hart): void {
  const { shared } = hart;
  if (shared.loadOnce(AWAKE) !== 0 || shared.loadOnce(FAILURES) >= FAILURES_MAX) return;
  spinLock(hart, QUEUE + WAITQ_LOCK);
  const woken = waitqWakeOne(hart, QUEUE);
  if (woken) {
    shared.storeOnce(AWAKE, 1);
    hart.count(COUNTER_PAGEOUTRUN);
  }
  spinUnlock(hart, QUEUE + WAITQ_LOCK);
  if (woken && isNextHere(hart)) hart.set(HART_NEED_RESCHED, 1);
}

/** No hart was idle: it takes this one, before what is left is used up and this task has to reclaim itself. */
function isNextHere({ shared, rq }: Hart): boolean {
  const head = shared.loadOnce(rq + RQ_HEAD);
  return head !== 0 && (shared.loadOnce(head + TASK_FLAGS) & PF_KSWAPD) !== 0;
}

function sleep(hart: Hart): StepResult {
  const { shared } = hart;
  spinLock(hart, QUEUE + WAITQ_LOCK);
  shared.storeOnce(AWAKE, 0);
  // Whoever wants it after this finds it on the queue.
  const stays = !isAboveLow(shared) && shared.loadOnce(FAILURES) < FAILURES_MAX;
  if (stays) shared.storeOnce(AWAKE, 1);
  else waitqAdd(hart, QUEUE);
  spinUnlock(hart, QUEUE + WAITQ_LOCK);
  return stays ? "again" : "wait";
}
