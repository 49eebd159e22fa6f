// Looks for fused sequences (host/build/sequences.ts) while a straight run is decoded. The first record of one gets its
// operation; all records keep their operands, so that each can still be executed alone.

import { fusedFour, fusedThree, fusedTwo } from "../generated/fuse.ts";
import * as op from "../generated/operations.ts";
import { RECORD_OP, RECORD_RD, RECORD_RS1, RECORD_RS2 } from "../layout.ts";

// the three records before, oldest first, with their own operations; DECODE in front of the run
let a: usize = 0;
let aOp: u32 = 0;
let b: usize = 0;
let bOp: u32 = 0;
let c: usize = 0;
let cOp: u32 = 0;

export function beginRun(): void {
  aOp = op.DECODE;
  bOp = op.DECODE;
  cOp = op.DECODE;
}

/** Takes the next record of the run. A longer sequence takes the place of a shorter one with the same head. */
export function fuse(d: usize, dOp: u32): void {
  if (cOp != op.DECODE && isCommutative(dOp)) readPreviousFirst(d, c);
  begin(a, fusedFour(a, aOp, b, bOp, c, cOp, d, dOp));
  begin(b, fusedThree(b, bOp, c, cOp, d, dOp));
  begin(c, fusedTwo(c, cOp, d, dOp));
  a = b;
  aOp = bOp;
  b = c;
  bOp = cOp;
  c = d;
  cOp = dOp;
}

function begin(head: usize, sequence: u32): void {
  if (sequence != op.DECODE) store<u8>(head, sequence, RECORD_OP);
}

export function readsFirst(reader: usize, writer: usize): bool {
  return load<u8>(reader, RECORD_RS1) == load<u8>(writer, RECORD_RD);
}

export function readsSecond(reader: usize, writer: usize): bool {
  return load<u8>(reader, RECORD_RS2) == load<u8>(writer, RECORD_RD);
}

/** So that half as many sequences serve: the result of the instruction before becomes rs1. */
function readPreviousFirst(record: usize, previous: usize): void {
  if (readsFirst(record, previous) || !readsSecond(record, previous)) return;
  const rs1 = load<u8>(record, RECORD_RS1);
  store<u8>(record, load<u8>(record, RECORD_RS2), RECORD_RS1);
  store<u8>(record, rs1, RECORD_RS2);
}

function isCommutative(operation: u32): bool {
  switch (operation) {
    case op.ADD: case op.ADD_C: case op.ADDW: case op.ADDW_C: case op.XOR: case op.XOR_C: case op.OR: case op.OR_C:
    case op.AND: case op.AND_C: case op.MUL: case op.MULW: case op.BEQ_AHEAD: case op.BEQ_BACK: case op.BNE_AHEAD:
    case op.BNE_BACK:
      return true;
    default:
      return false;
  }
}
