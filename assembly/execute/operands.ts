// The operands of a decoded record, for the handlers. h is the hart's block, at the record (layout.ts, RECORD_*).
// Register numbers are held times 8, so that a register is one addition away; x0 is never written, so it reads as 0.

import { SLOW } from "../generated/operations.ts";
import {
  HART_F,
  HART_TLB,
  HART_X,
  PAGE_MASK,
  PAGE_SHIFT,
  RECORD_IMM,
  RECORD_LINK,
  RECORD_OP,
  RECORD_RD,
  RECORD_RS1,
  RECORD_RS2,
  RECORD_SLOW,
  SLOW_OPERATION_FIRST,
  TLB_ADDEND,
  TLB_ENTRY_SHIFT,
} from "../layout.ts";

export function rs1Of(h: usize, at: usize): u64 {
  return load<u64>(h + load<u8>(at, RECORD_RS1), HART_X);
}

export function rs2Of(h: usize, at: usize): u64 {
  return load<u64>(h + load<u8>(at, RECORD_RS2), HART_X);
}

export function d1Of(h: usize, at: usize): u64 {
  return load<u64>(h + load<u8>(at, RECORD_RS1), HART_F);
}

export function d2Of(h: usize, at: usize): u64 {
  return load<u64>(h + load<u8>(at, RECORD_RS2), HART_F);
}

/** rs3 of a fused multiply-add: it lies above the rounding mode. */
export function d3Of(h: usize, at: usize): u64 {
  return load<u64>(h + load<u8>(at, RECORD_IMM + 1), HART_F);
}

export function immOf(at: usize): u64 {
  return <u64>load<i32>(at, RECORD_IMM);
}

/** Writes a register other than x0: the decoder has taken care of that. */
export function setX(h: usize, at: usize, value: u64): void {
  store<u64>(h + load<u8>(at, RECORD_RD), value, HART_X);
}

export function setF(h: usize, at: usize, value: u64): void {
  store<u64>(h + load<u8>(at, RECORD_RD), value, HART_F);
}

/** Writes any register. */
export function setAnyX(h: usize, at: usize, value: u64): void {
  const rd = <u32>load<u8>(at, RECORD_RD);
  if (rd != 0) store<u64>(h + rd, value, HART_X);
}

export function jalLinkOf(at: usize): u64 {
  return <u64>load<u16>(at, RECORD_RS1);
}

export function jalrLinkOf(at: usize): u64 {
  return <u64>load<u16>(at, RECORD_LINK);
}

export function jalrImmOf(at: usize): u64 {
  return <u64>load<i16>(at, RECORD_IMM);
}

/** From this record to the target's, in bytes. */
export function distanceOf(at: usize): i32 {
  return load<i32>(at, RECORD_IMM);
}

/** Of a branch out of the page: from this record to the next one. */
export function lengthOf(at: usize): u32 {
  return load<u8>(at, RECORD_RD);
}

export function csrOf(at: usize): u32 {
  return load<u16>(at, RECORD_IMM);
}

/** The number of the operation: slow ones have theirs behind SLOW. */
export function operationOf(at: usize): u32 {
  const operation = <u32>load<u8>(at, RECORD_OP);
  return operation == SLOW ? SLOW_OPERATION_FIRST + load<u8>(at, RECORD_SLOW) : operation;
}

export function rs1NumberOf(at: usize): u32 {
  return <u32>load<u8>(at, RECORD_RS1) >>> 3;
}

export function rs2NumberOf(at: usize): u32 {
  return <u32>load<u8>(at, RECORD_RS2) >>> 3;
}

/** The five bits that csrrwi and its kin have in the place of rs1. */
export function zimmOf(at: usize): u64 {
  return <u64>rs1NumberOf(at);
}

/** Whether two fields of records hold the same register. */
export function same(field: usize, other: usize): bool {
  return load<u8>(field) == load<u8>(other);
}

export function isX0(field: usize): bool {
  return load<u8>(field) == 0;
}

/** The low half, sign-extended: the result of the W instructions. */
export function sext32(value: u64): u64 {
  return <u64><i64><i32>value;
}

// The TLB hit path of the hot handlers, as mmu/tlb.ts describes it, with mask and tag in locals of interpret().

/** Base of the entry of va; its fields lie at HART_TLB + TLB_*. */
export function entryOf(h: usize, va: u64, tlbMask: u32): usize {
  return h + ((<u32>va >>> (PAGE_SHIFT - TLB_ENTRY_SHIFT)) & tlbMask);
}

/** The tag that an aligned access of `bytes` bytes must find. */
export function tagOf(va: u64, bytes: u32, tlbTag: u64): u64 {
  return (va & (~(<u64>PAGE_MASK) | <u64>(bytes - 1))) | tlbTag;
}

export function through(entry: usize, va: u64): usize {
  return <usize>(load<u32>(entry, HART_TLB + TLB_ADDEND) + <u32>va);
}
