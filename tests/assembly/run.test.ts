// run(): where it stops, what it counts, and that nothing a guest does keeps it from stopping.

import { describe, expect, test } from "vitest";
import {
  CAUSE_BREAKPOINT,
  CAUSE_ECALL_U,
  CAUSE_FETCH_PAGE_FAULT,
  EXIT_BUDGET,
  EXIT_DOORBELL,
  EXIT_TRAP,
  PAGE_BYTES,
} from "../../assembly/layout.ts";
import { encode } from "../../host/isa/encode.ts";
import { CODE, ECALL, Guest } from "./guest.ts";

const addi = (rd: number, rs1: number, imm: number) => encode("addi", { rd, rs1, imm });
const NEXT = CODE + PAGE_BYTES;

describe("budget", () => {
  test("a loop stops at the same instruction each time, and goes on as if it had not", () => {
    const guest = new Guest();
    guest.write(CODE, addi(5, 5, 1), addi(6, 6, 1), encode("bne", { rs1: 5, rs2: 7, imm: -8 }), ECALL);
    guest.setX(7, 1000);
    const stops: number[] = [];
    let exit = guest.run(CODE, 100);
    while (exit === EXIT_BUDGET) {
      stops.push(guest.instret);
      exit = guest.exports.run(100);
    }
    expect(exit).toBe(EXIT_TRAP);
    expect(guest.x(6)).toBe(1000n);
    expect(guest.instret).toBe(3000);
    expect(stops).toEqual(Array.from({ length: 29 }, (_, index) => 102 * (index + 1)));
  });

  test("an empty budget runs nothing", () => {
    const guest = new Guest();
    guest.write(CODE, addi(5, 5, 1), ECALL);
    expect(guest.run(CODE, 0)).toBe(EXIT_BUDGET);
    expect([guest.pc, guest.instret, guest.x(5)]).toEqual([CODE, 0, 0n]);
  });
});

const LOOPS: Record<string, (guest: Guest) => void> = {
  "a jump to itself": (guest) => guest.write(CODE, encode("jal", { imm: 0 })),
  "a compressed jump to itself": (guest) => guest.write(CODE, encode("c.j", { imm: 0 })),
  "a branch back": (guest) => guest.write(CODE, addi(5, 5, 1), encode("beq", { imm: -4 })),
  "a compressed branch back": (guest) => guest.write(CODE, addi(5, 5, 1), encode("c.beqz", { rs1: 8, imm: -4 })),
  "calls that never return": (guest) =>
    guest.write(CODE, encode("jal", { rd: 1, imm: 8 }), addi(5, 5, 1), encode("jal", { rd: 1, imm: -8 })),
  "jalr only": (guest) => {
    guest.write(CODE, encode("jalr", { rs1: 6 }));
    guest.setX(6, CODE);
  },
  "linking jalr only": (guest) => {
    guest.write(CODE, encode("jalr", { rd: 1, rs1: 6 }));
    guest.setX(6, CODE);
  },
  "two returns that lead to each other": (guest) => {
    guest.write(CODE, encode("c.jr", { rs1: 5 }), encode("c.jr", { rs1: 6 }));
    guest.setX(5, CODE + 2);
    guest.setX(6, CODE);
  },
  "jumps between two pages": (guest) => {
    guest.write(CODE, encode("jal", { imm: PAGE_BYTES }));
    guest.write(NEXT, encode("jal", { imm: -PAGE_BYTES }));
  },
  "branches between two pages": (guest) => {
    guest.write(NEXT - 4, encode("beq", { imm: 8 }));
    guest.write(NEXT + 4, encode("beq", { imm: -8 }));
    guest.pc = NEXT - 4;
  },
  "a crossing instruction that jumps back to itself": (guest) => {
    guest.write(NEXT - 2, encode("jal", { imm: 0 }));
    guest.pc = NEXT - 2;
  },
};

describe.each(Object.entries(LOOPS))("an endless loop of %s", (_, setUp) => {
  test("ends with its budget", () => {
    const guest = new Guest();
    setUp(guest);
    expect(guest.exports.run(1000)).toBe(EXIT_BUDGET);
    expect(guest.instret).toBeGreaterThanOrEqual(1000);
    expect(guest.instret).toBeLessThan(1010);
  });

  test("ends when the doorbell rings", () => {
    const guest = new Guest();
    setUp(guest);
    guest.ring();
    expect(guest.exports.run(1000)).toBe(EXIT_DOORBELL);
    expect(guest.instret).toBe(0);
  });
});

describe("traps are precise", () => {
  test("an ecall is not retired, and pc is its own", () => {
    const guest = new Guest();
    guest.write(CODE, addi(5, 0, 1), encode("c.addi", { rd: 5, imm: 1 }), ECALL, addi(5, 0, 9));
    expect(guest.run(CODE)).toBe(EXIT_TRAP);
    expect([guest.cause, guest.pc, guest.instret, guest.x(5)]).toEqual([CAUSE_ECALL_U, CODE + 6, 2, 2n]);
  });

  test.each([["ebreak"], ["c.ebreak"]])("%s is a breakpoint", (name) => {
    const guest = new Guest();
    guest.write(CODE, addi(5, 0, 1), encode(name));
    expect(guest.run(CODE)).toBe(EXIT_TRAP);
    expect([guest.cause, guest.pc, guest.instret]).toEqual([CAUSE_BREAKPOINT, CODE + 4, 1]);
  });

  test("a jump to where nothing is mapped traps at its target, with the link written", () => {
    const guest = new Guest();
    guest.setX(6, 0x900000);
    guest.write(CODE, encode("jalr", { rd: 1, rs1: 6, imm: 4 }));
    expect(guest.run(CODE)).toBe(EXIT_TRAP);
    expect([guest.cause, guest.pc, guest.tval, guest.instret]).toEqual([CAUSE_FETCH_PAGE_FAULT, 0x900004, 0x900004, 1]);
    expect(guest.x(1)).toBe(BigInt(CODE + 4));
  });

  test("running off a page into nothing traps there", () => {
    const guest = new Guest();
    guest.unmap(NEXT);
    guest.write(NEXT - 4, addi(5, 5, 1));
    expect(guest.run(NEXT - 4)).toBe(EXIT_TRAP);
    expect([guest.cause, guest.pc, guest.instret]).toEqual([CAUSE_FETCH_PAGE_FAULT, NEXT, 1]);
  });
});

describe("counters that the guest reads", () => {
  test("instret counts the instructions before the read", () => {
    const guest = new Guest();
    const read = (rd: number) => encode("csrrs", { rd, csr: 0xc02 });
    guest.write(CODE, read(5), addi(7, 0, 1), addi(7, 7, 1), read(6), ECALL);
    guest.runToEcall(CODE);
    expect([guest.x(5), guest.x(6), guest.instret]).toEqual([0n, 3n, 4]);
  });
});
