// One ELF that runs every block of a batch several times, each time from other register values, and writes what the
// registers and the window hold to standard output.

import { bytesOf, encodeWords, loadConstant, op, type Word } from "../support/assemble.ts";
import { PF_R, PF_W, PF_X, staticElf } from "../support/elf.ts";
import type { Random } from "../support/seeds.ts";
import { floatValue, integerValue } from "./corners.ts";
import type { Block } from "./random-block.ts";

const TEXT = 0x0010_0000;
const STATES = 0x0100_0000;
const WINDOW = 0x0800_0000;
const PASS = 0x0900_0000;
const DUMP = 0x0a00_0000;

export const WINDOW_BYTES = 8192;

// One state: x1..x31, f0..f31, fcsr.
export const STATE_BYTES = 512;
export const STATE_FLOATS = 248;
export const STATE_FCSR = 504;

const SYS_WRITE = 64;
const SYS_EXIT = 93;
const FCSR = 3;
const A0 = 10;
const A1 = 11;
const A2 = 12;
const A7 = 17;

export interface Batch {
  readonly blocks: readonly Block[];
  readonly passes: number;
  /** passes × blocks states, then the window. */
  readonly states: Uint8Array;
  readonly window: Uint8Array;
}

export function randomStates(random: Random, blocks: readonly Block[], passes: number): Uint8Array {
  const states = Buffer.alloc(passes * blocks.length * STATE_BYTES);
  for (let pass = 0; pass < passes; pass++) {
    blocks.forEach((block, index) => {
      writeState(states, (pass * blocks.length + index) * STATE_BYTES, random, block);
    });
  }
  return states;
}

function writeState(states: Buffer, at: number, random: Random, { aligned, unaligned }: Block): void {
  const middle = WINDOW + WINDOW_BYTES / 2; // a page boundary
  for (let x = 1; x < 32; x++) states.writeBigUInt64LE(integerValue(random), at + 8 * (x - 1));
  states.writeBigUInt64LE(BigInt(middle + 8 * random.between(-16, 16)), at + 8 * (aligned - 1));
  states.writeBigUInt64LE(BigInt(middle + random.between(-64, 64)), at + 8 * (unaligned - 1));
  for (let f = 0; f < 32; f++) states.writeBigUInt64LE(floatValue(random), at + STATE_FLOATS + 8 * f);
  states.writeBigUInt64LE(
    BigInt((random.below(5) << 5) | (random.chance(0.7) ? 0 : random.below(32))),
    at + STATE_FCSR,
  );
}

/** `cut` replaces the last items of one block by no-operations, with everything else in its place. */
export function buildProgram(batch: Batch, cut?: { block: number; items: number }): Buffer<ArrayBuffer> {
  const { blocks, passes, states, window } = batch;
  const words: Word[] = [
    ...loadConstant(A0, PASS),
    ...loadConstant(A1, STATES),
    op("sd", { rs1: A0, rs2: A1, imm: 0 }),
  ];
  const start = bytesOf(words);
  blocks.forEach((block, index) => {
    const keep = cut?.block === index ? cut.items : block.items.length;
    words.push(...loadState(block, index), ...blockWords(block, keep), ...storeState(block));
  });
  words.push(...writeOut(DUMP, blocks.length * STATE_BYTES), ...writeOut(WINDOW, WINDOW_BYTES));
  words.push(...nextPass(TEXT + start, blocks.length * STATE_BYTES, STATES + passes * blocks.length * STATE_BYTES));
  words.push(...exit(0));
  return staticElf(TEXT, [
    { va: TEXT, flags: PF_R | PF_X, bytes: encodeWords(words) },
    { va: STATES, flags: PF_R, bytes: states },
    { va: WINDOW, flags: PF_R | PF_W, bytes: window },
    { va: PASS, flags: PF_R | PF_W, bytes: new Uint8Array(8) },
    { va: DUMP, flags: PF_R | PF_W, bytes: new Uint8Array(0), memoryBytes: blocks.length * STATE_BYTES },
  ]);
}

/** Every register from this pass's state, the carrier last: it gets the address of the dump. */
function loadState({ carrier }: Block, index: number): Word[] {
  const scratch = carrier === 1 ? 2 : 1;
  const words = [
    ...loadConstant(carrier, PASS),
    op("ld", { rd: carrier, rs1: carrier, imm: 0 }),
    ...loadConstant(scratch, index * STATE_BYTES),
    op("add", { rd: carrier, rs1: carrier, rs2: scratch }),
    op("ld", { rd: scratch, rs1: carrier, imm: STATE_FCSR }),
    op("csrrw", { rd: 0, rs1: scratch, csr: FCSR }),
  ];
  for (let f = 0; f < 32; f++) words.push(op("fld", { fd: f, rs1: carrier, imm: STATE_FLOATS + 8 * f }));
  for (let x = 1; x < 32; x++) if (x !== carrier) words.push(op("ld", { rd: x, rs1: carrier, imm: 8 * (x - 1) }));
  return [...words, ...loadConstant(carrier, DUMP + index * STATE_BYTES)];
}

function storeState({ carrier }: Block): Word[] {
  const words: Word[] = [];
  for (let x = 1; x < 32; x++) words.push(op("sd", { rs2: x, rs1: carrier, imm: 8 * (x - 1) }));
  for (let f = 0; f < 32; f++) words.push(op("fsd", { fs2: f, rs1: carrier, imm: STATE_FLOATS + 8 * f }));
  const scratch = carrier === 1 ? 2 : 1;
  words.push(op("csrrs", { rd: scratch, rs1: 0, csr: FCSR }));
  return [...words, op("sd", { rs2: scratch, rs1: carrier, imm: STATE_FCSR })];
}

const NOP: Word = { bits: 0x0001, bytes: 2, text: "c.nop" };

export function blockWords({ items }: Block, keep = items.length): Word[] {
  return items.flatMap((item, index) => {
    const skipped = items.slice(index, index + 1 + item.skips);
    const distance = skipped.reduce((sum, { bytes }) => sum + bytes, 0);
    return index < keep ? item.encode(distance) : Array<Word>(item.bytes / 2).fill(NOP);
  });
}

function writeOut(address: number, bytes: number): Word[] {
  return [
    ...loadConstant(A1, address),
    ...loadConstant(A2, bytes),
    op("addi", { rd: A0, rs1: 0, imm: 1 }),
    op("addi", { rd: A7, rs1: 0, imm: SYS_WRITE }),
    op("ecall", {}),
    op("bge", { rs1: A0, rs2: 0, imm: 16 }),
    ...exit(1),
    op("add", { rd: A1, rs1: A1, rs2: A0 }),
    op("sub", { rd: A2, rs1: A2, rs2: A0 }),
    op("bne", { rs1: A2, rs2: 0, imm: -40 }),
  ];
}

/** Three instructions. */
function exit(status: number): Word[] {
  const code = op("addi", { rd: A0, rs1: 0, imm: status });
  return [code, op("addi", { rd: A7, rs1: 0, imm: SYS_EXIT }), op("ecall", {})];
}

function nextPass(start: number, stride: number, end: number): Word[] {
  return [
    ...loadConstant(A0, PASS),
    ...loadConstant(A1, stride),
    op("ld", { rd: A2, rs1: A0, imm: 0 }),
    op("add", { rd: A2, rs1: A2, rs2: A1 }),
    op("sd", { rs2: A2, rs1: A0, imm: 0 }),
    ...loadConstant(A1, end),
    ...loadConstant(A0, start),
    op("beq", { rs1: A2, rs2: A1, imm: 8 }),
    op("jalr", { rd: 0, rs1: A0, imm: 0 }),
  ];
}
