// Which operations the interpreter knows, and their numbers. An operation is what a decoded record asks for: an
// instruction in one of its forms. Most instructions have one operation for each of their lengths, branches and jumps
// one for each way in which their target can lie.
//
//   ADDI  ADDI_C          four bytes, two bytes: the handler steps to the next record by a constant
//   BNE_BACK  BNE_AHEAD   target in the same page; only BACK has to poll
//   BNE                   target in another page
//
// Numbers: 0 asks for decoding. The hot operations follow without a gap, so that their switch becomes one table jump.
// Those for which interpret() returns share the number SLOW and have their own, from 256 on, in the immediate's top
// byte.

import { COMPRESSED_INSTRUCTIONS, constantName, INSTRUCTIONS, type Instruction } from "../isa/table.ts";
import { SEQUENCES } from "./sequences.ts";

export interface Operation {
  readonly name: string;
  readonly bytes: 2 | 4;
  readonly instruction: Instruction;
}

/** Instructions of these groups are hot in every form. */
const HOT_GROUPS: ReadonlySet<string> = new Set(["integer", "load", "store"]);
/** And these of the others: they move bits, and raise no flag. */
const HOT_MOVES = /^(fsgnj[nx]?\.[sd]|fmv\.[xdw]\.[xdw])$/;

export const PLAIN_HOT: readonly Operation[] = INSTRUCTIONS.filter(isHot).flatMap(formsByLength);
export const BRANCHES: readonly Operation[] = INSTRUCTIONS.filter(({ group }) => group === "branch").flatMap(
  formsByLength,
);
export const PLAIN_SLOW: readonly Operation[] = INSTRUCTIONS.filter(isSlow).flatMap(formsByLength);

/** Hot operations that stand for no single row of the table. */
const OTHER: readonly string[] = [
  "J_AHEAD",
  "J_BACK",
  "J",
  "JAL_NEAR",
  "JAL",
  "JR",
  "JALR",
  "NOP",
  "NOP_C",
  "NEXT_PAGE",
];
/** These need the whole immediate: a load that only may fault; illegal; an instruction across two pages. */
const SPECIAL: readonly string[] = ["LOAD_X0", "ILLEGAL", "CROSSING"];
const BYTE_VALUES = 256;

/** Name and number of each operation. */
export function operationNumbers(): [name: string, number: number][] {
  const branches = BRANCHES.flatMap(branchForms);
  const fused = SEQUENCES.map(({ name }) => name);
  const hot = [...PLAIN_HOT.map(({ name }) => name), ...branches, ...OTHER, ...fused];
  const bytes = ["DECODE", ...hot, ...SPECIAL, "SLOW"];
  if (bytes.length > BYTE_VALUES) throw new Error(`${bytes.length} operations do not fit a byte`);
  return [
    ...bytes.map((name, index): [string, number] => [name, index]),
    ...PLAIN_SLOW.map(({ name }, index): [string, number] => [name, BYTE_VALUES + index]),
  ];
}

export function branchForms({ name, bytes }: Operation): string[] {
  const near = [`${name}_AHEAD`, `${name}_BACK`];
  return bytes === 4 ? [name, ...near] : near; // out of the page, both lengths share one
}

function isHot(instruction: Instruction): boolean {
  return HOT_GROUPS.has(instruction.group) || HOT_MOVES.test(instruction.name);
}

function isSlow(instruction: Instruction): boolean {
  return !isHot(instruction) && instruction.group !== "branch" && instruction.group !== "jump";
}

function formsByLength(instruction: Instruction): Operation[] {
  const name = constantName(instruction.name);
  const full: Operation = { name, bytes: 4, instruction };
  const compressed = COMPRESSED_INSTRUCTIONS.some(({ base }) => base === instruction);
  return compressed ? [full, { name: `${name}_C`, bytes: 2, instruction }] : [full];
}
