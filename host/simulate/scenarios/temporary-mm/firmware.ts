import { MACHINE_BASE, MACHINE_STUB_PFN } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { firmwareCall, pokeNop } from "../../../kernel/memory/text-poke.ts";
import { mmAlloc, mmput } from "../../../mm/mm.ts";
import { scenario } from "../../scenario.ts";
import { claim } from "../claim.ts";
import { leaveAll, makeUserTask, startOn, switchToIdle } from "../tasks.ts";
import { exitThread } from "../threads.ts";
import { hasTranslationTo } from "../tlb.ts";

interface State {
  readonly firmware: number;
}

const POLLS = 3;

/** A hart that borrows an mm calls the firmware; the mm's last user exits meanwhile. */
export const firmwareWhileLazy = scenario<State>({
  name: "F/firmware-while-lazy",
  summary: "a borrower enters a temporary mm, and the borrowed one dies meanwhile",
  policies: { "lazy-tlb": "shoot" },
  finds: {
    "A-M9": { "lazy-tlb": "shoot" },
    "F-M3": { "lazy-tlb": "shoot" },
  },
  setUp(hart, harts) {
    borrowOn(harts, hart);
    return { firmware: mmAlloc(hart) };
  },
  programs: [exitThread, (hart, { firmware }) => firmwareCall(hart, firmware, POLLS)],
  tearDown(hart, { firmware }) {
    leaveAll(hart);
    if (hart.id === 0) mmput(hart, firmware);
  },
});

/** text_poke leaves nothing of its alias behind. */
export const pokeAndLook = scenario({
  name: "F/poke-and-look",
  summary: "text_poke on one hart while another exits; its writable alias must be in no TLB afterwards",
  policies: { "tlb-flush": "asid-local" },
  finds: { "F-M4": { "tlb-flush": "asid-local" } },
  setUp(hart, harts) {
    borrowOn(harts, hart);
    return {};
  },
  programs: [
    exitThread,
    (hart) => {
      pokeNop(hart, 1);
      const stub = hart.shared.get(MACHINE_BASE + MACHINE_STUB_PFN);
      claim(!hasTranslationTo(hart, stub), "the writable alias of kernel text is still in the TLB");
    },
  ],
  tearDown: leaveAll,
});

/** Hart 0 runs a thread of an mm that hart 1 borrows. */
function borrowOn(harts: readonly KernelHart[], hart: KernelHart): void {
  const mm = mmAlloc(hart);
  startOn(hart, makeUserTask(hart, mm));
  startOn(harts[1], makeUserTask(harts[1], mm)); // not counted: it runs no more
  switchToIdle(harts[1]);
}
