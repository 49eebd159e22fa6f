// Looks for fused sequences (host/build/sequences.ts) while a straight run is decoded. The first record of one gets its
// operation; all records keep their operands, so that each can still be executed alone.

import { fuseEndingWith } from "../generated/fuse.ts";
import * as op from "../generated/operations.ts";
import { RECORD_RD, RECORD_RS1, RECORD_RS2 } from "../layout.ts";
import { same } from "./operands.ts";
import { clearWindow, o1, pushRecord, r1, traceOperands } from "./window.ts";

export function beginRun(): void {
  clearWindow();
}

/** Takes the next record of the run. A longer sequence takes the place of a shorter one with the same head. */
export function fuse(record: usize, operation: u32): void {
  if (o1 != op.DECODE && isCommutative(operation)) readPreviousFirst(record, r1);
  traceOperands(record);
  fuseEndingWith(record, operation);
  pushRecord(record, operation);
}

/** So that half as many sequences serve: the result of the instruction before becomes rs1. */
function readPreviousFirst(record: usize, previous: usize): void {
  if (same(record + RECORD_RS1, previous + RECORD_RD) || !same(record + RECORD_RS2, previous + RECORD_RD)) return;
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
