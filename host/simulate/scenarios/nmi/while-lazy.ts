import { mmAlloc, mmget } from "../../../mm/mm.ts";
import { scenario } from "../../scenario.ts";
import { leaveAll, makeUserTask, startOn } from "../tasks.ts";
import { exitThread } from "../threads.ts";

/** As A/exit-while-lazy, but NMIs come, and with shooting nobody else looks at active_mm any more. */
export const nmiWhileLazy = scenario({
  name: "A/nmi-while-lazy",
  summary: "two threads exit; NMIs look at the active_mm of harts that stay on the mm",
  policies: { "lazy-tlb": "shoot" },
  injects: ["nmi"],
  finds: { "A-M3": { "lazy-tlb": "shoot" } },
  setUp(hart, harts) {
    const mm = mmAlloc(hart);
    mmget(hart, mm);
    for (const each of harts) startOn(each, makeUserTask(each, mm));
    return {};
  },
  programs: [exitThread, exitThread],
  tearDown(hart) {
    // It leaves nothing to be given back; other policies do.
    if (hart.policies.lazyTlb.name !== "shoot") leaveAll(hart);
  },
});
