// The rounding mode of a floating-point instruction: its own, or the one in fcsr (DYN).

import { getFrm } from "../float/status.ts";
import { RECORD_IMM } from "../layout.ts";

const DYN: u32 = 7;

/** A mode above RMM is reserved: the instruction is illegal. The decoder has refused reserved static ones. */
export function roundingModeOf(at: usize): u32 {
  const mode = <u32>load<u8>(at, RECORD_IMM);
  return mode == DYN ? getFrm() : mode;
}
