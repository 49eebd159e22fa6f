// Batches of cases for the differential test, in the layout that entry.ts draws.

import { CASE_BYTES } from "./harness.ts";
import {
  CORNERS,
  FUSED_CORNERS,
  OPERATIONS,
  type OperandKind,
  type OperandSource,
  type Operation,
} from "./operands.ts";

const ROUNDING_MODES = [0, 1, 2, 3, 4];

export class CaseWriter {
  readonly bytes: Uint8Array;
  readonly #words: BigUint64Array;
  #next = 0;

  constructor(count: number) {
    this.bytes = new Uint8Array(count * CASE_BYTES);
    this.#words = new BigUint64Array(this.bytes.buffer);
  }

  add(operation: Operation, rm: number, operands: readonly bigint[]): void {
    this.#words[this.#next++] = BigInt(operation.number) | (BigInt(rm) << 32n);
    for (let i = 0; i < 3; i++) this.#words[this.#next++] = operands[i] ?? 0n;
  }
}

/** Every corner, or pair of corners, in every rounding mode. Three operands: the third is drawn at random. */
export function cornerCases(operation: Operation, source: OperandSource): Uint8Array {
  const [first, second, third] = operation.operands;
  const seconds = second === undefined ? [0n] : CORNERS[second];
  const writer = new CaseWriter(CORNERS[first].length * seconds.length * ROUNDING_MODES.length);
  for (const a of CORNERS[first]) {
    for (const b of seconds) {
      const c = third === undefined ? 0n : source.pick(CORNERS[third]);
      for (const rm of ROUNDING_MODES) writer.add(operation, rm, [a, b, c]);
    }
  }
  return writer.bytes;
}

/** Every triple of the few corners for fused operations, in every rounding mode. */
export function fusedCornerCases(operation: Operation): Uint8Array {
  const corners = operation.operands[0] === "single" ? FUSED_CORNERS.single : FUSED_CORNERS.double;
  const writer = new CaseWriter(corners.length ** 3 * ROUNDING_MODES.length);
  for (const a of corners) {
    for (const b of corners) {
      for (const c of corners) {
        for (const rm of ROUNDING_MODES) writer.add(operation, rm, [a, b, c]);
      }
    }
  }
  return writer.bytes;
}

/** `count` random cases of one operation, rounding modes in turn. */
export function randomCases(operation: Operation, count: number, source: OperandSource): Uint8Array {
  const writer = new CaseWriter(count);
  let near = 0n;
  for (let i = 0; i < count; i++) {
    const operands = operation.operands.map((kind: OperandKind) => {
      near = source.operand(kind, near);
      return near;
    });
    if (operands.length === 3 && i % 2 === 0) operands[2] = source.nearProduct(operation.operands[0], operands);
    writer.add(operation, ROUNDING_MODES[i % ROUNDING_MODES.length], operands);
  }
  return writer.bytes;
}

export function describeCase(cases: Uint8Array, index: number): string {
  const words = new BigUint64Array(cases.buffer, cases.byteOffset + index * CASE_BYTES, CASE_BYTES / 8);
  const operation = OPERATIONS.find(({ number }) => number === Number(words[0] & 0xffffffffn));
  const operands = [...words.subarray(1)].map((bits) => `0x${bits.toString(16).padStart(16, "0")}`);
  return `${operation?.name} rm=${words[0] >> 32n} ${operands.join(" ")}`;
}
