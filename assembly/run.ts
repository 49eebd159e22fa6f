// run(): executes guest instructions until something needs the kernel.

import { fcsr, setFcsr } from "./csr.ts";
import { enterPage } from "./decode.ts";
import { LEAVE_ENTER, LEAVE_SLOW, mayGoOn } from "./execute/leave.ts";
import { currentPc, ip, left, retiredInRun, startAt } from "./execute/position.ts";
import { interpret } from "./generated/interpret.ts";
import { executeSlow } from "./generated/slow.ts";
import { hart } from "./hart.ts";
import { EXIT_BUDGET, EXIT_DOORBELL, EXIT_TRAP, HART_DOORBELL, HART_FCSR, HART_INSTRET, HART_PC } from "./layout.ts";

/**
 * Returns EXIT_*, with HART_PC, HART_FCSR and HART_INSTRET exact. The budget, in instructions, is looked at where the
 * doorbell is: at transfers that do not lead ahead in their page. So a run may exceed it by a straight piece of a page,
 * but ends at the same instruction each time.
 */
export function run(budgetInstrs: i32): i32 {
  setFcsr(load<u32>(hart, HART_FCSR));
  startAt(load<u64>(hart, HART_PC), budgetInstrs);
  const exit = mayGoOn(hart, budgetInstrs) ? runUntilExit() : interruption();
  store<u64>(hart, currentPc(), HART_PC);
  store<u64>(hart, load<u64>(hart, HART_INSTRET) + retiredInRun(), HART_INSTRET);
  store<u32>(hart, fcsr(), HART_FCSR);
  return exit;
}

function runUntilExit(): i32 {
  let leave = LEAVE_ENTER;
  while (true) {
    if (leave == LEAVE_SLOW) {
      if (!executeSlow()) return EXIT_TRAP;
    } else {
      if (!mayGoOn(hart, left)) return interruption();
    }
    if (ip == 0 && !enterPage()) return EXIT_TRAP;
    leave = interpret();
  }
}

function interruption(): i32 {
  return left > 0 ? EXIT_DOORBELL : EXIT_BUDGET;
}
