import { HART_ASID_NEXT, HART_SATP_ASID } from "../../../../assembly/layout.ts";
import { mmAlloc } from "../../../mm/mm.ts";
import { scenario } from "../../scenario.ts";
import { mapAnonymous, pageAt, sharedMm, touchPages } from "../address-space.ts";
import { claim } from "../claim.ts";
import { enterUser, guestLoadOrFault, guestStoreOrFault, leaveUser } from "../guest.ts";
import { makeUserTask, switchTo } from "../tasks.ts";
import { exitAndLeave, exitThread } from "../threads.ts";

interface State {
  readonly other: number;
}

const OURS = 1;
const THEIRS = 2;

/** A hart runs out of ASIDs: the one of the first mm goes to another, which has the same page elsewhere. */
export const asidReused = scenario<State>({
  name: "B/asid-reused",
  summary: "an ASID passes from one mm to another on the same hart",
  policies: { "tlb-flush": "asid-local" },
  finds: { "B-M8": { "tlb-flush": "asid-local" } },
  setUp(hart, harts) {
    sharedMm(harts, 1);
    const thread = hart.current;
    const otherMm = mmAlloc(hart);
    switchTo(hart, makeUserTask(hart, otherMm)); // to fill it; hart 1 runs it afterwards
    mapAnonymous(hart, otherMm, 1);
    touchPages(hart, otherMm, [0]);
    guestStoreOrFault(hart, pageAt(0), THEIRS);
    switchTo(hart, thread);
    guestStoreOrFault(harts[1], pageAt(0), OURS);
    // The next mm on hart 1 gets the number of the one that it runs.
    harts[1].set(HART_ASID_NEXT, harts[1].get(HART_SATP_ASID) - 1);
    return { other: makeUserTask(harts[1], otherMm) };
  },
  programs: [
    exitThread,
    (hart, { other }) => {
      enterUser(hart);
      claim(guestLoadOrFault(hart, pageAt(0)) === OURS, "a load got another mm's data");
      leaveUser(hart);
      exitThread(hart);
      switchTo(hart, other);
      enterUser(hart);
      claim(guestLoadOrFault(hart, pageAt(0)) === THEIRS, "a load got another mm's data: the ASID was not flushed");
      leaveUser(hart);
    },
  ],
  tearDown: exitAndLeave,
});
