// LR/SC and AMOs of one hart: results, sign extension, alignment, permissions, and what ends a reservation.

import { describe, expect, test } from "vitest";
import {
  CAUSE_LOAD_MISALIGNED,
  CAUSE_LOAD_PAGE_FAULT,
  CAUSE_STORE_MISALIGNED,
  CAUSE_STORE_PAGE_FAULT,
  OPTION_ARM_FENCE,
  PAGE_BYTES,
  PTE_A,
  PTE_D,
} from "../../../assembly/layout.ts";
import { NO_CAUSE, Random, READ_ONLY, READ_WRITE, seedOf, TestHart } from "./machine.ts";

const VA = 0x10_0000_0000n;
const STORED = 0n;
const FAILED = 1n;

const AMO_NAMES = ["swap", "add", "xor", "and", "or", "min", "max", "minu", "maxu"]; // as entry.ts numbers them
const CORNERS = [0n, 1n, 2n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n];

function amoResult(name: string, old: bigint, b: bigint, bits: number): bigint {
  const signed = (value: bigint) => BigInt.asIntN(bits, value);
  switch (name) {
    case "swap":
      return b;
    case "add":
      return old + b;
    case "xor":
      return old ^ b;
    case "and":
      return old & b;
    case "or":
      return old | b;
    case "min":
      return signed(old) < signed(b) ? old : b;
    case "max":
      return signed(old) > signed(b) ? old : b;
    case "minu":
      return old < b ? old : b;
    default:
      return old > b ? old : b;
  }
}

function withPage(flags = READ_WRITE): { hart: TestHart; address: number; pte: number } {
  const hart = new TestHart();
  const pfn = hart.frame();
  return { hart, address: pfn * PAGE_BYTES, pte: hart.map(VA, pfn, flags) };
}

const seed = seedOf("AMO operands");

describe.each([4, 8])("%d bytes", (bytes) => {
  const bits = 8 * bytes;
  const unsigned = (value: bigint) => BigInt.asUintN(bits, value);
  const asRegister = (value: bigint) => BigInt.asUintN(64, BigInt.asIntN(bits, value)); // .w sign-extends

  test.each(AMO_NAMES.map((name, index) => [name, index] as const))("amo%s", (name, index) => {
    const random = new Random(seed);
    const { hart, address } = withPage();
    const values = [...CORNERS, ...Array.from({ length: 20 }, () => random.bits64())];
    for (const old of values) {
      for (const b of values) {
        hart.doubles[address >>> 3] = old;
        const result = BigInt.asUintN(64, hart.exports.amo(index, VA, b, bytes));
        expect(result, `SEED=${seed} old ${old} operand ${b}`).toBe(asRegister(old));
        const upper = bytes === 4 ? (old >> 32n) << 32n : 0n;
        expect(hart.doubles[address >>> 3]).toBe(upper | unsigned(amoResult(name, unsigned(old), unsigned(b), bits)));
      }
    }
  });

  test("SC stores after LR, once", () => {
    const { hart } = withPage();
    hart.store(VA, 0xf123_4567_89ab_cdefn);
    expect(BigInt.asUintN(64, hart.exports.loadReserved(VA, bytes))).toBe(asRegister(unsigned(0xf123_4567_89ab_cdefn)));
    expect(hart.exports.storeConditional(VA, 7n, bytes)).toBe(STORED);
    expect(hart.load(VA, bytes)).toBe(7n);
    expect(hart.exports.storeConditional(VA, 8n, bytes)).toBe(FAILED);
    expect(hart.load(VA, bytes)).toBe(7n);
  });

  test("SC fails without LR, elsewhere, in another width, after clearReservation, a trap or a changed value", () => {
    const { hart } = withPage();
    const sc = (va = VA, width = bytes) => hart.exports.storeConditional(va, 9n, width);
    expect(sc()).toBe(FAILED);
    hart.exports.loadReserved(VA, bytes);
    expect(sc(VA + 8n)).toBe(FAILED);
    expect(sc()).toBe(FAILED); // the SC elsewhere dropped it
    hart.exports.loadReserved(VA, bytes);
    expect(sc(VA, 12 - bytes)).toBe(FAILED);
    hart.exports.loadReserved(VA, bytes);
    hart.exports.clearReservation();
    expect(sc()).toBe(FAILED);
    hart.exports.loadReserved(VA, bytes);
    expect(hart.load(0n)).toBe(undefined);
    expect(sc()).toBe(FAILED);
    hart.exports.loadReserved(VA, bytes);
    hart.store(VA, 55n, bytes);
    expect(sc()).toBe(FAILED);
    expect(hart.load(VA, bytes)).toBe(55n);
  });

  test("SC through another mapping of the same frame succeeds: reservations are physical", () => {
    const { hart, address } = withPage();
    hart.map(VA + 0x5000n, address / PAGE_BYTES, READ_WRITE);
    hart.exports.loadReserved(VA, bytes);
    expect(hart.exports.storeConditional(VA + 0x5000n, 3n, bytes)).toBe(STORED);
  });

  test("a misaligned LR, SC or AMO traps before anything is read, on mapped pages and others", () => {
    const { hart, address } = withPage();
    for (const page of [VA, VA + 0x10_0000n]) {
      for (let offset = 1n; offset < BigInt(bytes); offset++) {
        const va = page + offset;
        expect(hart.causeOf(() => hart.exports.loadReserved(va, bytes))).toBe(CAUSE_LOAD_MISALIGNED);
        expect(hart.tval).toBe(va);
        expect(hart.causeOf(() => hart.exports.storeConditional(va, 1n, bytes))).toBe(CAUSE_STORE_MISALIGNED);
        expect(hart.causeOf(() => hart.exports.amo(1, va, 1n, bytes))).toBe(CAUSE_STORE_MISALIGNED);
      }
    }
    expect(hart.doubles[address >>> 3]).toBe(0n);
  });
});

test("LR needs the right to read, SC and AMOs the right to write", () => {
  const { hart } = withPage(READ_ONLY);
  expect(hart.causeOf(() => hart.exports.loadReserved(VA, 8))).toBe(NO_CAUSE);
  expect(hart.causeOf(() => hart.exports.storeConditional(VA, 1n, 8))).toBe(CAUSE_STORE_PAGE_FAULT);
  expect(hart.causeOf(() => hart.exports.amo(1, VA, 1n, 8))).toBe(CAUSE_STORE_PAGE_FAULT);
  expect(hart.causeOf(() => hart.exports.loadReserved(0n, 8))).toBe(CAUSE_LOAD_PAGE_FAULT);
  expect(hart.causeOf(() => hart.exports.amo(0, 0n, 1n, 8))).toBe(CAUSE_STORE_PAGE_FAULT); // also when it only reads
});

test("LR sets A only, an AMO sets D", () => {
  const { hart, pte } = withPage(READ_WRITE & ~(PTE_A | PTE_D));
  hart.exports.loadReserved(VA, 8);
  expect(hart.pte(pte) & (PTE_A | PTE_D)).toBe(PTE_A);
  hart.exports.amo(1, VA, 0n, 8);
  expect(hart.pte(pte) & (PTE_A | PTE_D)).toBe(PTE_A | PTE_D);
});

test("the full fence calls the host where the host needs that, and nowhere else", () => {
  const plain = new TestHart();
  plain.exports.fullFence();
  expect(plain.fences.count).toBe(0);
  const arm = new TestHart({ machineOptions: OPTION_ARM_FENCE });
  arm.exports.fullFence();
  expect(arm.fences.count).toBe(1);
});
