// Decoded instructions to records: the forms that the operands decide. The generated decoder calls these; each returns
// the operation that it wrote.

import * as op from "../generated/operations.ts";
import {
  PAGE_BYTES,
  RECORD_IMM,
  RECORD_LINK,
  RECORD_OP,
  RECORD_RD,
  RECORD_RS1,
  RECORD_RS2,
  RECORD_SLOW,
  SLOW_OPERATION_FIRST,
} from "../layout.ts";
import { CROSSING_OFFSET } from "./position.ts";

let record: usize = 0; // where the record goes
let offset: u32 = 0; // page offset of the instruction

/** Sets the place of the next record. */
export function emitAt(at: usize, pageOffset: u32): void {
  record = at;
  offset = pageOffset;
}

export function emit(operation: u32, rd: u32, rs1: u32, rs2: u32, imm: i32): u32 {
  store<u8>(record, rd << 3, RECORD_RD);
  store<u8>(record, rs1 << 3, RECORD_RS1);
  store<u8>(record, rs2 << 3, RECORD_RS2);
  store<i32>(record, imm, RECORD_IMM);
  if (operation < <u32>SLOW_OPERATION_FIRST) {
    store<u8>(record, operation, RECORD_OP);
  } else {
    store<u8>(record, operation - SLOW_OPERATION_FIRST, RECORD_SLOW);
    store<u8>(record, op.SLOW, RECORD_OP);
  }
  return operation;
}

/** tval of an illegal instruction is its bits. */
export function emitIllegal(bits: u32): u32 {
  return emit(op.ILLEGAL, 0, 0, 0, bits);
}

/** Without a destination it does nothing: hints, and nop itself. */
export function emitInteger(operation: u32, bytes: u32, rd: u32, rs1: u32, rs2: u32, imm: i32): u32 {
  if (rd == 0) return emit(bytes == 2 ? op.NOP_C : op.NOP, 0, 0, 0, 0);
  return emit(operation, rd, rs1, rs2, imm);
}

/** The frame may be mapped at several addresses, so the immediate counts from the page and not from zero. */
export function emitAuipc(operation: u32, rd: u32, imm: i32): u32 {
  return emitInteger(operation, 4, rd, 0, 0, imm + offset);
}

/** A load to x0 may fault like any other, but must not write. */
export function emitLoad(operation: u32, bytes: u32, accessBytes: u32, rd: u32, rs1: u32, imm: i32): u32 {
  if (rd != 0) return emit(operation, rd, rs1, 0, imm);
  emit(op.LOAD_X0, 0, rs1, accessBytes, imm);
  store<u8>(record, bytes << 2, RECORD_RD);
  return op.LOAD_X0;
}

/** A target in this page is held as a distance between records, any other one as a distance from the page. */
export function emitBranch(far: u32, ahead: u32, back: u32, bytes: u32, rs1: u32, rs2: u32, imm: i32): u32 {
  if (isNear(imm, bytes)) return emit(imm > 0 ? ahead : back, 0, rs1, rs2, imm << 2);
  emit(far, 0, rs1, rs2, offset + imm);
  store<u8>(record, bytes << 2, RECORD_RD);
  return far;
}

export function emitJal(bytes: u32, rd: u32, imm: i32): u32 {
  const near = isNear(imm, bytes);
  let operation: u32;
  if (rd == 0) operation = near ? (imm > 0 ? op.J_AHEAD : op.J_BACK) : op.J;
  else operation = near ? op.JAL_NEAR : op.JAL;
  emit(operation, rd, 0, 0, near ? imm << 2 : offset + imm);
  store<u16>(record, offset + bytes, RECORD_RS1);
  return operation;
}

export function emitJalr(bytes: u32, rd: u32, rs1: u32, imm: i32): u32 {
  emit(rd == 0 ? op.JR : op.JALR, rd, rs1, 0, imm);
  store<u16>(record, offset + bytes, RECORD_LINK);
  return rd == 0 ? op.JR : op.JALR;
}

/** Rounding modes 5 and 6 are reserved. rs3 goes above the mode. */
export function emitFloat(operation: u32, bits: u32, rd: u32, rs1: u32, rs2: u32): u32 {
  const rm = (bits >>> 12) & 7;
  if (rm == 5 || rm == 6) return emitIllegal(bits);
  const rs3 = bits >>> 27;
  return emit(operation, rd, rs1, rs2, rm | (rs3 << 11));
}

/** True if a target at that distance lies in the page. The crossing instruction's record is not in its place. */
function isNear(imm: i32, bytes: u32): bool {
  return offset + imm < <u32>PAGE_BYTES && !(offset == CROSSING_OFFSET && bytes == 4);
}
