// Loads and stores of every size and alignment, also across pages, against a byte array; and precise faults.

import { expect, test } from "vitest";
import {
  CAUSE_LOAD_PAGE_FAULT,
  CAUSE_STORE_PAGE_FAULT,
  COUNTER_PTW,
  COUNTER_SLOW_ACCESS,
  PAGE_BYTES,
  PTE_A,
  PTE_D,
} from "../../../assembly/layout.ts";
import { NO_CAUSE, Random, READ_ONLY, READ_WRITE, seedOf, TestHart } from "./machine.ts";

const VA = 0x10_0000_0000n;
const PAGE = BigInt(PAGE_BYTES);
const SIZES = [1, 2, 4, 8];

/** Pages at VA, VA + PAGE, ... in frames that do not follow each other. */
function mapped(flags: number[]): { hart: TestHart; frames: number[] } {
  const hart = new TestHart();
  const frames = flags.map((flag, index) => {
    hart.frame();
    const pfn = hart.frame();
    if (flag !== 0) hart.map(VA + BigInt(index) * PAGE, pfn, flag);
    return pfn;
  });
  return { hart, frames };
}

test("every size at every offset around a page boundary, against plain bytes", () => {
  const { hart, frames } = mapped([READ_WRITE, READ_WRITE]);
  const where = (offset: number) => frames[offset >> 12] * PAGE_BYTES + (offset & 0xfff);
  for (const bytes of SIZES) {
    for (let offset = PAGE_BYTES - 16; offset < PAGE_BYTES + 16; offset++) {
      const value = 0x1122_3344_5566_7788n & ((1n << BigInt(8 * bytes)) - 1n);
      for (let i = -1; i <= bytes; i++) hart.bytes[where(offset + i)] = 0xee;
      expect(hart.store(VA + BigInt(offset), value, bytes)).toBe(true);
      for (let i = 0; i < bytes; i++) {
        expect(hart.bytes[where(offset + i)]).toBe(Number((value >> BigInt(8 * i)) & 0xffn));
      }
      expect(hart.bytes[where(offset - 1)]).toBe(0xee);
      expect(hart.bytes[where(offset + bytes)]).toBe(0xee);
      expect(hart.load(VA + BigInt(offset), bytes)).toBe(value);
    }
  }
});

test("random accesses to scattered frames read what a flat array would", () => {
  const seed = seedOf("memory, random accesses");
  const random = new Random(seed);
  const pages = 5;
  const { hart } = mapped(Array.from({ length: pages }, () => READ_WRITE));
  const flat = Buffer.alloc(pages * PAGE_BYTES);
  for (let i = 0; i < 20_000; i++) {
    const bytes = random.pick(SIZES);
    const offset = random.below(pages * PAGE_BYTES - 8);
    const context = `SEED=${seed} step ${i} offset ${offset} bytes ${bytes}`;
    if (random.chance(50)) {
      const value = random.bits64() & ((1n << BigInt(8 * bytes)) - 1n);
      for (let b = 0; b < bytes; b++) flat[offset + b] = Number((value >> BigInt(8 * b)) & 0xffn);
      expect(hart.store(VA + BigInt(offset), value, bytes), context).toBe(true);
    } else {
      let value = 0n;
      for (let b = 0; b < bytes; b++) value |= BigInt(flat[offset + b]) << BigInt(8 * b);
      expect(hart.load(VA + BigInt(offset), bytes), context).toBe(value);
    }
    if (random.chance(2)) hart.exports.flushAll();
  }
});

test.each([
  ["not mapped", 0],
  ["read-only", READ_ONLY],
])("a store into a second page that is %s changes no byte of the first", (_title, second) => {
  for (const bytes of [2, 4, 8]) {
    for (let inFirst = 1; inFirst < bytes; inFirst++) {
      const { hart, frames } = mapped([READ_WRITE, second]);
      const before = hart.bytes.slice(frames[0] * PAGE_BYTES, (frames[0] + 1) * PAGE_BYTES);
      const va = VA + PAGE - BigInt(inFirst);
      const cause = hart.causeOf(() => expect(hart.store(va, 0xffff_ffff_ffff_ffffn, bytes)).toBe(false));
      expect(cause).toBe(CAUSE_STORE_PAGE_FAULT);
      expect(hart.tval).toBe(VA + PAGE); // the part that faulted
      expect(hart.bytes.slice(frames[0] * PAGE_BYTES, (frames[0] + 1) * PAGE_BYTES)).toEqual(before);
    }
  }
});

test("a page-crossing access names the first page when that one faults", () => {
  const { hart } = mapped([0, READ_WRITE]);
  const va = VA + PAGE - 3n;
  expect(hart.causeOf(() => hart.exports.loadGuest(va, 8))).toBe(CAUSE_LOAD_PAGE_FAULT);
  expect(hart.tval).toBe(va);
  expect(hart.causeOf(() => hart.exports.storeGuest(va, 0n, 8))).toBe(CAUSE_STORE_PAGE_FAULT);
  expect(hart.tval).toBe(va);
});

test("a page-crossing load names the second page, and works once it is mapped", () => {
  const { hart, frames } = mapped([READ_WRITE, 0]);
  const va = VA + PAGE - 4n;
  expect(hart.causeOf(() => hart.exports.loadGuest(va, 8))).toBe(CAUSE_LOAD_PAGE_FAULT);
  expect(hart.tval).toBe(VA + PAGE);
  hart.map(VA + PAGE, frames[1], READ_ONLY);
  hart.words[((frames[0] + 1) * PAGE_BYTES - 4) >>> 2] = 0x5566_7788;
  hart.words[(frames[1] * PAGE_BYTES) >>> 2] = 0x1122_3344;
  expect(hart.load(va)).toBe(0x1122_3344_5566_7788n);
});

test("an access does not wrap from the last canonical page below into the hole, nor round the address space", () => {
  const hart = new TestHart();
  hart.map(0x3f_ffff_f000n, hart.frame(), READ_WRITE);
  hart.map(0xffff_ffff_ffff_f000n, hart.frame(), READ_WRITE);
  hart.map(0n, hart.frame(), READ_WRITE);
  expect(hart.causeOf(() => hart.exports.loadGuest(0x3f_ffff_fffcn, 8))).toBe(CAUSE_LOAD_PAGE_FAULT);
  expect(hart.tval).toBe(0x40_0000_0000n);
  // 2^64 - 4: address arithmetic is modulo 2^64 (unprivileged manual, load and store instructions)
  expect(hart.causeOf(() => hart.exports.loadGuest(0xffff_ffff_ffff_fffcn, 8))).toBe(NO_CAUSE);
});

test("a misaligned access inside a page needs no second walk and sets the same bits", () => {
  const hart = new TestHart();
  const pte = hart.map(VA, hart.frame(), READ_WRITE & ~(PTE_A | PTE_D));
  expect(hart.store(VA + 1n, 5n, 4)).toBe(true);
  expect(hart.pte(pte) & (PTE_A | PTE_D)).toBe(PTE_A | PTE_D);
  expect(hart.load(VA + 1n, 4)).toBe(5n);
  expect(hart.load(VA + 3n, 8)).toBe(0n);
  expect(hart.counter(COUNTER_PTW)).toBe(1);
  expect(hart.counter(COUNTER_SLOW_ACCESS)).toBe(3);
});

test("fetchAddress gives the frame of an executable page, wherever in it the pc is", () => {
  const hart = new TestHart();
  const pfn = hart.frame();
  hart.map(VA, pfn, READ_ONLY);
  expect(hart.exports.fetchAddress(VA)).toBe(0);
  hart.map(VA, pfn, READ_ONLY | (1 << 3));
  hart.exports.flushAll();
  for (const offset of [0n, 2n, 0x7fen, 0xffen]) {
    expect(hart.exports.fetchAddress(VA + offset)).toBe(pfn * PAGE_BYTES);
  }
  expect(hart.load(VA)).toBe(0n);
  expect(hart.counter(COUNTER_PTW)).toBe(2); // the fetch filled the read tag as well
});
