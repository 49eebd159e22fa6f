import { MM_BASE, MM_BYTES, MM_USERS, RQ_DROP_MM, TASK_MM } from "../../../../assembly/layout.ts";
import { mmAlloc, mmdrop, mmget, mmput } from "../../../mm/mm.ts";
import { anonVmaPut } from "../../../mm/rmap/anon-vma.ts";
import { scenario } from "../../scenario.ts";
import { awaitTold, tell } from "../signal.ts";
import { leaveAll, makeUserTask, pollFor, startOn, switchTo, switchToIdle } from "../tasks.ts";
import { exitThread } from "../threads.ts";

interface State {
  readonly dying: number;
  readonly between: number;
  /** A thread of `between`, and one that gets the fresh mm. */
  readonly thread: number;
  readonly next: number;
}

const FRESH = 0;

/**
 * The ABA of hazard pointers. A hart borrows `dying`, and a reference of an mm that it no longer borrows is parked with
 * it. It moves on, frees that mm, gets the record back for a new one, and borrows this: an exiter that has stalled
 * between its loads and its compare-and-swap must notice.
 */
export const recycledSlot = scenario<State>({
  name: "A/recycled-slot",
  summary: "the record of a freed mm becomes another mm under an exiter's nose",
  policies: { "lazy-tlb": "hazard" },
  onlyFor: { "lazy-tlb": ["hazard", "hazard-mask"] },
  finds: { "A-M15": { "lazy-tlb": "hazard" } },
  setUp(hart) {
    const { shared } = hart;
    const dying = mmAlloc(hart);
    const between = mmAlloc(hart);
    startOn(hart, makeUserTask(hart, dying)); // its thread runs no more; exit_mmap is done, what is left is hart 1's
    switchToIdle(hart);
    anonVmaPut(hart, dying);
    shared.set(dying + MM_USERS, 0);
    const parked = mmAlloc(hart); // empty, without users: only the parked reference is left
    anonVmaPut(hart, parked);
    shared.set(parked + MM_USERS, 0);
    shared.set(hart.rq + RQ_DROP_MM, Math.floor((parked - MM_BASE) / MM_BYTES) + 1);
    return { dying, between, thread: makeUserTask(hart, between), next: makeUserTask(hart, 0) };
  },
  programs: [
    (hart, { thread, next }) => {
      pollFor(hart, 1);
      switchTo(hart, thread); // drops what was parked
      const fresh = mmAlloc(hart); // last freed, first reused
      hart.shared.set(next + TASK_MM, fresh);
      switchTo(hart, next);
      mmget(hart, fresh);
      tell(hart, FRESH, fresh);
      exitThread(hart);
    },
    (hart, { dying }) => {
      hart.policies.lazyTlb.lastUser(hart, dying);
      mmdrop(hart, dying);
    },
    (hart) => mmput(hart, awaitTold(hart, FRESH)),
  ],
  tearDown(hart, { between }) {
    leaveAll(hart);
    if (hart.id === 0) mmput(hart, between);
  },
});
