import { kthreadUnuseMm, kthreadUseMm } from "../../../kernel/sched/kthread-mm.ts";
import { mmAlloc, mmget, mmput } from "../../../mm/mm.ts";
import { scenario } from "../../scenario.ts";
import { leaveAll, makeUserTask, startOn, switchToIdle } from "../tasks.ts";

interface State {
  readonly mm: number;
}

/**
 * A kernel thread on a hart that borrows an mm works in it for a while, and drops its user before it stops. That is
 * more than kthreadUseMm allows: policies that act at the last mmput would miss the borrowing that follows it.
 */
export const kthreadUser = scenario<State>({
  name: "A/kthread-user",
  summary: "a kernel thread uses the mm that its hart borrows, and is its last user",
  onlyFor: { "lazy-tlb": ["refcount", "eager", "is-lazy", "shoot", "shoot-hash", "shoot-at-flush", "qsbr"] },
  finds: {
    "A-M10": { "lazy-tlb": "shoot" },
    "F-M5": { "lazy-tlb": "refcount" },
  },
  setUp(hart, harts) {
    const mm = mmAlloc(hart);
    mmget(hart, mm);
    startOn(harts[1], makeUserTask(harts[1], mm)); // its thread runs no more: the user is dropped by hart 0
    switchToIdle(harts[1]);
    return { mm };
  },
  programs: [
    (hart, { mm }) => mmput(hart, mm),
    (hart, { mm }) => {
      kthreadUseMm(hart, mm); // the idle task will do for one
      mmput(hart, mm); // from here on only the pin of kthread_use_mm is left
      kthreadUnuseMm(hart);
    },
  ],
  tearDown: leaveAll,
});
