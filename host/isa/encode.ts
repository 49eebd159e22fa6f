// The opposite of decoding: an instruction word from its operands. For tests and the random generator.

import { type Encoding, immediateBits } from "./encoding.ts";
import { COMPRESSED_INSTRUCTIONS, INSTRUCTIONS } from "./table.ts";

/** Fields by name (rd, rs1, fs2, rm, csr, ...), and `imm` for the immediate, signed or not. Absent ones are 0. */
export type Operands = Readonly<Record<string, number>>;

export function encode(name: string, operands: Operands = {}): number {
  return encodeAs(encodingNamed(name), operands);
}

export function encodingNamed(name: string): Encoding {
  const found = [...INSTRUCTIONS, ...COMPRESSED_INSTRUCTIONS].find((row) => row.name === name);
  if (!found) throw new Error(`no instruction ${name}`);
  return found.encoding;
}

export function encodeAs(encoding: Encoding, operands: Operands): number {
  let word = encoding.match;
  for (const { name, at, width, compact } of encoding.fields) {
    const value = (operands[name] ?? 0) - (compact && name in operands ? 8 : 0);
    if (value < 0 || value >= 2 ** width) throw new Error(`${name} = ${operands[name]} does not fit its field`);
    word |= value << at;
  }
  if (encoding.immediate) word |= immediateBits(encoding.immediate, operands.imm ?? 0);
  return word >>> 0;
}
