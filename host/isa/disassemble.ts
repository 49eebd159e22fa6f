// One instruction as text, for traces and oopses. A compressed one is shown as what it expands to.

import { type Encoding, fieldOf, immediateOf, matches } from "./encoding.ts";
import { CSR_NAMES, F_NAMES, ROUNDING_MODE_NAMES, X_NAMES } from "./registers.ts";
import { COMPRESSED_INSTRUCTIONS, INSTRUCTIONS } from "./table.ts";

export interface Disassembly {
  readonly text: string;
  readonly bytes: 2 | 4;
}

/** `word` holds at least the instruction's own bits. Targets are absolute, with pc as a number or a bigint. */
export function disassemble(word: number, pc?: number | bigint): Disassembly {
  const bytes = (word & 3) === 3 ? 4 : 2;
  const bits = bytes === 4 ? word >>> 0 : word & 0xffff;
  const table = bytes === 4 ? INSTRUCTIONS : COMPRESSED_INSTRUCTIONS;
  const found = table.find(({ encoding }) => matches(encoding, bits));
  if (!found) return { text: `.${bytes}byte 0x${bits.toString(16)}`, bytes };
  const base = "base" in found ? found.base : found;
  const relative = base.group === "branch" || base.name === "jal";
  const operands = found.operands
    .filter((operand) => operand !== "rm" || roundingMode(found.encoding, bits) !== "dyn")
    .map((operand) => operandText(operand, found.encoding, bits, relative ? pc : undefined));
  return { text: operands.length === 0 ? base.name : `${base.name} ${operands.join(", ")}`, bytes };
}

function operandText(operand: string, encoding: Encoding, bits: number, pc: number | bigint | undefined): string {
  const inner = /^(.*)\((.*)\)$/.exec(operand);
  if (inner) {
    const offset = inner[1] === "" ? "" : operandText(inner[1]!, encoding, bits, undefined);
    return `${offset}(${operandText(inner[2]!, encoding, bits, undefined)})`;
  }
  if (operand === "imm" || operand === "uimm") return immediateText(immediateOf(encoding.immediate!, bits), pc);
  if (/^x\d+$/.test(operand)) return X_NAMES[Number(operand.slice(1))]!;
  if (/^\d+$/.test(operand)) return operand;
  return fieldText(operand.replace("'", ""), encoding, bits);
}

function immediateText(value: number, pc: number | bigint | undefined): string {
  if (pc === undefined) return String(value);
  return `0x${BigInt.asUintN(64, BigInt(pc) + BigInt(value)).toString(16)}`;
}

function fieldText(name: string, encoding: Encoding, bits: number): string {
  if (name === "rm") return roundingMode(encoding, bits);
  const value = valueOfOperand(name, encoding, bits);
  if (name === "csr") return CSR_NAMES.get(value) ?? `0x${value.toString(16)}`;
  if (name === "zimm") return String(value);
  return (name.startsWith("f") ? F_NAMES : X_NAMES)[value]!;
}

function roundingMode(encoding: Encoding, bits: number): string {
  return ROUNDING_MODE_NAMES[valueOfOperand("rm", encoding, bits)]!;
}

function valueOfOperand(name: string, encoding: Encoding, bits: number): number {
  const field = encoding.fields.find((candidate) => candidate.name === name);
  if (!field) throw new Error(`no field ${name}`);
  return fieldOf(field, bits);
}
