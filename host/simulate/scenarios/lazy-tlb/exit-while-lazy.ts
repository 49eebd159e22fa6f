import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { runStub } from "../../../kernel/sched/idle.ts";
import { mmAlloc, mmget } from "../../../mm/mm.ts";
import { scenario } from "../../scenario.ts";
import { leaveAll, makeUserTask, startOn } from "../tasks.ts";
import { exitThread } from "../threads.ts";

/** The last user of an mm goes while another hart, whose own thread has gone before, still has it loaded. */
export const exitWhileLazy = scenario({
  name: "A/exit-while-lazy",
  summary: "two threads exit; each hart stays on the mm in its idle task",
  finds: {
    "A-M1": { "lazy-tlb": "shoot" },
    "A-M2": { "lazy-tlb": "shoot" },
    "A-M3": { "lazy-tlb": "shoot" },
    "A-M5": { "lazy-tlb": "hazard-mask", cpumask: "early_clear" },
    "A-M14": { "lazy-tlb": "shoot-at-flush", "tlb-flush": "broadcast" },
  },
  setUp(hart, harts) {
    const mm = mmAlloc(hart);
    mmget(hart, mm);
    for (const each of harts) startOn(each, makeUserTask(each, mm));
    return {};
  },
  programs: [exitThread, exitAndIdle],
  tearDown: leaveAll,
});

function exitAndIdle(hart: KernelHart): void {
  exitThread(hart);
  runStub(hart);
}
