import { HART_SATP_ASID, PAGE_BYTES, PTE_PPN_SHIFT } from "../../../../assembly/layout.ts";
import { tlbi } from "../../../memory/tlbi.ts";
import { findPte } from "../../../mm/table/page-table.ts";
import { scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { claim } from "../claim.ts";
import { awaitTold, tell } from "../signal.ts";
import { exitAndLeave, readPages } from "../threads.ts";
import { hasTranslationTo } from "../tlb.ts";

interface State {
  readonly vpn: number;
  readonly pfn: number;
}

const ASKED = 0;

/** Whoever has polled since a request was sent is taken to have seen it: true only of requests that arrive at once. */
export const pollAsAnswer = scenario<State>({
  name: "unsound/poll-as-answer",
  summary: "a hart that has polled is taken to have served what was sent before",
  finds: {},
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1);
    const vpn = pageAt(0) / PAGE_BYTES;
    readPages(harts[1], 1, 1);
    return { vpn, pfn: hart.shared.get(findPte(hart, mm, vpn)) >>> PTE_PPN_SHIFT };
  },
  programs: [
    (hart, { vpn }) => {
      tlbi(hart, vpn, 1, hart.get(HART_SATP_ASID));
      tell(hart, ASKED);
    },
    (hart, { pfn }) => {
      awaitTold(hart, ASKED);
      hart.pollIrq();
      claim(!hasTranslationTo(hart, pfn), "a hart has polled, and still holds what it was asked to drop");
    },
  ],
  tearDown: exitAndLeave,
});
