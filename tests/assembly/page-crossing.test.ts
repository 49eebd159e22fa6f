// Instructions of four bytes of which the upper half lies in the next page.

import { describe, expect, test } from "vitest";
import {
  CAUSE_FETCH_PAGE_FAULT,
  CAUSE_ILLEGAL,
  CAUSE_LOAD_PAGE_FAULT,
  EXIT_TRAP,
  PAGE_BYTES,
} from "../../assembly/layout.ts";
import { encode } from "../../host/isa/encode.ts";
import { CODE, CODE_FLAGS, ECALL, Guest } from "./guest.ts";

const NEXT = CODE + PAGE_BYTES;
const AT = NEXT - 2;
const addi = (rd: number, rs1: number, imm: number) => encode("addi", { rd, rs1, imm });

describe("an instruction across two pages", () => {
  test("is executed, and the next one follows", () => {
    const guest = new Guest();
    guest.write(AT, addi(5, 0, 7), addi(6, 5, 1), ECALL);
    guest.runToEcall(AT);
    expect([guest.x(5), guest.x(6), guest.instret]).toEqual([7n, 8n, 2]);
  });

  test("traps with its own pc and the second page's address when that is not mapped", () => {
    const guest = new Guest();
    guest.write(AT, addi(5, 0, 7));
    guest.unmap(NEXT);
    expect(guest.run(AT)).toBe(EXIT_TRAP);
    expect([guest.cause, guest.pc, guest.tval, guest.instret]).toEqual([CAUSE_FETCH_PAGE_FAULT, AT, NEXT, 0]);
  });

  test("follows the second page's mapping", () => {
    const guest = new Guest();
    guest.write(AT, addi(5, 0, 7), ECALL);
    guest.runToEcall(AT);
    guest.map(NEXT, guest.frame(), CODE_FLAGS);
    guest.exports.flushAll();
    guest.write(AT, addi(5, 0, 9), ECALL); // differs in the second page only
    guest.runToEcall(AT);
    expect(guest.x(5)).toBe(9n);
  });

  test("branches both ways, links, and counts pc from its first byte", () => {
    const guest = new Guest();
    guest.write(NEXT - 0x100, ECALL);
    guest.write(AT, encode("beq", { rs1: 5, rs2: 6, imm: -0xfe }), addi(7, 0, 3), ECALL);
    guest.runToEcall(AT);
    expect(guest.pc).toBe(NEXT - 0x100);
    guest.setX(5, 1);
    guest.runToEcall(AT);
    expect([guest.pc, guest.x(7)]).toEqual([NEXT + 6, 3n]);

    guest.bumpGeneration(NEXT);
    guest.write(AT, encode("jal", { rd: 1, imm: 0x20 }));
    guest.write(AT + 0x20, encode("auipc", { rd: 6, imm: 0 }), ECALL);
    guest.runToEcall(AT);
    expect([guest.x(1), guest.x(6)]).toEqual([BigInt(AT + 4), BigInt(AT + 0x20)]);

    guest.bumpGeneration(NEXT);
    guest.write(AT, encode("auipc", { rd: 6, imm: 0x1000 }), encode("jalr", { rd: 1, rs1: 5 }));
    guest.setX(5, NEXT - 0x100);
    guest.runToEcall(AT);
    expect([guest.pc, guest.x(1), guest.x(6)]).toEqual([NEXT - 0x100, BigInt(AT + 8), BigInt(AT + 0x1000)]);
  });

  test("faults and illegal encodings name it", () => {
    const guest = new Guest();
    guest.write(AT, encode("ld", { rd: 5, rs1: 6, imm: 16 }));
    expect(guest.run(AT)).toBe(EXIT_TRAP);
    expect([guest.cause, guest.pc, guest.tval]).toEqual([CAUSE_LOAD_PAGE_FAULT, AT, 16]);
    guest.write(AT, 0xffffffff);
    expect(guest.run(AT)).toBe(EXIT_TRAP);
    expect([guest.cause, guest.pc, guest.tval]).toEqual([CAUSE_ILLEGAL, AT, 0xffffffff]);
  });

  test("is read again after a store to its second half, without fence.i", () => {
    const guest = new Guest();
    guest.write(AT, addi(5, 0, 7), ECALL);
    guest.runToEcall(AT);
    guest.write(CODE, encode("sh", { rs1: 6, rs2: 7 }), encode("jalr", { rs1: 8 }));
    guest.setX(6, NEXT);
    guest.setX(7, addi(5, 0, 9) >>> 16);
    guest.setX(8, AT);
    guest.runToEcall(CODE);
    expect(guest.x(5)).toBe(9n);
  });
});
