// The decode cache of one hart: a pool of decoded pages, found through a directory in the hart's block.
//
//   HART_DECODE_DIRECTORY                    pool (HART_DECODE_BASE)
//   +------------------------------------+   +---------------------------------------------------------------+
//   | pfn, generation, fence, records  --+-->| record of halfword 0 | 1 | ... | 2047 | sentinel | crossing |...|
//   +------------------------------------+   +---------------------------------------------------------------+
//     sets of DECODE_WAYS, by pfn; used last    8 bytes each: {operation, rd * 8, rs1 * 8, rs2 * 8, immediate}
//     first: interpret() looks at that one only
//
// A record is written when it is first executed, together with the straight run behind it. The sentinel leads to the
// next page. An instruction whose upper half lies in the next page is decoded into `crossing` at each execution,
// because the next page is another frame in every mapping.
//
// What keeps records true: stores of this hart to a decoded frame come to noteCodeStore (its write tags stay invalid,
// see mmu/tlb.ts). Stores of others count after fence.i here, or when the kernel bumps the frame's
// PAGE_CODE_GENERATION; both are compared on page entry, as RISC-V promises no more (unprivileged manual, "Zifencei").

import * as op from "./generated/operations.ts";
import { decode16, decode32 } from "./generated/decode.ts";
import { emit, emitAt } from "./execute/emit.ts";
import { beginRun, fuse } from "./execute/fuse.ts";
import {
  CROSSING_END_INDEX,
  CROSSING_INDEX,
  CROSSING_OFFSET,
  FRAME_INDEX,
  SENTINEL_INDEX,
  enterRecords,
  goTo,
  ip,
  offsetOf,
  page,
  pageVa,
  target,
} from "./execute/position.ts";
import { hart } from "./hart.ts";
import {
  COUNTER_DECODE_INVALIDATE,
  COUNTER_DECODE_MISS,
  DECODE_DIRECTORY_BYTES,
  DECODE_FENCE,
  DECODE_GENERATION,
  DECODE_PAGE_BYTES,
  DECODE_PFN,
  DECODE_RECORDS,
  DECODE_RECORD_BYTES,
  DECODE_WAYS,
  FAULT,
  HART_DECODE_BASE,
  HART_DECODE_DIRECTORY,
  HART_DECODE_PAGES,
  PAGE_BASE,
  PAGE_BYTES,
  PAGE_CODE_GENERATION,
  PAGE_MASK,
  PAGE_SHIFT,
  PAGE_STRUCT_SHIFT,
  RAM_PFN_BASE,
  RECORD_OP,
} from "./layout.ts";
import { fetchAddress } from "./mmu/memory.ts";
import { count, dropWriteTags } from "./mmu/tlb.ts";

/** A run is decoded as far ahead as this. */
const RUN_INSTRS_MAX: u32 = 64;
/** Twelve fused 4-byte instructions that begin so many halfwords earlier still cover this one. */
const SEQUENCE_REACH: u32 = 23;

export let decodeSetMask: u32 = 0; // sets - 1
export let fences: u32 = 0; // fence.i executed; a page is as true as its DECODE_FENCE

const SET_BYTES: u32 = DECODE_WAYS * DECODE_DIRECTORY_BYTES;

/** Takes the pool into use and empties it. */
export function bindDecode(): void {
  const pages = load<u32>(hart, HART_DECODE_PAGES);
  decodeSetMask = pages / DECODE_WAYS - 1;
  fences = 0;
  let records = load<u32>(hart, HART_DECODE_BASE);
  for (let slot = hart + HART_DECODE_DIRECTORY, n: u32 = 0; n < pages; n++, slot += DECODE_DIRECTORY_BYTES) {
    store<u32>(slot, 0, DECODE_PFN);
    store<u32>(slot, records, DECODE_RECORDS);
    records += DECODE_PAGE_BYTES;
  }
}

export function fenceI(): void {
  fences += 1;
}

function setOf(pfn: u32): usize {
  return hart + HART_DECODE_DIRECTORY + (pfn & decodeSetMask) * SET_BYTES;
}

/** The slot of a frame, or 0 if it is not decoded. */
function slotOf(pfn: u32): usize {
  const set = setOf(pfn);
  for (let slot = set; slot < set + SET_BYTES; slot += DECODE_DIRECTORY_BYTES) {
    if (load<u32>(slot, DECODE_PFN) == pfn) return slot;
  }
  return 0;
}

function generationOf(pfn: u32): u32 {
  return load<u32>(PAGE_BASE + ((pfn - RAM_PFN_BASE) << PAGE_STRUCT_SHIFT), PAGE_CODE_GENERATION);
}

/** Goes to `target`, in any page. False: it cannot be fetched. */
export function enterPage(): bool {
  const frame = fetchAddress(target);
  if (frame == FAULT) return false;
  const pfn = <u32>frame >>> PAGE_SHIFT;
  const slot = useSlot(pfn);
  const generation = generationOf(pfn);
  const current =
    load<u32>(slot, DECODE_PFN) == pfn &&
    load<u32>(slot, DECODE_FENCE) == fences &&
    load<u32>(slot, DECODE_GENERATION) == generation;
  if (!current) beginPage(pfn, slot, generation);
  enterRecords(load<u32>(slot, DECODE_RECORDS), target);
  return true;
}

/** Puts the slot of a frame, or else the one of its set that was used longest ago, in front, and returns it. */
function useSlot(pfn: u32): usize {
  const set = setOf(pfn);
  const found = slotOf(pfn);
  const from = found != 0 ? found : set + (SET_BYTES - DECODE_DIRECTORY_BYTES);
  if (from == set) return set;
  const pfnThere = load<u32>(from, DECODE_PFN);
  const generation = load<u32>(from, DECODE_GENERATION);
  const fence = load<u32>(from, DECODE_FENCE);
  const records = load<u32>(from, DECODE_RECORDS);
  memory.copy(set + DECODE_DIRECTORY_BYTES, set, from - set);
  store<u32>(set, pfnThere, DECODE_PFN);
  store<u32>(set, generation, DECODE_GENERATION);
  store<u32>(set, fence, DECODE_FENCE);
  store<u32>(set, records, DECODE_RECORDS);
  return set;
}

/** Gives the slot to a frame of which nothing is decoded yet. */
function beginPage(pfn: u32, slot: usize, generation: u32): void {
  const records = load<u32>(slot, DECODE_RECORDS);
  memory.fill(records, 0, SENTINEL_INDEX * DECODE_RECORD_BYTES);
  emitAt(records + SENTINEL_INDEX * DECODE_RECORD_BYTES, 0);
  emit(op.NEXT_PAGE, 0, 0, 0, PAGE_BYTES);
  emitAt(records + CROSSING_END_INDEX * DECODE_RECORD_BYTES, 0);
  emit(op.NEXT_PAGE, 0, 0, 0, CROSSING_OFFSET + 4);
  store<u32>(records + FRAME_INDEX * DECODE_RECORD_BYTES, pfn << PAGE_SHIFT);
  store<u32>(slot, pfn, DECODE_PFN);
  store<u32>(slot, generation, DECODE_GENERATION);
  store<u32>(slot, fences, DECODE_FENCE);
  dropWriteTags(pfn);
  count(COUNTER_DECODE_MISS, 1);
}

/** Decodes the straight run at ip. Records in its way are written again: they would not differ. */
export function decodeRun(): void {
  const frame = currentFrame();
  let at = ip;
  let offset = offsetOf(at);
  beginRun();
  for (let n: u32 = 0; n < RUN_INSTRS_MAX && offset < <u32>PAGE_BYTES; n++) {
    const compressed = (load<u8>(frame + offset) & 3) != 3;
    const operation = decodeAt(at, frame, offset, compressed);
    fuse(at, operation);
    if (endsRun(operation)) return;
    at += compressed ? <usize>DECODE_RECORD_BYTES : <usize>(2 * DECODE_RECORD_BYTES);
    offset += compressed ? 2 : 4;
  }
}

function decodeAt(at: usize, frame: usize, offset: u32, compressed: bool): u32 {
  emitAt(at, offset);
  if (compressed) return decode16(load<u16>(frame + offset));
  if (offset == CROSSING_OFFSET) return emit(op.CROSSING, 0, 0, 0, 0);
  return decode32(load<u32>(frame + offset));
}

/** What stands behind an unconditional jump is not executed next, and may be no code at all. */
function endsRun(operation: u32): bool {
  return (operation >= op.J_AHEAD && operation <= op.JALR) || operation == op.ILLEGAL || operation == op.CROSSING;
}

/** The instruction at the end of the page whose upper half is in the next one. False: that cannot be fetched. */
export function decodeCrossing(): bool {
  const high = fetchAddress(pageVa + PAGE_BYTES);
  if (high == FAULT) return false;
  const record = page + CROSSING_INDEX * DECODE_RECORD_BYTES;
  const low = <u32>load<u16>(currentFrame() + CROSSING_OFFSET);
  emitAt(record, CROSSING_OFFSET);
  decode32(low | (<u32>load<u16>(high) << 16));
  goTo(record);
  return true;
}

/** The bits of the instruction at ip, as tval has them. */
export function instructionBits(): u64 {
  const offset = offsetOf(ip);
  const first = currentFrame() + offset;
  const low = <u32>load<u16>(first);
  if ((low & 3) != 3) return low;
  const second = offset == CROSSING_OFFSET ? fetchAddress(pageVa + PAGE_BYTES) : first + 2;
  return low | (<u32>load<u16>(second) << 16);
}

/** The frame that the current page's records were decoded from. */
function currentFrame(): usize {
  return load<u32>(page + FRAME_INDEX * DECODE_RECORD_BYTES);
}

/** Whether stores of this hart to the frame have to be told to noteCodeStore. */
export function isDecodedFrame(pfn: u32): bool {
  return slotOf(pfn) != 0;
}

/**
 * This hart stores `bytes` bytes at pa, all in one decoded frame. The records of the halfwords are decoded again, and
 * with them those in front that reach into them: an instruction of four bytes, or a sequence.
 */
export function noteCodeStore(pa: usize, bytes: u32): void {
  count(COUNTER_DECODE_INVALIDATE, 1);
  const offset = <u32>pa & PAGE_MASK;
  const first = offset >>> 1;
  const last = (offset + bytes - 1) >>> 1;
  const records = load<u32>(slotOf(<u32>pa >>> PAGE_SHIFT), DECODE_RECORDS);
  for (let index = first > SEQUENCE_REACH ? first - SEQUENCE_REACH : 0; index <= last; index++) {
    store<u8>(records + index * DECODE_RECORD_BYTES, op.DECODE, RECORD_OP);
  }
}
