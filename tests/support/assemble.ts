// Assembles one instruction of the table from the values of its fields.

import { type Encoding, immediateBits } from "../../host/isa/encoding.ts";
import { type CompressedInstruction, INSTRUCTIONS, type Instruction } from "../../host/isa/table.ts";

/** Fields by their names in the table; `imm` is the immediate, signed or not. */
export type Fields = Readonly<Record<string, number>>;

export interface Word {
  readonly bits: number;
  readonly bytes: 2 | 4;
  readonly text: string;
}

export type AnyInstruction = Instruction | CompressedInstruction;

const BY_NAME = new Map(INSTRUCTIONS.map((instruction) => [instruction.name, instruction]));

export function assemble(instruction: AnyInstruction, fields: Fields): Word {
  const { encoding } = instruction;
  return { bits: bitsOf(encoding, fields), bytes: encoding.bytes, text: textOf(instruction, fields) };
}

/** By mnemonic, for code that tests write by hand. */
export function op(name: string, fields: Fields): Word {
  return assemble(BY_NAME.get(name)!, fields);
}

function bitsOf(encoding: Encoding, fields: Fields): number {
  let bits = encoding.match;
  for (const { name, at, compact } of encoding.fields) bits |= ((fields[name] ?? 0) - (compact ? 8 : 0)) << at;
  if (encoding.immediate) bits |= immediateBits(encoding.immediate, fields.imm ?? 0);
  return bits >>> 0;
}

function textOf({ name, encoding }: AnyInstruction, fields: Fields): string {
  const registers = encoding.fields.map((field) => {
    const value = fields[field.name] ?? 0;
    if (/^[rf]([ds]\d?)$/.test(field.name)) return `${field.name}=${field.name[0] === "f" ? "f" : "x"}${value}`;
    return `${field.name}=${value}`;
  });
  const immediate = encoding.immediate ? [`imm=${fields.imm ?? 0}`] : [];
  return [name.padEnd(11), ...registers.reverse(), ...immediate].join(" ");
}

/** lui and addiw: any 32-bit signed value; always two instructions, so that layouts do not depend on the value. */
export function loadConstant(rd: number, value: number): Word[] {
  const low = (value << 20) >> 20;
  return [op("lui", { rd, imm: (value - low) | 0 }), op("addiw", { rd, rs1: rd, imm: low })];
}

export function bytesOf(words: readonly Word[]): number {
  return words.reduce((sum, { bytes }) => sum + bytes, 0);
}

export function encodeWords(words: readonly Word[]): Buffer<ArrayBuffer> {
  const buffer = Buffer.alloc(bytesOf(words));
  let at = 0;
  for (const { bits, bytes } of words) {
    if (bytes === 4) buffer.writeUInt32LE(bits, at);
    else buffer.writeUInt16LE(bits, at);
    at += bytes;
  }
  return buffer;
}
