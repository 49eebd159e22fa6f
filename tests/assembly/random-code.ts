// Shared by the tests that compare with the model.

import { CAUSE_ECALL_U } from "../../assembly/layout.ts";
import { fieldOf, immediateOf } from "../../host/isa/encoding.ts";
import type { RandomInstruction } from "../../host/isa/generate-random.ts";
import { COMPRESSED_INSTRUCTIONS, INSTRUCTIONS } from "../../host/isa/table.ts";
import type { Guest } from "./guest.ts";
import type { ModelInstruction, ModelState } from "./model.ts";

const drawn = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

/** SEED=n replays; otherwise each run draws a new one. */
export function seed(): number {
  return drawn;
}

/** Marsaglia's xorshift32. */
export class PlainRandom {
  #state: number;

  constructor(start: number) {
    this.#state = start | 0 || 1;
  }

  readonly next = (): number => {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32;
  };

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Often a number at which instructions behave specially. */
  bits64(): bigint {
    const corners = [0n, 1n, -1n, 1n << 31n, -(1n << 31n), 1n << 63n, (1n << 63n) - 1n, 0xffffffffn, 31n, 63n];
    if (this.below(3) === 0) return BigInt.asUintN(64, corners[this.below(corners.length)]!);
    return (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32));
  }
}

export function setRandomRegisters(guest: Guest, random: PlainRandom): void {
  for (let register = 1; register < 32; register++) guest.setX(register, random.bits64());
}

/** What an instruction word means to the model: compressed ones as what they expand to. */
export function expand({
  word,
  name,
  bytes,
}: Pick<RandomInstruction, "word" | "name" | "bytes" | "group" | "operands">): ModelInstruction {
  const full = INSTRUCTIONS.find((row) => row.name === name);
  const compressed = COMPRESSED_INSTRUCTIONS.find((row) => row.name === name);
  const base = full ?? compressed!.base;
  const { encoding, operands } = full ?? compressed!;
  const values: Record<string, number> = { rd: 0, rs1: 0, rs2: 0, imm: 0 };
  const operandValue = (operand: string): number => {
    if (operand.endsWith("imm")) return immediateOf(encoding.immediate!, word);
    if (/^x?\d+$/.test(operand)) return Number(operand.replace("x", ""));
    return fieldOf(encoding.fields.find((field) => field.name === operand.replace("'", ""))!, word);
  };
  base.operands.forEach((operand, index) => {
    const names = operand.split(/[()]/).filter((part) => part !== "");
    const actual = operands[index]!.split(/[()]/).filter((part) => part !== "");
    names.forEach((part, position) => {
      values[part.replace("uimm", "imm")] = operandValue(actual[position]!);
    });
  });
  return { name: base.name, bytes, rd: values.rd!, rs1: values.rs1!, rs2: values.rs2!, imm: BigInt(values.imm!) };
}

/** The model in the state of the guest; what it stores is kept apart and compared later. */
export function modelOf(guest: Guest, pc: number): ModelState & { stored: Map<number, number> } {
  const stored = new Map<number, number>();
  return {
    x: Array.from({ length: 32 }, (_, register) => guest.x(register)),
    pc: BigInt(pc),
    stored,
    load(va, bytes) {
      let value = 0n;
      for (let byte = 0; byte < bytes; byte++) {
        const at = Number(va) + byte;
        value |= BigInt(stored.get(at) ?? guest.loadByte(at)) << BigInt(8 * byte);
      }
      return value;
    },
    store(va, value, bytes) {
      for (let byte = 0; byte < bytes; byte++)
        stored.set(Number(va) + byte, Number((value >> BigInt(8 * byte)) & 0xffn));
    },
  };
}

/** What differs between the guest, which has just reached an ecall, and the model, in words. */
export function differences(guest: Guest, model: ReturnType<typeof modelOf>): string[] {
  const found: string[] = [];
  if (guest.cause !== CAUSE_ECALL_U) found.push(`cause ${guest.cause}`);
  if (guest.wholePc !== model.pc) found.push(`pc ${guest.wholePc.toString(16)} and not ${model.pc.toString(16)}`);
  model.x.forEach((value, register) => {
    if (guest.x(register) !== value)
      found.push(`x${register} ${guest.x(register).toString(16)} and not ${value.toString(16)}`);
  });
  for (const [va, byte] of model.stored) {
    if (guest.loadByte(va) !== byte) found.push(`byte at ${va.toString(16)}: ${guest.loadByte(va)} and not ${byte}`);
  }
  return found;
}
