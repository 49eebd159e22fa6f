import { MM_MEMBARRIER } from "../../../../assembly/layout.ts";
import { membarrier } from "../../../kernel/sched/membarrier.ts";
import { scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { claim } from "../claim.ts";
import { enterUser, guestLoad, guestStore, leaveUser } from "../guest.ts";
import { tell, told } from "../signal.ts";
import { switchTo, switchToIdle } from "../tasks.ts";
import { exitAndLeave } from "../threads.ts";

// include/uapi/linux/membarrier.h
const PRIVATE_EXPEDITED = 1 << 3;

interface State {
  readonly mm: number;
  /** The thread that hart 1 comes back to. */
  readonly thread: number;
}

const X = pageAt(0);
const Y = pageAt(0) + 64;
/** What hart 0 and hart 1 have read, plus 1. */
const READ_X = 0;
const READ_Y = 1;

/**
 * Dekker's litmus with a barrier on one side only: whoever calls membarrier pays for the other, who comes out of a
 * borrowed mm just then. Of "neither saw the other's store" the switch must keep it.
 */
export const dekker = scenario<State>({
  name: "F/membarrier",
  summary: "x=1; read y after an idle round trip against y=1; membarrier; read x",
  policies: { "lazy-tlb": "shoot" },
  weakMemory: true,
  finds: {
    "F-M1": { "lazy-tlb": "shoot" },
    "F-M2": { "lazy-tlb": "shoot" },
  },
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1);
    const thread = harts[1].current;
    for (const each of harts) guestStore(each, X, 0);
    hart.shared.set(mm + MM_MEMBARRIER, PRIVATE_EXPEDITED);
    switchToIdle(harts[1]);
    return { mm, thread };
  },
  programs: [
    (hart) => {
      enterUser(hart);
      guestStore(hart, Y, 1);
      leaveUser(hart);
      membarrier(hart, PRIVATE_EXPEDITED, 0);
      enterUser(hart);
      const x = guestLoad(hart, X) ?? 0;
      leaveUser(hart);
      tell(hart, READ_X, x + 1);
      claim(x !== 0 || told(hart, READ_Y) !== 1, "membarrier: neither thread saw the other's store");
    },
    (hart, { thread }) => {
      switchTo(hart, thread);
      enterUser(hart);
      guestStore(hart, X, 1);
      const y = guestLoad(hart, Y) ?? 0;
      leaveUser(hart);
      tell(hart, READ_Y, y + 1);
      claim(y !== 0 || told(hart, READ_X) !== 1, "membarrier: neither thread saw the other's store");
    },
  ],
  tearDown: exitAndLeave,
});
