// What is an instruction, and what is not.

import { describe, expect, test } from "vitest";
import { CAUSE_ILLEGAL, EXIT_TRAP } from "../../assembly/layout.ts";
import { disassemble } from "../../host/isa/disassemble.ts";
import { encode } from "../../host/isa/encode.ts";
import { randomInstruction } from "../../host/isa/generate-random.ts";
import { COMPRESSED_INSTRUCTIONS, type Group, INSTRUCTIONS } from "../../host/isa/table.ts";
import { CODE, ECALL, Guest } from "./guest.ts";
import { PlainRandom, seed } from "./random-code.ts";

const RESERVED: Record<string, number> = {
  "the halfword 0": 0x0000,
  "c.addi4spn with 0": 0x0008,
  "c.addiw to x0": 0x2005,
  "c.addi16sp with 0": 0x6101,
  "c.lui with 0": 0x6281,
  "c.lwsp to x0": 0x4002,
  "c.ldsp to x0": 0x6002,
  "c.jr x0": 0x8002,
  "the free quadrant 0 row": 0x8000,
  "c.subw's free neighbour": 0x9c41,
  "all ones": 0xffffffff,
  "a free major opcode": 0x0000006b,
  "slli with bit 26": 0x04001013 | (1 << 25) | (1 << 26),
  "slliw with shamt 32": 0x0200101b,
  "a load of width 7": 0x00007003,
  "a branch of condition 2": 0x00002063,
  "jalr with funct3 1": 0x00001067,
  "static rounding mode 5": encode("fadd.d", { rm: 5 }),
  "static rounding mode 6": encode("fcvt.w.s", { rm: 6 }),
  "lr.w with rs2": encode("lr.w") | (1 << 20),
  "an AMO of bytes": 0x0000002f,
  mret: 0x30200073,
  sret: 0x10200073,
  wfi: 0x10500073,
  "sfence.vma": 0x12000073,
  "csrrw of mstatus": encode("csrrw", { csr: 0x300, rs1: 5 }),
  "a write to cycle": encode("csrrw", { csr: 0xc00, rd: 5, rs1: 0 }),
  "a set of bits in time": encode("csrrs", { csr: 0xc01, rd: 5, rs1: 6 }),
  "an unknown control register": encode("csrrs", { csr: 0x123, rd: 5 }),
};

describe.each(Object.entries(RESERVED))("%s", (_, word) => {
  test("is illegal, with its bits in tval", () => {
    const guest = new Guest();
    guest.write(CODE, encode("addi", { rd: 5, imm: 1 }), word);
    expect(guest.run(CODE)).toBe(EXIT_TRAP);
    const bits = (word & 3) === 3 ? word >>> 0 : word & 0xffff;
    expect([guest.cause, guest.pc, guest.tval, guest.instret]).toEqual([CAUSE_ILLEGAL, CODE + 4, bits, 1]);
  });
});

test("a dynamic rounding mode is illegal while frm is 5, 6 or 7", () => {
  const guest = new Guest();
  for (const frm of [0, 4, 5, 6, 7]) {
    guest.write(CODE, encode("csrrwi", { csr: 2, zimm: frm }), encode("fadd.d", { rm: 7 }), ECALL);
    guest.bumpGeneration(CODE);
    guest.run(CODE);
    expect(guest.cause === CAUSE_ILLEGAL).toBe(frm > 4);
    expect(guest.fcsr >>> 5).toBe(frm);
  }
});

const HINTS = [
  "c.nop",
  "c.addi hint",
  "c.li x0",
  "c.lui x0",
  "c.slli x0",
  "c.mv x0",
  "c.add x0",
  "pause",
  "lui x0",
  "add x0",
];
test.each([
  [HINTS[0], 0x0001],
  [HINTS[1], encode("c.addi", { rd: 9, imm: 0 })],
  [HINTS[2], encode("c.li", { rd: 0, imm: 5 })],
  [HINTS[3], encode("c.lui", { rd: 0, imm: 4096 })],
  [HINTS[4], encode("c.slli", { rd: 0, imm: 5 })],
  [HINTS[5], encode("c.mv", { rd: 0, rs2: 5 })],
  [HINTS[6], encode("c.add", { rd: 0, rs2: 5 })],
  [HINTS[7], 0x0100000f],
  [HINTS[8], encode("lui", { rd: 0, imm: 4096 })],
  [HINTS[9], encode("add", { rd: 0, rs1: 5, rs2: 6 })],
])("%s does nothing", (_, word) => {
  const guest = new Guest();
  for (let register = 1; register < 32; register++) guest.setX(register, register);
  guest.write(CODE, word as number, ECALL);
  guest.runToEcall(CODE);
  for (let register = 0; register < 32; register++) expect(guest.x(register)).toBe(BigInt(register));
  expect(guest.instret).toBe(1);
});

test("a load to x0 leaves it 0, but may fault", () => {
  const guest = new Guest();
  guest.write(CODE, encode("lw", { rd: 0, rs1: 6 }), encode("addi", { rd: 5, rs1: 0, imm: 3 }), ECALL);
  guest.setX(6, CODE);
  guest.runToEcall(CODE);
  expect([guest.x(0), guest.x(5), guest.instret]).toEqual([0n, 3n, 2]);
  guest.setX(6, 0x900000);
  expect(guest.run(CODE)).toBe(EXIT_TRAP);
  expect([guest.pc, guest.tval]).toEqual([CODE, 0x900000]);
});

test("every row of the table encodes to a word that is shown as that row", () => {
  const random = new PlainRandom(seed());
  const groups = new Set<Group>(["integer", "load", "store", "branch", "jump", "atomic", "csr", "system", "float"]);
  const seen = new Set<string>();
  for (let round = 0; round < 20_000; round++) {
    const { name, word } = randomInstruction(groups, random.next);
    const base = COMPRESSED_INSTRUCTIONS.find((row) => row.name === name)?.base.name ?? name;
    expect(disassemble(word).text.split(" ")[0], `SEED=${seed()} ${word.toString(16)}`).toBe(base);
    seen.add(name);
  }
  expect(seen.size).toBe(INSTRUCTIONS.length + COMPRESSED_INSTRUCTIONS.length);
});

test("the disassembler writes what an assembler reads", () => {
  expect(disassemble(0xfe5ff06f, 0x10020).text).toBe("jal zero, 0x10004");
  expect(disassemble(0x02b50533).text).toBe("mul a0, a0, a1");
  expect(disassemble(0x6422).text).toBe("ld s0, 8(sp)");
  expect(disassemble(0x1a05352f).text).toBe("sc.d a0, zero, (a0)");
  expect(disassemble(0x02a5f553).text).toBe("fadd.d fa0, fa1, fa0");
  expect(disassemble(0xc0202573).text).toBe("csrrs a0, instret, zero");
  expect(disassemble(0x0000).text).toBe(".2byte 0x0");
});
