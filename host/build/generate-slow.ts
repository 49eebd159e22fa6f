// assembly/generated/slow.ts: the operations that interpret() does not finish, one line each.

import type { Instruction } from "../isa/table.ts";
import { expression, memoryAccess } from "./meaning.ts";
import { type Operation, PLAIN_HOT, PLAIN_SLOW } from "./operations.ts";
import { SEQUENCES } from "./sequences.ts";

export function generateSlow(): string {
  const memory = PLAIN_HOT.filter(({ instruction: { group } }) => group === "load" || group === "store");
  const cases = [...memory.map(memoryCase), ...PLAIN_SLOW.map(slowCase), ...SPECIAL_CASES];
  return [
    HEADER,
    ...cases.map((line) => `    ${line}`),
    "    default: unreachable();",
    "  }",
    "  return false;",
    "}",
    "",
  ].join("\n");
}

/** The labels of an operation: its own, and those of the sequences that it heads and that leave in front of it. */
function labels(operation: Operation): string {
  const heads = SEQUENCES.filter(({ elements }) => elements[0]!.name === operation.name).map(({ name }) => name);
  return [operation.name, ...heads].map((name) => `case op.${name}:`).join(" ");
}

function memoryCase(operation: Operation): string {
  const { bytes, wasmType, address, value } = memoryAccess(operation.instruction);
  const va = expression(address);
  const retire = `return retire(${operation.bytes * 4});`;
  if (operation.instruction.group === "store") {
    const stored = `<u64>(${expression(value)})`;
    return `${labels(operation)} if (!storeMiss(${va}, ${stored}, ${bytes})) return false; ${retire}`;
  }
  const loaded = value.replace("LOADED", `load<${wasmType}>(from)`);
  const set = setter(operation.instruction);
  return `${labels(operation)} from = loadAddress(${va}, ${bytes}); if (from == FAULT) return false; ${set}(h, at, ${loaded}); ${retire}`;
}

function slowCase({ name, bytes, instruction }: Operation): string {
  const retire = `return retire(${bytes * 4});`;
  const result = `${setter(instruction)}(h, at, ${expression(instruction.meaning)});`;
  if (instruction.group === "system") return `case op.${name}: ${SYSTEM_BODIES[instruction.meaning]!(retire)}`;
  if (instruction.group === "atomic") return `case op.${name}: ${atomicAddress(instruction)} ${result} ${retire}`;
  if (instruction.group === "csr") {
    const writes = instruction.name.startsWith("csrrw") ? "true" : "rs1NumberOf(at) != 0";
    return `case op.${name}: if (!csrAllowed(csrOf(at), ${writes})) return illegalInstruction(); ${result} ${retire}`;
  }
  if (!instruction.operands.includes("rm")) return `case op.${name}: ${result} ${retire}`;
  return `case op.${name}: rm = roundingModeOf(at); if (rm > RMM) return illegalInstruction(); ${result} ${retire}`;
}

function setter({ operands }: Instruction): string {
  return operands[0] === "fd" ? "setF" : "setAnyX";
}

function atomicAddress({ name }: Instruction): string {
  const bytes = name.endsWith(".w") ? 4 : 8;
  const translate = name.startsWith("lr.") ? "lrAddress" : "amoAddress";
  return `address = ${translate}(rs1Of(h, at), ${bytes}); if (address == FAULT) return false;`;
}

const SYSTEM_BODIES: Readonly<Record<string, (retire: string) => string>> = {
  fence: (retire) => `fullFence(); ${retire}`,
  fenceI: () => "return executeFenceI();",
  ecall: () => "return environmentCall();",
  ebreak: () => "return breakpoint();",
};

const SPECIAL_CASES: readonly string[] = [
  "case op.DECODE: decodeRun(); return true;",
  "case op.CROSSING: return decodeCrossing();",
  "case op.ILLEGAL: return illegalInstruction();",
  "case op.LOAD_X0: from = loadAddress(rs1Of(h, at) + immOf(at), rs2NumberOf(at)); if (from == FAULT) return false; return retire(lengthOf(at));",
];

const HEADER = `// Operations that interpret() leaves to a function call: what may trap, translate, or change a mode. Also loads and stores
// that the TLB did not serve. Each does the one instruction of the record at ip; false means that it trapped, and that
// HART_CAUSE and HART_TVAL say why.

import * as op from "./operations.ts";
import { csrAllowed, csrClear, csrSet, csrWrite } from "../csr.ts";
import { decodeCrossing, decodeRun } from "../decode.ts";
import { roundingModeOf } from "../execute/float.ts";
import {
  csrOf, d1Of, d2Of, d3Of, immOf, lengthOf, operationOf, rs1NumberOf, rs1Of, rs2NumberOf, rs2Of, setAnyX, setF, sext32, zimmOf,
} from "../execute/operands.ts";
import { ip, retire } from "../execute/position.ts";
import { breakpoint, environmentCall, executeFenceI, illegalInstruction } from "../execute/system.ts";
import { f32Add, f32Sub, f64Add, f64Sub } from "../float/add.ts";
import {
  f32Class, f32Eq, f32Le, f32Lt, f32Max, f32Min, f64Class, f64Eq, f64Le, f64Lt, f64Max, f64Min,
} from "../float/compare.ts";
import { f32ToF64, f64ToF32 } from "../float/convert.ts";
import { f32Div, f64Div } from "../float/div.ts";
import { f32MulAdd, f64MulAdd } from "../float/fma.ts";
import { F32_SIGN, F64_SIGN, boxF32, unboxF32 } from "../float/format.ts";
import {
  i32ToF32, i32ToF64, i64ToF32, i64ToF64, u32ToF32, u32ToF64, u64ToF32, u64ToF64,
} from "../float/from-integer.ts";
import { f32Mul, f64Mul } from "../float/mul.ts";
import { f32Sqrt, f64Sqrt } from "../float/sqrt.ts";
import { RMM } from "../float/status.ts";
import {
  f32ToI32, f32ToI64, f32ToU32, f32ToU64, f64ToI32, f64ToI64, f64ToU32, f64ToU64,
} from "../float/to-integer.ts";
import { hart } from "../hart.ts";
import { FAULT } from "../layout.ts";
import {
  amoAdd32, amoAdd64, amoAddress, amoAnd32, amoAnd64, amoMax32, amoMax64, amoMaxu32, amoMaxu64, amoMin32, amoMin64,
  amoMinu32, amoMinu64, amoOr32, amoOr64, amoSwap32, amoSwap64, amoXor32, amoXor64, lr32, lr64, lrAddress, sc32, sc64,
} from "../mmu/atomic.ts";
import { fullFence } from "../mmu/fence.ts";
import { loadAddress, storeMiss } from "../mmu/memory.ts";

export function executeSlow(): bool {
  const h = hart;
  const at = ip;
  let from: usize = 0;
  let address: usize = 0;
  let rm: u32 = 0;
  switch (operationOf(at)) {`;
