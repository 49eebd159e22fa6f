// assembly/generated/decode.ts: instruction words to records. One line per row of the table, in the table's order,
// below a switch on the major opcode.

import type { Encoding, Immediate } from "../isa/encoding.ts";
import {
  COMPRESSED_INSTRUCTIONS,
  type CompressedInstruction,
  constantName,
  INSTRUCTIONS,
  type Instruction,
} from "../isa/table.ts";

export function generateDecode(): string {
  const immediates = new Map<string, string>();
  const full = INSTRUCTIONS.map((instruction) => fullRow(instruction, immediates));
  const compressed = COMPRESSED_INSTRUCTIONS.map((instruction) => compressedRow(instruction, immediates));
  return [
    "// Instruction words to decoded records: see assembly/execute/emit.ts.",
    "",
    'import * as op from "./operations.ts";',
    `import { ${EMITTERS.join(", ")} } from "../execute/emit.ts";`,
    "",
    "/** Decodes a word of 32 bits and returns its operation. */",
    ...dispatch("decode32", "(bits >>> 2) & 31", full),
    "",
    "/** Decodes a halfword: one of the C extension. */",
    ...dispatch("decode16", "((bits & 3) << 3) | (bits >>> 13)", compressed),
    "",
    ...immediates.values(),
  ].join("\n");
}

const EMITTERS = [
  "emit",
  "emitInteger",
  "emitAuipc",
  "emitLoad",
  "emitBranch",
  "emitJal",
  "emitJalr",
  "emitFloat",
  "emitIllegal",
];

interface DecodeRow {
  readonly selector: number;
  readonly text: string;
}

function dispatch(name: string, selector: string, rows: readonly DecodeRow[]): string[] {
  const selectors = [...new Set(rows.map((row) => row.selector))].sort((a, b) => a - b);
  return [
    `export function ${name}(bits: u32): u32 {`,
    `  switch (${selector}) {`,
    ...selectors.flatMap((value) => [
      `    case ${value}:`,
      ...rows.filter((row) => row.selector === value).map(({ text }) => `      ${text}`),
      "      break;",
    ]),
    "  }",
    "  return emitIllegal(bits);",
    "}",
  ];
}

function fullRow(instruction: Instruction, immediates: Map<string, string>): DecodeRow {
  const { encoding } = instruction;
  const call = emitCall(instruction, constantName(instruction.name), 4, {
    rd: registerText(encoding, "rd", "fd"),
    rs1: registerText(encoding, "rs1", "fs1", "zimm"),
    rs2: registerText(encoding, "rs2", "fs2"),
    imm: wholeImmediate(encoding, immediates),
  });
  return { selector: (encoding.match >>> 2) & 31, text: `if (${condition(encoding, immediates)}) return ${call};` };
}

function compressedRow(row: CompressedInstruction, immediates: Map<string, string>): DecodeRow {
  const { base, encoding } = row;
  const values: Operands = { rd: "0", rs1: "0", rs2: "0", imm: "0" };
  base.operands.forEach((operand, index) => {
    bindOperand(values, operand, row.operands[index]!, encoding, immediates);
  });
  const name = constantName(base.name);
  const call = emitCall(base, base.group === "branch" ? name : `${name}_C`, 2, values);
  const selector = ((encoding.match & 3) << 3) | (encoding.match >>> 13);
  return { selector, text: `if (${condition(encoding, immediates)}) return ${call};` };
}

interface Operands {
  rd: string;
  rs1: string;
  rs2: string;
  imm: string;
}

/** "imm(rs1)" against "uimm(x2)": what stands for each of the base instruction's operands. */
function bindOperand(
  values: Operands,
  operand: string,
  actual: string,
  encoding: Encoding,
  immediates: Map<string, string>,
): void {
  const address = /^imm\((\w+)\)$/.exec(operand);
  if (address) {
    const [, offset, register] = /^(\w+)\((.*)\)$/.exec(actual)!;
    values.imm = offset === "0" ? "0" : immediateText(encoding.immediate!, immediates);
    values.rs1 = actualRegister(register!, encoding);
    return;
  }
  if (operand.endsWith("imm")) values.imm = immediateText(encoding.immediate!, immediates);
  else values[operand.replace("f", "r") as keyof Operands] = actualRegister(actual, encoding);
}

function actualRegister(actual: string, encoding: Encoding): string {
  if (/^x\d+$/.test(actual)) return actual.slice(1);
  return registerText(encoding, actual.replace("'", ""));
}

function emitCall(instruction: Instruction, name: string, bytes: number, { rd, rs1, rs2, imm }: Operands): string {
  const { group } = instruction;
  if (instruction.name === "auipc") return `emitAuipc(op.${name}, ${rd}, ${imm})`;
  if (instruction.name === "jal") return `emitJal(${bytes}, ${rd}, ${imm})`;
  if (instruction.name === "jalr") return `emitJalr(${bytes}, ${rd}, ${rs1}, ${imm})`;
  // fmv.x.w and fmv.x.d have no flags to set: like an integer instruction, without a destination they do nothing.
  const isInteger = group === "integer" || instruction.name.startsWith("fmv.x.");
  if (isInteger) return `emitInteger(op.${name}, ${bytes}, ${rd}, ${rs1}, ${rs2}, ${imm})`;
  if (group === "load" && instruction.operands[0] === "rd") {
    return `emitLoad(op.${name}, ${bytes}, ${loadBytes(instruction)}, ${rd}, ${rs1}, ${imm})`;
  }
  if (group === "branch") {
    const suffix = bytes === 2 ? "_C" : "";
    const forms = `op.${name}, op.${name}${suffix}_AHEAD, op.${name}${suffix}_BACK`;
    return `emitBranch(${forms}, ${bytes}, ${rs1}, ${rs2}, ${imm})`;
  }
  if (instruction.operands.includes("rm")) return `emitFloat(op.${name}, bits, ${rd}, ${rs1}, ${rs2})`;
  return `emit(op.${name}, ${rd}, ${rs1}, ${rs2}, ${imm})`;
}

function loadBytes({ meaning }: Instruction): number {
  return Number(/load<.(\d+)>/.exec(meaning)![1]) / 8;
}

function condition(encoding: Encoding, immediates: Map<string, string>): string {
  const tests = [`(bits & ${hex(encoding.mask)}) == ${hex(encoding.match)}`];
  for (const { at, width, excluded } of encoding.fields) {
    tests.push(...excluded.map((number) => `(bits >>> ${at} & ${2 ** width - 1}) != ${number}`));
  }
  if (encoding.immediate?.nonzero) tests.push(`${immediateText(encoding.immediate, immediates)} != 0`);
  return tests.join(" && ");
}

/** The number of a register, from the first of the named fields that the encoding has. */
function registerText(encoding: Encoding, ...names: string[]): string {
  const field = encoding.fields.find(({ name }) => names.includes(name));
  if (!field) return "0";
  const raw = `bits >>> ${field.at} & ${2 ** field.width - 1}`;
  return field.compact ? `(${raw}) + 8` : raw;
}

/** The immediate operand; of a CSR instruction, the number of the control register. */
function wholeImmediate(encoding: Encoding, immediates: Map<string, string>): string {
  if (encoding.fields.some(({ name }) => name === "csr")) return "bits >>> 20";
  return encoding.immediate ? immediateText(encoding.immediate, immediates) : "0";
}

/** A call of the function that gathers an immediate of this shape; makes the function when it is the first one. */
function immediateText(immediate: Immediate, immediates: Map<string, string>): string {
  const shape = immediate.parts.map(({ hi, lo, at }) => `${hi}_${lo}at${at}`).join("_");
  const name = `${immediate.signed ? "imm" : "uimm"}_${shape}`;
  if (!immediates.has(name)) immediates.set(name, immediateFunction(name, immediate));
  return `${name}(bits)`;
}

function immediateFunction(name: string, { signed, parts }: Immediate): string {
  const top = Math.max(...parts.map(({ hi }) => hi));
  const pieces = parts.map(({ hi, lo, at }) => `((bits >>> ${at} & ${hex(2 ** (hi - lo + 1) - 1)}) << ${lo})`);
  const value = pieces.join(" | ");
  const extended = signed && top < 31 ? `<i32>(${value}) << ${31 - top} >> ${31 - top}` : `<i32>(${value})`;
  return `function ${name}(bits: u32): i32 { return ${extended}; }`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
