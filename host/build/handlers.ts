// What an operation does, as statements of interpret(). The same text serves alone and inside a fused sequence.

import type { Instruction } from "../isa/table.ts";
import { destination, expression, memoryAccess } from "./meaning.ts";
import type { Operation } from "./operations.ts";

/** Where a handler stands inside its case. */
export interface Place {
  readonly at: string; // expression: its record
  readonly done: number; // instructions of the sequence before it, not yet taken off `left`
  readonly rs1?: string; // variables that hold operands already
  readonly rs2?: string;
  readonly result?: string; // variable that keeps the result for a later element
}

export const ALONE: Place = { at: "at", done: 0 };

/** Everything but stepping on. Returns if the TLB does not hold the page: with all of this instruction still to do. */
export function body(instruction: Instruction, place: Place): string {
  if (instruction.group === "store") return storeBody(instruction, place);
  if (instruction.group === "load") return loadBody(instruction, place);
  return write(instruction, place, text(instruction.meaning, place));
}

function loadBody(instruction: Instruction, place: Place): string {
  const { bytes, wasmType, address, value } = memoryAccess(instruction);
  const loaded = value.replace("LOADED", `load<${wasmType}>(through(entry, va))`);
  return `${lookup(address, place)} ${missUnless("TLB_READ", bytes, place)} ${write(instruction, place, loaded)}`;
}

function storeBody(instruction: Instruction, place: Place): string {
  const { bytes, wasmType, address, value } = memoryAccess(instruction);
  const stored = `store<${wasmType}>(through(entry, va), <${wasmType}>${text(value, place)});`;
  return `${lookup(address, place)} ${missUnless("TLB_WRITE", bytes, place)} ${stored}`;
}

function write(instruction: Instruction, { at, result }: Place, value: string): string {
  const set = destination(instruction);
  return result ? `${result} = ${value}; ${set}(h, ${at}, ${result});` : `${set}(h, ${at}, ${value});`;
}

function lookup(address: string, place: Place): string {
  return `va = ${text(address, place)}; entry = entryOf(h, va, tlbMask);`;
}

function missUnless(tag: string, bytes: number, { at, done }: Place): string {
  const left = done === 0 ? "left" : `left - ${done}`;
  return `if (load<u64>(entry, HART_TLB + ${tag}) != tagOf(va, ${bytes}, tlbTag)) return slow(${at}, page, pageVa, ${left});`;
}

function text(meaning: string, { at, rs1, rs2 }: Place): string {
  return expression(meaning, at, { rs1, rs2 });
}

/** The end of a handler: go on with the record behind it. */
export function next(instrs: number, recordBytes: number): string {
  return `left -= ${instrs}; at += ${recordBytes}; continue;`;
}

const POLL = "if (mayGoOn(h, left)) continue; return interrupted(at, page, pageVa, left);";

/** A branch inside the page, as the last element; its record is `before` bytes behind `at`. */
export function branchBody({ bytes, instruction }: Operation, back: boolean, place: Place, before: number): string {
  const condition = text(instruction.meaning, bytes === 2 ? { ...place, rs2: "<u64>0" } : place); // c.beqz, c.bnez
  const taken = `at += ${distance(place, before)}; ${back ? POLL : "continue;"}`;
  return `left -= ${place.done + 1}; if (${condition}) { ${taken} } at += ${before + bytes * 4}; continue;`;
}

/** `break` is a jump to va. A register that holds the target may be rd too. */
const JUMP_BODIES: Readonly<Record<string, (place: Place, before: number) => string>> = {
  J_AHEAD: (place, before) => `at += ${distance(place, before)}; continue;`,
  J_BACK: (place, before) => `at += ${distance(place, before)}; ${POLL}`,
  J: ({ at }) => `va = pageVa + immOf(${at}); break;`,
  JAL_NEAR: (place, before) =>
    `setX(h, ${place.at}, pageVa + jalLinkOf(${place.at})); at += ${distance(place, before)}; ${POLL}`,
  JAL: ({ at }) => `setX(h, ${at}, pageVa + jalLinkOf(${at})); va = pageVa + immOf(${at}); break;`,
  JR: (place) => `va = ${jalrTarget(place)}; break;`,
  JALR: (place) => `va = ${jalrTarget(place)}; setX(h, ${place.at}, pageVa + jalrLinkOf(${place.at})); break;`,
};

export const JUMP_NAMES: readonly string[] = Object.keys(JUMP_BODIES);

/** A jump, as the last element. */
export function jumpBody(name: string, place: Place, before: number): string {
  return `left -= ${place.done + 1}; ${JUMP_BODIES[name]!(place, before)}`;
}

function distance({ at }: Place, before: number): string {
  return before === 0 ? `distanceOf(${at})` : `distanceOf(${at}) + ${before}`;
}

function jalrTarget({ at, rs1 }: Place): string {
  return `(${rs1 ?? `rs1Of(h, ${at})`} + jalrImmOf(${at})) & ~1`;
}
