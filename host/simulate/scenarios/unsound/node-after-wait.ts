import { MM_VMA_ROOT, VMA_NODE_COUNT } from "../../../../assembly/layout.ts";
import { scenario } from "../../scenario.ts";
import { sharedMm } from "../address-space.ts";
import { idleOnce } from "../tasks.ts";
import { exitAndLeave } from "../threads.ts";
import { unmapPages } from "../vma-lock/fault.ts";

interface State {
  readonly mm: number;
}

/**
 * A reader keeps a node of the vma map across a wait, outside a read section. The node is freed after the schedule,
 * unless grace periods end at the earliest: then it is gone.
 */
export const nodeAfterWait = scenario<State>({
  name: "unsound/node-after-wait",
  summary: "a node of the vma map is looked at after a wait, outside a read section",
  finds: {},
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 2) };
  },
  programs: [
    (hart, { mm }) => unmapPages(hart, mm, 0, 2),
    (hart, { mm }) => {
      const node = hart.shared.loadAcquire(mm + MM_VMA_ROOT);
      idleOnce(hart);
      hart.shared.loadOnce(node + VMA_NODE_COUNT);
    },
  ],
  tearDown: exitAndLeave,
});
