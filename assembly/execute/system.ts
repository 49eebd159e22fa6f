// Instructions that trap, and fence.i. All answer as executeSlow() does: false after a trap.

import { fenceI, instructionBits } from "../decode.ts";
import { hart } from "../hart.ts";
import {
  CAUSE_BREAKPOINT,
  CAUSE_ECALL_S,
  CAUSE_ECALL_U,
  CAUSE_ILLEGAL,
  HART_PRIV,
  PRIV_USER,
} from "../layout.ts";
import { raise } from "../mmu/fault.ts";
import { currentPc, leavePage, retire } from "./position.ts";

const FENCE_I_RECORD_BYTES: u32 = 16;

/** "The value of stval is the faulting instruction": its bits. */
export function illegalInstruction(): bool {
  raise(CAUSE_ILLEGAL, instructionBits());
  return false;
}

export function environmentCall(): bool {
  raise(load<u32>(hart, HART_PRIV) == PRIV_USER ? CAUSE_ECALL_U : CAUSE_ECALL_S, 0);
  return false;
}

export function breakpoint(): bool {
  raise(CAUSE_BREAKPOINT, currentPc());
  return false;
}

/** What is decoded counts no longer, this page included: enter it anew behind the fence. */
export function executeFenceI(): bool {
  fenceI();
  retire(FENCE_I_RECORD_BYTES);
  leavePage();
  return true;
}
