// A block: random instructions, each of which both machines must execute in the same way. Control flow goes forward
// and stays inside. A few registers are kept for a purpose while a block runs, others in each block:
//   carrier   address where the block's last lines store the registers; never written
//   pointers  addresses of the window in memory; never written, base of every load, store and atomic

import type { Field } from "../../host/isa/encoding.ts";
import { immediateBits, immediateOf } from "../../host/isa/encoding.ts";
import type { CompressedInstruction, Instruction } from "../../host/isa/table.ts";
import { COMPRESSED_INSTRUCTIONS, INSTRUCTIONS } from "../../host/isa/table.ts";
import { type AnyInstruction, assemble, bytesOf, type Fields, op, type Word } from "../support/assemble.ts";
import type { Random } from "../support/seeds.ts";

/** Instructions that stay together. `distance` is from the item's first byte to where its jump goes. */
export interface Item {
  readonly name: string;
  readonly bytes: number;
  /** How many of the next items its jump may skip. */
  readonly skips: number;
  encode(distance: number): Word[];
}

export interface Block {
  readonly carrier: number;
  /** A multiple of 8 in x8..x15: where atomics go. */
  readonly aligned: number;
  /** Any address; x2 in every other block, for the stack-pointer-relative instructions. */
  readonly unaligned: number;
  readonly items: readonly Item[];
}

/** Executed by the program around the blocks, or meant to stop it. */
export const NOT_IN_BLOCKS: ReadonlySet<string> = new Set(["ecall", "ebreak", "c.ebreak"]);

const ALL: readonly AnyInstruction[] = [...INSTRUCTIONS, ...COMPRESSED_INSTRUCTIONS].filter(({ name }) => {
  return !NOT_IN_BLOCKS.has(name);
});

const SKIP_MAX = 4;
const LOAD_OFFSET_MAX = 1024;
const ROUNDING_MODES = [0, 1, 2, 3, 4, 7, 7, 7];
const FFLAGS = 1;
const FRM = 2;
const FCSR = 3;
const ROUNDING_MODE_COUNT = 5;

export function randomBlock(random: Random, itemCount: number): Block {
  const aligned = random.between(8, 15);
  const unaligned = pickOther(random, random.chance(0.5) ? [2] : registers(1, 31), [aligned]);
  const carrier = pickOther(random, registers(1, 31), [aligned, unaligned]);
  const frame = { random, carrier, aligned, unaligned };
  const items: Item[] = [];
  while (items.length < itemCount) {
    const item = randomItem(frame, random.pick(ALL));
    if (item !== undefined) items.push(item);
  }
  return { carrier, aligned, unaligned, items };
}

interface Frame {
  readonly random: Random;
  readonly carrier: number;
  readonly aligned: number;
  readonly unaligned: number;
}

function registers(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, index) => low + index);
}

function pickOther(random: Random, from: readonly number[], taken: readonly number[]): number {
  return random.pick(from.filter((register) => !taken.includes(register)));
}

function isKept({ carrier, aligned, unaligned }: Frame, register: number): boolean {
  return register === carrier || register === aligned || register === unaligned;
}

/** Undefined if the instruction does not fit into this block, e.g. c.lwsp where x2 is no pointer. */
function randomItem(frame: Frame, instruction: AnyInstruction): Item | undefined {
  const base = "base" in instruction ? instruction.base : instruction;
  if (base.group === "jump") return jumpItem(frame, instruction, base.name === "jalr");
  const fields = randomFields(frame, instruction);
  if (!("base" in instruction) && base.group === "atomic") return atomicItem(frame, instruction, fields);
  if (!("base" in instruction) && base.group === "csr") fixCsr(frame, instruction, fields);
  if (base.group === "load" || base.group === "store") {
    if (!fixAddress(frame, instruction, fields)) return undefined;
  }
  const written = writtenRegister(instruction, fields);
  if (written !== undefined && isKept(frame, written)) return undefined;
  if (base.group === "branch") return branchItem(frame, instruction, fields);
  return single(assemble(instruction, fields), instruction.name);
}

function single(word: Word, name: string): Item {
  return { name, bytes: word.bytes, skips: 0, encode: () => [word] };
}

type MutableFields = Record<string, number>;

function randomFields({ random }: Frame, { encoding }: AnyInstruction): MutableFields {
  const fields: MutableFields = {};
  for (const field of encoding.fields) {
    do fields[field.name] = fieldValue(random, field);
    while (field.excluded.includes(fields[field.name]));
  }
  const { immediate } = encoding;
  while (immediate !== undefined && fields.imm === undefined) {
    const wide = random.chance(0.2) ? random.pick([0, -1, 1, 1 << 31]) : random.next() | 0;
    const value = immediateOf(immediate, immediateBits(immediate, wide));
    if (value !== 0 || !immediate.nonzero) fields.imm = value;
  }
  return fields;
}

function fieldValue(random: Random, { name, width, compact }: Field): number {
  if (name === "rm") return random.pick(ROUNDING_MODES);
  return compact ? 8 + random.below(8) : random.below(2 ** width);
}

/** The integer register that the instruction writes. */
function writtenRegister(instruction: AnyInstruction, fields: Fields): number | undefined {
  const base = "base" in instruction ? instruction.base : instruction;
  if (base.operands[0] !== "rd") return undefined;
  const operand = instruction.operands[0].replace("'", "");
  return operand.startsWith("x") ? Number(operand.slice(1)) : fields[operand];
}

/** Lets a load or store go to the window. */
function fixAddress(frame: Frame, instruction: AnyInstruction, fields: MutableFields): boolean {
  const { random, aligned, unaligned } = frame;
  const base = /\((\w+)'?\)/.exec(instruction.operands[1])?.[1] ?? "";
  if (base === "x2") return unaligned === 2;
  const isCompact = instruction.encoding.fields.some(({ name, compact }) => name === base && compact);
  fields[base] = isCompact || random.chance(0.5) ? aligned : unaligned;
  if (!("base" in instruction)) fields.imm = random.between(-LOAD_OFFSET_MAX, LOAD_OFFSET_MAX - 1);
  return true;
}

/** fflags takes any value; frm only rounding modes, since a later instruction would be illegal otherwise. */
function fixCsr({ random }: Frame, { name }: Instruction, fields: MutableFields): void {
  fields.csr = FFLAGS;
  if (name === "csrrwi" && random.chance(0.6)) {
    fields.csr = random.pick([FRM, FCSR]);
    if (fields.csr === FRM) fields.zimm = random.below(ROUNDING_MODE_COUNT);
  } else if (name === "csrrs" && random.chance(0.5)) {
    fields.csr = random.pick([FRM, FCSR]);
    fields.rs1 = 0;
  } else if (name === "csrrci" && random.chance(0.5)) {
    fields.csr = random.pick([FRM, FCSR]);
  }
}

/** SC may fail for reasons of its own, so it stands in a loop; a second one must fail, and then there is none. */
function atomicItem(frame: Frame, instruction: Instruction, fields: MutableFields): Item | undefined {
  const { random, aligned } = frame;
  fields.rs1 = aligned;
  if (isKept(frame, fields.rd)) return undefined;
  const width = instruction.name.slice(-2);
  if (!/^(lr|sc)/.test(instruction.name)) return single(assemble(instruction, fields), instruction.name);
  const status = random.between(1, 31);
  if (isKept(frame, status) || status === fields.rd || status === fields.rs2) return undefined;
  const value = fields.rs2 ?? random.below(32);
  if (value === status) return undefined;
  const { aq = 0, rl = 0 } = fields;
  const words = [
    op(`lr${width}`, { rd: fields.rd, rs1: aligned, aq, rl }),
    op(`sc${width}`, { rd: status, rs1: aligned, rs2: value, aq, rl }),
    op("bne", { rs1: status, rs2: 0, imm: -8 }),
    op(`sc${width}`, { rd: status, rs1: aligned, rs2: value, aq, rl }),
  ];
  return { name: instruction.name, bytes: bytesOf(words), skips: 0, encode: () => words };
}

function branchItem({ random }: Frame, instruction: AnyInstruction, fields: Fields): Item {
  const encode = (distance: number) => [assemble(instruction, { ...fields, imm: distance })];
  return { name: instruction.name, bytes: instruction.encoding.bytes, skips: random.below(SKIP_MAX + 1), encode };
}

/** jal and c.j as they are; the others after auipc has put an address into a register. */
function jumpItem(frame: Frame, instruction: AnyInstruction, indirect: boolean): Item | undefined {
  const fields = randomFields(frame, instruction);
  const written = writtenRegister(instruction, fields);
  if (written !== undefined && isKept(frame, written)) return undefined;
  if (!indirect) return branchItem(frame, instruction, fields);
  const target = fields.rs1;
  if (target === 0 || isKept(frame, target)) return undefined;
  const isFull = instruction.encoding.bytes === 4;
  const fromPc = [op("auipc", { rd: target, imm: 0 })];
  const odd = frame.random.below(2); // jalr clears bit 0
  const encode = (distance: number): Word[] => {
    if (isFull) return [...fromPc, assemble(instruction, { ...fields, imm: distance + odd })];
    return [...fromPc, op("addi", { rd: target, rs1: target, imm: distance + odd }), assemble(instruction, fields)];
  };
  return { name: instruction.name, bytes: isFull ? 8 : 10, skips: frame.random.below(SKIP_MAX + 1), encode };
}

export function isCompressed(instruction: AnyInstruction): instruction is CompressedInstruction {
  return "base" in instruction;
}

export const COVERED_NAMES: readonly string[] = ALL.map(({ name }) => name);
