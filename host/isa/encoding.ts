// Reads the encoding column of assembly/isa.ts: which bits are fixed, and where each operand lies.

/** A run of bits of an immediate: bits hi..lo of the value stand at `at` in the instruction. */
export interface ImmediatePart {
  readonly hi: number;
  readonly lo: number;
  readonly at: number;
}

export interface Immediate {
  readonly signed: boolean;
  readonly parts: readonly ImmediatePart[];
  readonly nonzero: boolean;
}

/** An operand of one run of bits: a register, rm, csr, zimm, aq, rl. */
export interface Field {
  readonly name: string;
  readonly at: number;
  readonly width: number;
  readonly compact: boolean; // three bits that name x8..x15 or f8..f15
  readonly excluded: readonly number[];
}

export interface Encoding {
  readonly bytes: 2 | 4;
  readonly mask: number; // unsigned 32 bit
  readonly match: number;
  readonly fields: readonly Field[];
  readonly immediate: Immediate | undefined;
}

const FIELD_WIDTHS: Readonly<Record<string, number>> = { rm: 3, csr: 12, aq: 1, rl: 1 };

interface Builder {
  at: number; // the lowest bit used so far
  mask: number;
  match: number;
  fields: Field[];
  parts: ImmediatePart[];
  signed: boolean;
  nonzero: boolean;
}

export function parseEncoding(text: string): Encoding {
  const bytes = text.endsWith("11") ? 4 : 2;
  const builder: Builder = { at: bytes * 8, mask: 0, match: 0, fields: [], parts: [], signed: false, nonzero: false };
  for (const token of text.split(" ")) takeToken(builder, token);
  if (builder.at !== 0) throw new Error(`encoding "${text}" leaves ${builder.at} bits over`);
  const { mask, match, fields, parts, signed, nonzero } = builder;
  const immediate = parts.length === 0 ? undefined : { signed, nonzero, parts };
  return { bytes, mask: mask >>> 0, match: match >>> 0, fields, immediate };
}

function takeToken(builder: Builder, token: string): void {
  if (/^[01-]+$/.test(token)) {
    takeBits(builder, token);
    return;
  }
  const [name, exclusion] = token.split("!") as [string, string | undefined];
  const immediate = /^(u?)imm\[(.*)\]$/.exec(name);
  if (immediate) {
    builder.signed = immediate[1] === "";
    builder.nonzero ||= exclusion !== undefined;
    for (const range of immediate[2]!.split("|")) takeRange(builder, range);
    return;
  }
  const compact = name.endsWith("'");
  const width = FIELD_WIDTHS[name] ?? (compact ? 3 : 5);
  builder.at -= width;
  const excluded = exclusion === undefined ? [] : exclusion.split(",").map(Number);
  builder.fields.push({ name: compact ? name.slice(0, -1) : name, at: builder.at, width, compact, excluded });
}

function takeBits(builder: Builder, bits: string): void {
  for (const bit of bits) {
    builder.at -= 1;
    if (bit === "-") continue;
    builder.mask |= 1 << builder.at;
    if (bit === "1") builder.match |= 1 << builder.at;
  }
}

function takeRange(builder: Builder, range: string): void {
  const [hi, lo = hi] = range.split(":").map(Number) as [number, number?];
  builder.at -= hi - lo! + 1;
  builder.parts.push({ hi, lo: lo!, at: builder.at });
}

/** The value of an immediate in an instruction word. */
export function immediateOf(immediate: Immediate, word: number): number {
  let value = 0;
  let top = 0;
  for (const { hi, lo, at } of immediate.parts) {
    value |= ((word >>> at) & (2 ** (hi - lo + 1) - 1)) << lo;
    top = Math.max(top, hi);
  }
  return immediate.signed ? (value << (31 - top)) >> (31 - top) : value >>> 0;
}

/** The bits of an instruction word that hold `value` as its immediate. */
export function immediateBits(immediate: Immediate, value: number): number {
  let word = 0;
  for (const { hi, lo, at } of immediate.parts) word |= ((value >>> lo) & (2 ** (hi - lo + 1) - 1)) << at;
  return word >>> 0;
}

export function fieldOf(field: Field, word: number): number {
  const raw = (word >>> field.at) & (2 ** field.width - 1);
  return field.compact ? raw + 8 : raw;
}

/** True if `word` is this instruction: fixed bits, excluded registers, nonzero immediate. */
export function matches(encoding: Encoding, word: number): boolean {
  if ((word & encoding.mask) >>> 0 !== encoding.match) return false;
  if (encoding.fields.some((field) => field.excluded.includes(fieldOf(field, word)))) return false;
  return !encoding.immediate?.nonzero || immediateOf(encoding.immediate, word) !== 0;
}
