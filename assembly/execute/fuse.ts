// Looks for fused sequences (host/build/sequences.ts) while a straight run is decoded. The first record of one gets its
// operation; all records keep their operands, so that each can still be executed alone.

import { fusedPair, fusedTriple } from "../generated/fuse.ts";
import * as op from "../generated/operations.ts";
import { RECORD_OP, RECORD_RD, RECORD_RS1, RECORD_RS2 } from "../layout.ts";

// the two records before, with their own operations; DECODE in front of the run
let first: usize = 0;
let firstOp: u32 = 0;
let second: usize = 0;
let secondOp: u32 = 0;

export function beginRun(): void {
  firstOp = op.DECODE;
  secondOp = op.DECODE;
}

/** Takes the next record of the run. */
export function fuse(record: usize, operation: u32): void {
  if (secondOp != op.DECODE) {
    if (isCommutative(operation)) readPreviousFirst(record, second);
    const triple = fusedTriple(first, firstOp, second, secondOp, record, operation);
    if (triple != op.DECODE) store<u8>(first, triple, RECORD_OP);
    const pair = fusedPair(second, secondOp, record, operation);
    if (pair != op.DECODE) store<u8>(second, pair, RECORD_OP);
  }
  first = second;
  firstOp = secondOp;
  second = record;
  secondOp = operation;
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
