// Random instructions of the table, for the differential test against another implementation.

import { encodeAs, type Operands } from "./encode.ts";
import type { Encoding, Field } from "./encoding.ts";
import { COMPRESSED_INSTRUCTIONS, type Group, INSTRUCTIONS } from "./table.ts";

/** A number from 0 to below 1. */
export type Random = () => number;

/**
 * What a test harness wants of the operands: it keeps some registers for itself, and memory where it can be reached.
 */
export interface Choices {
  /** The register, or other value, for a field of that name. */
  readonly field?: (name: string, random: Random) => number | undefined;
  /** The immediate of an instruction. */
  readonly immediate?: (name: string, random: Random) => number | undefined;
}

export interface RandomInstruction {
  readonly name: string;
  readonly group: Group;
  readonly word: number;
  readonly bytes: 2 | 4;
  readonly operands: Operands;
}

interface Candidate {
  readonly name: string;
  readonly group: Group;
  readonly encoding: Encoding;
}

const CANDIDATES: readonly Candidate[] = [
  ...INSTRUCTIONS,
  ...COMPRESSED_INSTRUCTIONS.map(({ name, encoding, base }) => ({ name, encoding, group: base.group })),
];

/** Rounding modes that are not reserved: the five, and the dynamic one. */
const ROUNDING_MODES: readonly number[] = [0, 1, 2, 3, 4, 7];

/** Every row of the given groups is equally likely. */
export function randomInstruction(
  groups: ReadonlySet<Group>,
  random: Random,
  choices: Choices = {},
): RandomInstruction {
  const rows = CANDIDATES.filter(({ group }) => groups.has(group));
  const { name, group, encoding } = pick(rows, random);
  const operands: Record<string, number> = {};
  for (const field of encoding.fields) operands[field.name] = fieldValue(field, random, choices);
  if (encoding.immediate) operands.imm = immediateValue(name, encoding, random, choices);
  return { name, group, word: encodeAs(encoding, operands), bytes: encoding.bytes, operands };
}

function fieldValue({ name, width, compact, excluded }: Field, random: Random, choices: Choices): number {
  const chosen = choices.field?.(name, random);
  const fits = chosen !== undefined && (!compact || (chosen >= 8 && chosen < 16)) && !excluded.includes(chosen);
  if (fits) return chosen;
  if (name === "rm") return pick(ROUNDING_MODES, random);
  for (;;) {
    const value = Math.floor(random() * 2 ** width) + (compact ? 8 : 0);
    if (!excluded.includes(value)) return value;
  }
}

function immediateValue(name: string, { immediate }: Encoding, random: Random, choices: Choices): number {
  const { parts, signed, nonzero } = immediate!;
  const chosen = choices.immediate?.(name, random);
  if (chosen !== undefined && !(nonzero && chosen === 0)) return chosen;
  const top = Math.max(...parts.map(({ hi }) => hi));
  const bottom = Math.min(...parts.map(({ lo }) => lo));
  const count = 2 ** (top - bottom + 1);
  const raw = nonzero ? 1 + Math.floor(random() * (count - 1)) : Math.floor(random() * count);
  return (signed && raw >= count / 2 ? raw - count : raw) * 2 ** bottom;
}

function pick<T>(values: readonly T[], random: Random): T {
  return values[Math.floor(random() * values.length)]!;
}
