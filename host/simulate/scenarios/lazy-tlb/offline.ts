import { joinScanSet, leaveScanSet } from "../../../kernel/sched/hotplug.ts";
import { runStub } from "../../../kernel/sched/idle.ts";
import { mmAlloc, mmput } from "../../../mm/mm.ts";
import { scenario } from "../../scenario.ts";
import { leaveAll, makeUserTask, pollFor, startOn, switchToIdle } from "../tasks.ts";

interface State {
  readonly mm: number;
}

/** A hart leaves the machine while it borrows an mm that dies. */
export const offlineWhileLazy = scenario<State>({
  name: "A/offline-while-lazy",
  summary: "a borrower leaves the set of harts in which borrowers are looked for",
  policies: { "lazy-tlb": "hazard" },
  finds: { "A-M13": { "lazy-tlb": "hazard" } },
  setUp(hart, harts) {
    const mm = mmAlloc(hart);
    startOn(harts[1], makeUserTask(harts[1], mm)); // its thread runs no more: the user is dropped by hart 0
    switchToIdle(harts[1]);
    return { mm };
  },
  programs: [
    (hart, { mm }) => mmput(hart, mm),
    (hart) => {
      leaveScanSet(hart);
      pollFor(hart, 4);
      runStub(hart);
    },
  ],
  tearDown(hart) {
    if (hart.id === 1) joinScanSet(hart);
    leaveAll(hart);
  },
});
