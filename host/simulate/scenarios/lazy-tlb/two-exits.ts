import { mmAlloc, mmget, mmput } from "../../../mm/mm.ts";
import { scenario } from "../../scenario.ts";
import { leaveAll, makeUserTask, pollFor, startOn, switchTo, switchToIdle } from "../tasks.ts";
import { exitThread } from "../threads.ts";

interface State {
  readonly first: number;
  readonly second: number;
  readonly thread: number;
}

/** One hart borrows two mms one after the other, while two others drop the last user of each. */
export const twoExits = scenario<State>({
  name: "A/two-exits",
  summary: "a hart borrows one mm, then another; both die meanwhile",
  policies: { "lazy-tlb": "hazard" },
  finds: {
    "A-M6": { "lazy-tlb": "hazard" },
    "A-M7": { "lazy-tlb": "hazard" },
  },
  setUp(hart) {
    const first = mmAlloc(hart);
    const second = mmAlloc(hart);
    mmget(hart, second);
    startOn(hart, makeUserTask(hart, first)); // its thread runs no more: the user is dropped by hart 1
    switchToIdle(hart);
    return { first, second, thread: makeUserTask(hart, second) };
  },
  programs: [
    (hart, { thread }) => {
      pollFor(hart, 3);
      switchTo(hart, thread);
      exitThread(hart);
    },
    (hart, { first }) => mmput(hart, first),
    (hart, { second }) => mmput(hart, second),
  ],
  tearDown: leaveAll,
});
