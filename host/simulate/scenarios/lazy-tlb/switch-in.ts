import { PAGE_BYTES } from "../../../../assembly/layout.ts";
import { doMadvise } from "../../../mm/call/madvise.ts";
import { mmAlloc } from "../../../mm/mm.ts";
import { MADV_DONTNEED } from "../../../mm/uapi.ts";
import { type Scenario, scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { makeUserTask, switchTo } from "../tasks.ts";
import { exitAndLeave, exitThread, readPages } from "../threads.ts";

interface State {
  readonly mm: number;
  readonly thread: number;
  readonly other: number;
}

/** A hart comes back to an mm of which it has kept translations, while another one takes a page away. */
function switchIn(name: string, weakMemory: boolean, finds: Scenario["finds"]): Scenario {
  return scenario<State>({
    name,
    summary: `a hart switches to an mm that is being unmapped${weakMemory ? ", under the memory model" : ""}`,
    policies: { "tlb-flush": "asid-local" },
    weakMemory,
    finds,
    setUp(_hart, harts) {
      const mm = sharedMm(harts, 1);
      const thread = harts[1].current;
      readPages(harts[1], 1, 1);
      const other = makeUserTask(harts[1], mmAlloc(harts[1]));
      switchTo(harts[1], other);
      return { mm, thread, other };
    },
    programs: [
      (hart, { mm }) => {
        doMadvise(hart, mm, pageAt(0), PAGE_BYTES, MADV_DONTNEED);
      },
      (hart, { thread }) => {
        switchTo(hart, thread);
        readPages(hart, 1, 2);
      },
    ],
    tearDown(hart, { other }) {
      exitThread(hart);
      if (hart.id === 1) switchTo(hart, other);
      exitAndLeave(hart);
    },
  });
}

export const switchInWhileUnmapping = switchIn("B/switch-in", false, { "B-M2": { "tlb-flush": "asid-local" } });

export const switchInWeak = switchIn("A/switch-in-weak", true, { "A-M4": { "tlb-flush": "asid-local" } });
