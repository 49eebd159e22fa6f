// Meanings of assembly/isa.ts as AssemblyScript expressions over a record: `rs1 + imm` becomes
// `rs1Of(h, at) + immOf(at)`.

import type { Instruction } from "../isa/table.ts";

const OPERAND_TEXT: Readonly<Record<string, (at: string) => string>> = {
  rs1: (at) => `rs1Of(h, ${at})`,
  rs2: (at) => `rs2Of(h, ${at})`,
  d1: (at) => `d1Of(h, ${at})`,
  d2: (at) => `d2Of(h, ${at})`,
  d3: (at) => `d3Of(h, ${at})`,
  s1: (at) => `unboxF32(d1Of(h, ${at}))`,
  s2: (at) => `unboxF32(d2Of(h, ${at}))`,
  s3: (at) => `unboxF32(d3Of(h, ${at}))`,
  imm: (at) => `immOf(${at})`,
  pc: () => "pageVa", // immediates of pc-relative instructions count from the page
  csr: (at) => `csrOf(${at})`,
  zimm: (at) => `zimmOf(${at})`,
};

/** The expression, its operands taken from the record `at`, except those that `known` gives. */
export function expression(
  meaning: string,
  at = "at",
  known: Readonly<Record<string, string | undefined>> = {},
): string {
  return meaning.replace(/\b[a-z]+\d?\b/g, (word) => known[word] ?? OPERAND_TEXT[word]?.(at) ?? word);
}

export interface MemoryAccess {
  readonly bytes: number;
  readonly wasmType: string; // as written in load<...> and store<...>
  readonly address: string;
  readonly value: string; // of a load: with LOADED for the loaded value; of a store: what is stored
}

/** Takes `boxF32(load<u32>(rs1 + imm))` or `store<u8>(rs1 + imm, rs2)` apart. */
export function memoryAccess({ name, group, meaning }: Instruction): MemoryAccess {
  const shape = group === "load" ? /^(.*)load<(\w\d+)>\(([^()]*)\)(.*)$/ : /^()store<(\w\d+)>\(([^,]*), (.*)\)$/;
  const parts = shape.exec(meaning);
  if (!parts) throw new Error(`the meaning of ${name} is no ${group}`);
  const [, before, wasmType, address, after] = parts as unknown as [string, string, string, string, string];
  const value = group === "load" ? `${before}LOADED${after}` : after;
  return { bytes: Number(wasmType.slice(1)) / 8, wasmType, address, value };
}

/** setX or setF, by the first operand. */
export function destination(instruction: Instruction): "setX" | "setF" {
  return instruction.operands[0] === "fd" ? "setF" : "setX";
}
