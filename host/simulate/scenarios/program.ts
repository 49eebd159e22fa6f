// What every hart of a scenario does around its program.

import { HART_DOORBELL, HART_RUN_STATE, RUN_KERNEL } from "../../../assembly/layout.ts";
import type { KernelHart } from "../../kernel/kernel-hart.ts";
import { FOREVER, park } from "../../memory/park.ts";
import { POINT_IDLE } from "../../memory/schedule.ts";

/** Runs `program`, then answers the other harts for ever. */
export function runProgram<State>(
  hart: KernelHart,
  state: State,
  program: (hart: KernelHart, state: State) => void,
): void {
  hart.shared.storeOnce(hart.base + HART_RUN_STATE, RUN_KERNEL);
  program(hart, state);
  for (;;) {
    hart.pollIrq();
    park(hart, hart.base + HART_DOORBELL, 0, FOREVER, POINT_IDLE);
  }
}
