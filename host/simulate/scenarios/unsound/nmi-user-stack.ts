import { HART_LOADED_MM, HART_NMI_DEPTH, TASK_MM } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { peekUserStack } from "../../../kernel/nmi.ts";
import { readsUserStack } from "../nmi/user-stack.ts";

/** The handler takes LOADED_MM at its word: in the middle of a load, and before a flush that the hart has promised. */
export const nmiTrustsLoadedMm = readsUserStack(
  "unsound/nmi-user-stack",
  "F/nmi-user-stack with a handler that only compares the loaded mm",
  trustLoadedMm,
);

function trustLoadedMm(hart: KernelHart): void {
  hart.set(HART_NMI_DEPTH, 1);
  const mm = hart.shared.loadOnce(hart.current + TASK_MM);
  if (mm !== 0 && hart.shared.loadOnce(hart.base + HART_LOADED_MM) === mm) peekUserStack(hart);
  hart.set(HART_NMI_DEPTH, 0);
}
