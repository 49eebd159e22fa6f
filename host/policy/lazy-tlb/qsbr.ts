// qsbr: nobody counts and nobody is told. Each hart counts the borrowings that have ended on it; a dead mm is freed
// once that count has moved on every hart that may borrow it. (Peter Zijlstra's answer of 2 December 2020.)
//
// An idle hart may borrow for ever, so who has not moved after a while is told after all: else mms would leak.

import {
  COUNTER_SHOOT_LAZIES_SENT,
  HART_CURRENT,
  IPI_UNLAZY,
  RQ_MM_SWITCHES,
  TASK_MM,
} from "../../../assembly/layout.ts";
import { maskCount } from "../../memory/cpumask.ts";
import { hartBase, rqOf } from "../../memory/hart-local.ts";
import { copyRunningOthers, sendIpi } from "../../memory/ipi.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import type { Hart } from "../hart.ts";
import type { LazyTlb, MmFrame } from "../seams.ts";

/** How often the counts are looked at before those that have not moved are told. */
const PATIENCE_LOOKS = 64;

export function makeQsbr(frame: MmFrame): LazyTlb {
  return {
    name: "qsbr",
    unlazyAtFlush: false,
    skipsFlush: false,
    finishIsBarrier: false,
    activeIsLoaded: false,

    grab(): void {},

    refuses(): boolean {
      return false;
    },

    resume(): void {},

    put(hart: Hart): void {
      endBorrowing(hart);
    },

    unlazy(hart: Hart): number {
      endBorrowing(hart);
      return 0;
    },

    finish(): number {
      return 0;
    },

    lastUser(): void {},

    lastRef(hart: Hart, mm: number): void {
      frame.unlazyMm(hart, mm);
      const waiting = hart.flushMask;
      if (!copyRunningOthers(hart, waiting)) return;
      const seen = hart.switchesSeen;
      for (let id = 0; id < hart.hartCount; id++) seen[id] = hart.shared.loadAcquire(rqOf(id) + RQ_MM_SWITCHES);
      for (let look = 0; look < PATIENCE_LOOKS; look++) {
        if (!strikeOutMoved(hart, waiting, seen)) return;
        hart.pollIrq();
      }
      hart.count(COUNTER_SHOOT_LAZIES_SENT, maskCount(waiting));
      sendIpi(hart, waiting, IPI_UNLAZY, mm);
    },
  };
}

/** Only the owner counts. Release: satp and active_mm have left the mm. */
function endBorrowing(hart: Hart): void {
  const { shared, rq } = hart;
  shared.storeRelease(rq + RQ_MM_SWITCHES, (shared.loadOnce(rq + RQ_MM_SWITCHES) + 1) | 0);
}

/** Takes out the harts that borrow nothing, or something else by now; true if some are left. */
function strikeOutMoved(hart: Hart, waiting: Int32Array, seen: Int32Array): boolean {
  const { shared } = hart;
  let left = false;
  for (let id = 0; id < hart.hartCount; id++) {
    const bit = 1 << (id & 31);
    if ((waiting[id >>> 5] & bit) === 0) continue;
    if (shared.loadAcquire(rqOf(id) + RQ_MM_SWITCHES) !== seen[id] || isUser(hart, id)) waiting[id >>> 5] &= ~bit;
    else left = true;
  }
  return left;
}

/** The hart runs a task with user memory: whatever it borrowed before it has handed back. */
function isUser(hart: Hart, id: number): boolean {
  rcuReadLock(hart);
  const task = hart.shared.loadAcquire(hartBase(id) + HART_CURRENT);
  const mm = task === 0 ? 0 : hart.shared.loadOnce(task + TASK_MM);
  rcuReadUnlock(hart);
  return mm !== 0;
}
