import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { runStub } from "../../../kernel/sched/idle.ts";
import { mmAlloc, mmput } from "../../../mm/mm.ts";
import { type Scenario, scenario } from "../../scenario.ts";
import { idleOnce, makeUserTask, pollFor, startOn, switchTo, switchToIdle } from "../tasks.ts";
import { exitAndLeave } from "../threads.ts";

interface State {
  readonly dying: number;
  readonly other: number;
}

/** A hart that borrows an mm goes on to a thread of another one, while the first mm's last user exits. */
function returnToAnother(name: string, summary: string, idle: (hart: KernelHart) => void, finds: Scenario["finds"]) {
  return scenario<State>({
    name,
    summary,
    policies: Object.values(finds)[0],
    finds,
    setUp(hart, harts) {
      const dying = mmAlloc(hart);
      startOn(harts[1], makeUserTask(harts[1], dying)); // its thread runs no more: the user is dropped by hart 0
      switchToIdle(harts[1]);
      return { dying, other: makeUserTask(harts[1], mmAlloc(harts[1])) };
    },
    programs: [
      (hart, { dying }) => mmput(hart, dying),
      (hart, { other }) => {
        idle(hart);
        switchTo(hart, other);
        runStub(hart);
      },
    ],
    tearDown: exitAndLeave,
  });
}

export const returnMeanwhile = returnToAnother(
  "A/return-meanwhile",
  "a borrower loads another mm while the borrowed one dies",
  (hart) => pollFor(hart, 4),
  { "A-M8": { "lazy-tlb": "hazard" } },
);

export const returnAfterwards = returnToAnother(
  "A/return-afterwards",
  "a borrower loads another mm when it holds the last reference of the borrowed one",
  idleOnce,
  { "A-M11": { "lazy-tlb": "refcount" } },
);
