// The instruction table with its encodings parsed, in decode order: earlier rows win.

import type { CompressedRow, Row } from "../../assembly/isa.ts";
import { ATOMIC, BRANCH, COMPRESSED, CSR, FLOAT, INTEGER, JUMP, LOAD, STORE, SYSTEM } from "../../assembly/isa.ts";
import type { Encoding } from "./encoding.ts";
import { parseEncoding } from "./encoding.ts";

export type Group = "integer" | "load" | "store" | "branch" | "jump" | "atomic" | "csr" | "system" | "float";

export interface Instruction {
  readonly name: string;
  readonly group: Group;
  readonly encoding: Encoding;
  readonly operands: readonly string[]; // as the assembler writes them: "rd", "imm(rs1)"
  readonly meaning: string;
}

export interface CompressedInstruction {
  readonly name: string;
  readonly encoding: Encoding;
  readonly base: Instruction;
  readonly operands: readonly string[]; // what stands for each operand of base: "rd", "x2", "uimm(x2)"
}

export const INSTRUCTIONS: readonly Instruction[] = [
  ...rows("integer", INTEGER),
  ...rows("load", LOAD),
  ...rows("store", STORE),
  ...rows("branch", BRANCH),
  ...rows("jump", JUMP),
  ...rows("system", SYSTEM),
  ...rows("csr", CSR),
  ...rows("atomic", ATOMIC),
  ...rows("float", FLOAT),
];

export const COMPRESSED_INSTRUCTIONS: readonly CompressedInstruction[] = COMPRESSED.map(compressed);

function rows(group: Group, source: readonly Row[]): Instruction[] {
  return source.map(([name, encoding, operands, meaning]) => ({
    name,
    group,
    encoding: parseEncoding(encoding),
    operands: splitOperands(operands),
    meaning,
  }));
}

function compressed([name, encoding, expansion]: CompressedRow): CompressedInstruction {
  const [mnemonic, ...rest] = expansion.split(" ") as [string, ...string[]];
  const base = instructionNamed(mnemonic);
  return { name, encoding: parseEncoding(encoding), base, operands: splitOperands(rest.join(" ")) };
}

export function instructionNamed(name: string): Instruction {
  const found = INSTRUCTIONS.find((instruction) => instruction.name === name);
  if (!found) throw new Error(`no instruction ${name}`);
  return found;
}

function splitOperands(text: string): string[] {
  return text === "" ? [] : text.split(", ");
}

/** fadd.d -> FADD_D: the name of its constant in generated code. */
export function constantName(mnemonic: string): string {
  return mnemonic.toUpperCase().replaceAll(".", "_");
}
