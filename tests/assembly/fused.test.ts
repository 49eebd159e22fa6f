// Each fused sequence against the model: whole, entered at its second instruction, and with faults inside.

import { describe, expect, test } from "vitest";
import { EXIT_TRAP, PAGE_BYTES, PTE_R, PTE_W } from "../../assembly/layout.ts";
import { BRANCHES, PLAIN_HOT } from "../../host/build/operations.ts";
import { type Element, SEQUENCES, type Sequence, type Source } from "../../host/build/sequences.ts";
import { encodeAs, encodingNamed } from "../../host/isa/encode.ts";
import { COMPRESSED_INSTRUCTIONS } from "../../host/isa/table.ts";
import { CODE, CODE_FLAGS, DATA, ECALL, Guest } from "./guest.ts";
import { type ModelInstruction, step } from "./model.ts";
import { differences, expand, modelOf, PlainRandom, seed } from "./random-code.ts";

const ROUNDS = 60;
const ATTEMPTS_MAX = 10_000;
const DRAWS_MAX = 300;
const SEQUENCE_AT = CODE + 0x200;
const BEFORE = CODE + 0x1c0; // ecalls, for branches and jumps
const BEHIND = CODE + 0x280;
const JUMP_REGISTER = 14;
const EXECUTE_ONLY = CODE_FLAGS & ~(PTE_R | PTE_W);
const NEAR = [8, 9, 10, 11, 12, 13, 15]; // what compressed instructions can name
const FAR = [5, 6, 7, 16, 17, 18, 19, 28, 29, 30, 31];

interface Placed {
  readonly word: number;
  readonly decoded: ModelInstruction;
}

class ModelFault extends Error {}

describe.each(SEQUENCES.filter(isInteger))("$name", (sequence) => {
  test("does what its instructions do one by one", () => {
    const random = new PlainRandom(seed());
    const guest = new Guest();
    guest.map(CODE, Math.floor(guest.address(CODE) / PAGE_BYTES), EXECUTE_ONLY); // for the model, all else faults
    for (let round = 0; round < ROUNDS; round++) {
      const placed = draw(sequence, random);
      guest.write(BEFORE, ECALL);
      guest.write(BEHIND, ECALL);
      guest.write(SEQUENCE_AT, ...placed.map(({ word }) => word), ECALL);
      guest.bumpGeneration(CODE);
      const message = `SEED=${seed()} round ${round}: ${placed.map(({ word }) => word.toString(16)).join(" ")}`;
      for (const skip of [0, 1]) {
        setRegisters(guest, random);
        if (random.below(2) === 0) guest.exports.flushAll();
        expect(runBoth(guest, placed, skip), message).toEqual([]);
      }
    }
  });
});

function isInteger({ elements }: Sequence): boolean {
  return elements.every(({ name }) => !name.startsWith("F"));
}

/** Runs from instruction `skip` on, in the guest and in the model, and returns what differs. */
function runBoth(guest: Guest, placed: readonly Placed[], skip: number): string[] {
  const start = SEQUENCE_AT + placed.slice(0, skip).reduce((sum, { decoded }) => sum + decoded.bytes, 0);
  const model = modelOf(guest, start);
  const plainLoad = model.load;
  const plainStore = model.store;
  model.load = (va, bytes) => plainLoad(inData(va, bytes), bytes);
  model.store = (va, value, bytes) => plainStore(inData(va, bytes), value, bytes);
  const before = guest.instret;
  let steps = 0;
  let faulted = false;
  try {
    for (const { decoded } of placed.slice(skip)) {
      step(model, decoded);
      steps++;
    }
  } catch (error) {
    if (!(error instanceof ModelFault)) throw error;
    faulted = true;
  }
  if (guest.run(start) !== EXIT_TRAP) return ["no trap"];
  // It may have jumped to nowhere.
  const lost = faulted || ![BigInt(BEHIND), BigInt(BEFORE), BigInt(endOf(placed))].includes(model.pc);
  const found = differences(guest, model).filter((text) => !(lost && /^cause 1[235]$/.test(text)));
  if (guest.instret - before !== steps) found.push(`${guest.instret - before} instructions retired, and not ${steps}`);
  return found;
}

function endOf(placed: readonly Placed[]): number {
  return placed.reduce((sum, { decoded }) => sum + decoded.bytes, SEQUENCE_AT);
}

function inData(va: bigint, bytes: number): bigint {
  if (va < BigInt(DATA) || va + BigInt(bytes) > BigInt(DATA + 2 * PAGE_BYTES)) throw new ModelFault();
  return va;
}

/** Addresses of data, small numbers and anything. */
function setRegisters(guest: Guest, random: PlainRandom): void {
  for (let register = 1; register < 32; register++) {
    const kind = random.below(5);
    const near = BigInt(DATA + PAGE_BYTES + random.below(64) - 32);
    guest.setX(register, kind < 2 ? near : kind < 4 ? BigInt(random.below(16)) : random.bits64());
  }
  guest.setX(2, DATA + PAGE_BYTES - 256);
  guest.setX(JUMP_REGISTER, BEHIND);
}

/** Instructions with those operations whose operands come from where the sequence says. */
function draw(sequence: Sequence, random: PlainRandom): Placed[] {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const placed: Placed[] = [];
    let at = SEQUENCE_AT;
    while (placed.length < sequence.elements.length) {
      const one = drawNext(sequence, placed, at, random);
      if (one === undefined) break;
      placed.push(one);
      at += one.decoded.bytes;
    }
    if (placed.length === sequence.elements.length) return placed;
  }
  throw new Error(`no instructions found for ${sequence.name}`);
}

/** Undefined if the instructions before it leave no choice. */
function drawNext(
  { elements }: Sequence,
  placed: readonly Placed[],
  at: number,
  random: PlainRandom,
): Placed | undefined {
  const index = placed.length;
  const element = elements[index]!;
  const wanted = [element.rs1, element.rs2].flatMap((source) => (source ? [registerOf(source, placed)] : []));
  for (let attempt = 0; attempt < DRAWS_MAX; attempt++) {
    const one = drawElement(element, at, wanted, random);
    if (one === undefined) continue;
    const [rs1, rs2] = operandsAsDecoded(one.decoded, placed[index - 1]?.decoded.rd);
    const isRight = (source: Source | undefined, register: number) =>
      source === undefined || registerOf(source, placed) === register;
    if (!isRight(element.rs1, rs1) || !isRight(element.rs2, rs2)) continue;
    const soFar = [...placed, one];
    const needed = elements.slice(index + 1).flatMap(({ rs1, rs2 }) => [rs1, rs2]);
    if (needed.every((source) => !isLost(source, soFar))) return one;
  }
  return undefined;
}

/** True if the last instruction overwrites what a later one takes from before. */
function isLost(source: Source | undefined, placed: readonly Placed[]): boolean {
  const last = placed.length - 1;
  if (source === undefined || source.kind === "zero" || source.element > last) return false;
  if (source.kind === "result" && source.element === last) return false;
  return placed[last]!.decoded.rd === registerOf(source, placed);
}

function registerOf(source: Source, placed: readonly Placed[]): number {
  if (source.kind === "zero") return 0;
  const { element, kind } = source;
  const { decoded } = placed[element]!;
  if (kind === "result") return decoded.rd;
  const [rs1, rs2] = operandsAsDecoded(decoded, placed[element - 1]?.decoded.rd);
  return kind === "rs1" ? rs1 : rs2;
}

/** The decoder exchanges operands that may be exchanged, so that the result of the instruction before comes first. */
function operandsAsDecoded(
  { name, bytes, rs1, rs2 }: ModelInstruction,
  previousRd: number | undefined,
): readonly [rs1: number, rs2: number] {
  const isCommutative = /^(addw?|xor|or|and|mulw?)$/.test(name) || (/^(beq|bne)$/.test(name) && bytes === 4);
  return isCommutative && rs1 !== previousRd && rs2 === previousRd ? [rs2, rs1] : [rs1, rs2];
}

/** An instruction with that operation, more often than not with registers that are wanted. */
function drawElement(
  { name, rs1 }: Element,
  at: number,
  wanted: readonly number[],
  random: PlainRandom,
): Placed | undefined {
  const compressed = /_C(_|$)/.test(name);
  const base = baseOf(name);
  const rows = COMPRESSED_INSTRUCTIONS.filter((row) => row.base.name === base).map((row) => row.name);
  const row = compressed ? rows[random.below(rows.length)]! : base;
  const encoding = encodingNamed(row);
  const operands: Record<string, number> = {};
  for (const { name: field, compact } of encoding.fields) {
    const choice = wanted.length > 0 && random.below(3) > 0 ? wanted : compact || random.below(4) > 0 ? NEAR : FAR;
    const register = choice[random.below(choice.length)]!;
    if (compact && (register < 8 || register > 15)) return undefined;
    operands[field] = register;
  }
  if (base === "jalr" && rs1 === undefined) operands.rs1 = JUMP_REGISTER;
  if (base === "jalr" && encoding.bytes === 4) operands.rd = name === "JR" ? 0 : 1;
  if (encoding.immediate) operands.imm = immediate(name, base, at, encoding.immediate.signed, random);
  const word = encodeAs(encoding, operands);
  const decoded = expand({ word, name: row, bytes: encoding.bytes, group: "integer", operands });
  if (encoding.fields.some(({ name: field, excluded }) => excluded.includes(operands[field]!))) return undefined;
  if ((base === "jalr" && decoded.rd === 0) !== (name === "JR")) return undefined;
  if (base !== "jalr" && !base.startsWith("b") && (decoded.rd === 2 || (decoded.rd === 0 && hasDestination(base))))
    return undefined;
  return row === "c.addi" && operands.imm === 0 ? undefined : { word, decoded };
}

function hasDestination(base: string): boolean {
  return !/^(s[bhwd]|jal)$/.test(base);
}

function baseOf(name: string): string {
  if (name === "JR" || name === "JALR") return "jalr";
  if (/^(J_|JAL_)/.test(name)) return "jal";
  const branch = BRANCHES.find((operation) => name.startsWith(`${operation.name}_`));
  if (branch && /_(AHEAD|BACK)$/.test(name)) return branch.instruction.name;
  return PLAIN_HOT.find((operation) => operation.name === name)!.instruction.name;
}

function immediate(name: string, base: string, at: number, signed: boolean, random: PlainRandom): number {
  if (name.endsWith("_BACK")) return BEFORE - at;
  if (name.endsWith("_AHEAD") || name === "JAL_NEAR") return BEHIND - at;
  if (base === "jalr") return 0;
  if (base === "auipc") return (random.below(16) + 2) * 4096; // to where nothing is mapped
  if (base === "lui") return (random.below(16) + 1) * 4096;
  const small = 8 * (1 + random.below(3));
  return signed && random.below(2) === 0 ? -small : small;
}
