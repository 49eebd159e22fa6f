// The records that were decoded last in the current straight run, for the finder of fused sequences: r1 is the one just
// before, r2 the one before that, as many as the longest sequence has, less one. Of each record
//
//   o   its own operation, whatever sequence it has come to head since; DECODE in front of the run
//   p   how many records before it rs1 was written, q: rs2; NOT_WRITTEN if not in the window

import * as op from "../generated/operations.ts";
import { RECORD_RD, RECORD_RS1, RECORD_RS2 } from "../layout.ts";
import { same } from "./operands.ts";

const NOT_WRITTEN: u32 = 255;

export let p0: u32 = 0; // of the record that pushRecord() is about to take
export let q0: u32 = 0;
export let o1: u32 = 0;
export let p1: u32 = 0;
export let q1: u32 = 0;
export let r1: usize = 0;
export let o2: u32 = 0;
export let p2: u32 = 0;
export let q2: u32 = 0;
export let r2: usize = 0;
export let o3: u32 = 0;
export let p3: u32 = 0;
export let q3: u32 = 0;
export let r3: usize = 0;
export let o4: u32 = 0;
export let p4: u32 = 0;
export let q4: u32 = 0;
export let r4: usize = 0;
export let o5: u32 = 0;
export let p5: u32 = 0;
export let q5: u32 = 0;
export let r5: usize = 0;
export let o6: u32 = 0;
export let p6: u32 = 0;
export let q6: u32 = 0;
export let r6: usize = 0;
export let o7: u32 = 0;
export let p7: u32 = 0;
export let q7: u32 = 0;
export let r7: usize = 0;
export let o8: u32 = 0;
export let p8: u32 = 0;
export let q8: u32 = 0;
export let r8: usize = 0;
export let o9: u32 = 0;
export let p9: u32 = 0;
export let q9: u32 = 0;
export let r9: usize = 0;
export let o10: u32 = 0;
export let p10: u32 = 0;
export let q10: u32 = 0;
export let r10: usize = 0;
export let o11: u32 = 0;
export let p11: u32 = 0;
export let q11: u32 = 0;
export let r11: usize = 0;

export function clearWindow(): void {
  o1 = op.DECODE;
  o2 = op.DECODE;
  o3 = op.DECODE;
  o4 = op.DECODE;
  o5 = op.DECODE;
  o6 = op.DECODE;
  o7 = op.DECODE;
  o8 = op.DECODE;
  o9 = op.DECODE;
  o10 = op.DECODE;
  o11 = op.DECODE;
}

/** Looks where the operands of the next record come from. */
export function traceOperands(record: usize): void {
  p0 = writerOf(record + RECORD_RS1);
  q0 = writerOf(record + RECORD_RS2);
}

/** How many records back the register of that field was written. */
function writerOf(field: usize): u32 {
  if (o1 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r1 + RECORD_RD)) return 1;
  if (o2 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r2 + RECORD_RD)) return 2;
  if (o3 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r3 + RECORD_RD)) return 3;
  if (o4 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r4 + RECORD_RD)) return 4;
  if (o5 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r5 + RECORD_RD)) return 5;
  if (o6 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r6 + RECORD_RD)) return 6;
  if (o7 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r7 + RECORD_RD)) return 7;
  if (o8 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r8 + RECORD_RD)) return 8;
  if (o9 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r9 + RECORD_RD)) return 9;
  if (o10 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r10 + RECORD_RD)) return 10;
  if (o11 == op.DECODE) return NOT_WRITTEN;
  if (same(field, r11 + RECORD_RD)) return 11;
  return NOT_WRITTEN;
}

export function pushRecord(record: usize, operation: u32): void {
  o11 = o10;
  p11 = p10;
  q11 = q10;
  r11 = r10;
  o10 = o9;
  p10 = p9;
  q10 = q9;
  r10 = r9;
  o9 = o8;
  p9 = p8;
  q9 = q8;
  r9 = r8;
  o8 = o7;
  p8 = p7;
  q8 = q7;
  r8 = r7;
  o7 = o6;
  p7 = p6;
  q7 = q6;
  r7 = r6;
  o6 = o5;
  p6 = p5;
  q6 = q5;
  r6 = r5;
  o5 = o4;
  p5 = p4;
  q5 = q4;
  r5 = r4;
  o4 = o3;
  p4 = p3;
  q4 = q3;
  r4 = r3;
  o3 = o2;
  p3 = p2;
  q3 = q2;
  r3 = r2;
  o2 = o1;
  p2 = p1;
  q2 = q1;
  r2 = r1;
  o1 = operation;
  p1 = p0;
  q1 = q0;
  r1 = record;
}
