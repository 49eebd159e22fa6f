// The decode cache stays true: own stores at once, others after fence.i or a new generation, and never before the guest
// asks.

import { describe, expect, test } from "vitest";
import { COUNTER_DECODE_MISS, PAGE_BYTES } from "../../assembly/layout.ts";
import { encode } from "../../host/isa/encode.ts";
import { CODE, ECALL, Guest } from "./guest.ts";

const addi = (rd: number, rs1: number, imm: number) => encode("addi", { rd, rs1, imm });
const PATCHED = CODE + 0x100;
const ROUTINE = CODE + PAGE_BYTES; // in another page: stores x7 to [x6], then jumps to x8
const JUMP = encode("jalr", { rs1: 8 });

/** Patches code by a store that the guest itself makes, and then runs it. */
function patchAndRun(guest: Guest, store: string, va: number, value: number): void {
  guest.write(ROUTINE, encode(store, { rs1: 6, rs2: 7 }), JUMP);
  guest.bumpGeneration(ROUTINE);
  guest.setX(6, va);
  guest.setX(7, value);
  guest.setX(8, PATCHED);
  guest.runToEcall(ROUTINE);
}

describe("a hart's own stores to code it has decoded", () => {
  test("are executed without fence.i", () => {
    const guest = new Guest();
    guest.write(PATCHED, addi(5, 0, 1), ECALL);
    guest.runToEcall(PATCHED);
    patchAndRun(guest, "sw", PATCHED, addi(5, 0, 2));
    expect(guest.x(5)).toBe(2n);
  });

  test("count when they change the second half of an instruction", () => {
    const guest = new Guest();
    guest.write(PATCHED, addi(5, 0, 1), ECALL);
    guest.runToEcall(PATCHED);
    patchAndRun(guest, "sh", PATCHED + 2, addi(5, 0, 0x123) >>> 16);
    expect(guest.x(5)).toBe(0x123n);
  });

  test("count when they change one byte of the last instruction of a fused sequence", () => {
    const guest = new Guest();
    const slli = encode("slli", { rd: 5, rs1: 5, imm: 32 });
    const srli = (imm: number) => encode("srli", { rd: 5, rs1: 5, imm });
    guest.write(PATCHED, slli, srli(32), encode("c.add", { rd: 5, rs2: 9 }), ECALL);
    guest.setX(5, 0x1_0000_0010n);
    guest.runToEcall(PATCHED);
    expect(guest.x(5)).toBe(0x10n);
    guest.setX(5, 0x1_0000_0010n);
    patchAndRun(guest, "sb", PATCHED + 7, srli(34) >>> 24);
    const patched = guest.x(5);
    guest.bumpGeneration(PATCHED);
    guest.setX(5, 0x1_0000_0010n);
    guest.runToEcall(PATCHED);
    expect(guest.x(5)).toBe(patched); // the same as when everything is decoded anew
  });

  test("count when the store is in the instruction just before, in the same page", () => {
    const guest = new Guest();
    guest.write(PATCHED, encode("sw", { rs1: 6, rs2: 7 }), addi(5, 0, 1), ECALL);
    guest.setX(6, PATCHED + 4);
    guest.setX(7, addi(5, 0, 1));
    guest.runToEcall(PATCHED);
    guest.setX(7, addi(5, 0, 2));
    guest.runToEcall(PATCHED);
    expect(guest.x(5)).toBe(2n);
  });

  test("to data in a decoded page change the data", () => {
    const guest = new Guest();
    guest.write(PATCHED, encode("sd", { rs1: 6, rs2: 7 }), encode("ld", { rd: 5, rs1: 6 }), ECALL);
    guest.setX(6, PATCHED + 0x200);
    for (const value of [1n, 2n, 3n]) {
      guest.setX(7, value);
      guest.runToEcall(PATCHED);
      expect(guest.x(5)).toBe(value);
    }
  });
});

describe("stores of others", () => {
  test("are executed after fence.i", () => {
    const guest = new Guest();
    guest.write(ROUTINE, encode("fence.i"), JUMP);
    guest.setX(8, PATCHED);
    guest.write(PATCHED, addi(5, 0, 1), ECALL);
    guest.runToEcall(PATCHED);
    guest.write(PATCHED, addi(5, 0, 2));
    guest.runToEcall(PATCHED);
    expect(guest.x(5)).toBe(1n); // RISC-V promises nothing yet: this shows that the cache is one
    guest.runToEcall(ROUTINE);
    expect(guest.x(5)).toBe(2n);
  });

  test("are executed after a fence.i in the very page", () => {
    const guest = new Guest();
    guest.write(PATCHED, encode("fence.i"), addi(5, 0, 1), ECALL);
    guest.runToEcall(PATCHED);
    guest.write(PATCHED + 4, addi(5, 0, 2));
    guest.runToEcall(PATCHED);
    expect([guest.x(5), guest.instret]).toEqual([2n, 4]);
  });

  test("are executed after the kernel's fenceI(), or a new generation of the frame", () => {
    const guest = new Guest();
    guest.write(PATCHED, addi(5, 0, 1), ECALL);
    guest.runToEcall(PATCHED);
    guest.write(PATCHED, addi(5, 0, 2));
    guest.exports.fenceI();
    guest.runToEcall(PATCHED);
    expect(guest.x(5)).toBe(2n);
    guest.write(PATCHED, addi(5, 0, 3));
    guest.bumpGeneration(PATCHED);
    guest.runToEcall(PATCHED);
    expect(guest.x(5)).toBe(3n);
  });
});

describe("the pool", () => {
  test("serves more pages than it has slots", () => {
    const guest = new Guest();
    const pages = Array.from({ length: 40 }, (_, index) => 0x100000 + index * PAGE_BYTES);
    for (const [index, va] of pages.entries()) {
      guest.map(va, guest.frame());
      const behind = guest.write(va, addi(5, 5, index), encode("lui", { rd: 7, imm: (va + PAGE_BYTES) | 0 }));
      guest.write(behind, index === pages.length - 1 ? ECALL : encode("jalr", { rs1: 7 }));
    }
    for (let round = 1; round <= 3; round++) {
      guest.runToEcall(pages[0]!);
      expect(guest.x(5)).toBe(BigInt(round * 780));
    }
  });

  test("decodes a frame once for two mappings", () => {
    const guest = new Guest();
    const alias = 0x200000;
    guest.write(CODE, encode("auipc", { rd: 5, imm: 0 }), ECALL);
    guest.map(alias, Math.floor(guest.address(CODE) / PAGE_BYTES));
    guest.runToEcall(CODE);
    const misses = guest.counter(COUNTER_DECODE_MISS);
    expect(guest.x(5)).toBe(BigInt(CODE));
    guest.runToEcall(alias);
    expect(guest.x(5)).toBe(BigInt(alias));
    expect(guest.counter(COUNTER_DECODE_MISS)).toBe(misses);
  });
});
