// assembly/generated/interpret.ts: the interpreter's loop, one line per operation.

import { fusedCases, fusedVariables } from "./generate-fuse.ts";
import { ALONE, body, branchBody, JUMP_NAMES, jumpBody, next } from "./handlers.ts";
import { expression } from "./meaning.ts";
import { BRANCHES, type Operation, PLAIN_HOT } from "./operations.ts";

export function generateInterpret(): string {
  const jumps = JUMP_NAMES.map((name) => `case op.${name}: ${jumpBody(name, ALONE, 0)}`);
  const cases = [
    ...PLAIN_HOT.map(plainCase),
    ...BRANCHES.flatMap(branchCases),
    ...jumps,
    ...OTHER_CASES,
    ...fusedCases(),
  ];
  const variables = fusedVariables().map((line) => `  ${line}`);
  return [HEADER, ...variables, LOOP, ...cases.map((line) => `      ${line}`), FOOTER].join("\n");
}

function plainCase({ name, bytes, instruction }: Operation): string {
  return `case op.${name}: ${body(instruction, ALONE)} ${next(1, bytes * 4)}`;
}

function branchCases(operation: Operation): string[] {
  const { name, bytes, instruction } = operation;
  const ahead = `case op.${name}_AHEAD: ${branchBody(operation, false, ALONE, 0)}`;
  const back = `case op.${name}_BACK: ${branchBody(operation, true, ALONE, 0)}`;
  const taken = expression(instruction.meaning);
  const far = `case op.${name}: left -= 1; if (${taken}) { va = pageVa + immOf(at); break; } at += lengthOf(at); continue;`;
  return bytes === 4 ? [far, ahead, back] : [ahead, back];
}

const OTHER_CASES: readonly string[] = [
  `case op.NOP: ${next(1, 16)}`,
  `case op.NOP_C: ${next(1, 8)}`,
  "case op.NEXT_PAGE: va = pageVa + immOf(at); break;",
];

const HEADER = `// The interpreter. Each operation has one line; what all of them share:
//
//   h      this hart's block         at      record of the instruction       left   instructions left of the budget
//   page   records of its page       pageVa  virtual address of its page     va     an address on its way to be used
//
// \`continue\` goes on at \`at\`. \`break\` is a jump to \`va\`. A return leaves everything as it was in front of the
// instruction at \`at\`: it is not in the switch, or the TLB does not hold its page. No function is called from here:
// a call anywhere in the loop would make V8 keep these variables in memory.

import * as op from "./operations.ts";
import { unboxF32, boxF32 } from "../float/format.ts";
import { f32Sgnj, f32Sgnjn, f32Sgnjx, f64Sgnj, f64Sgnjn, f64Sgnjx } from "../float/compare.ts";
import { decodeSetMask, fences } from "../decode.ts";
import { hart } from "../hart.ts";
import {
  DECODE_DIRECTORY_BYTES, DECODE_FENCE, DECODE_GENERATION, DECODE_PFN, DECODE_RECORDS, DECODE_WAYS,
  HART_DECODE_DIRECTORY, HART_TLB, PAGE_BASE, PAGE_BYTES, PAGE_CODE_GENERATION, PAGE_SHIFT, PAGE_STRUCT_SHIFT, RAM_PFN_BASE, TLB_EXECUTE,
  TLB_READ, TLB_WRITE,
} from "../layout.ts";
import { asidTag, tlbIndexMask } from "../mmu/tlb.ts";
import { div, divu, divuw, divw, mulh, mulhsu, mulhu, rem, remu, remuw, remw } from "../execute/integer.ts";
import {
  d1Of, d2Of, distanceOf, entryOf, immOf, jalLinkOf, jalrImmOf, jalrLinkOf, lengthOf, rs1Of, rs2Of, setF, setX, sext32,
  tagOf, through,
} from "../execute/operands.ts";
import { enterAt, interrupted, mayGoOn, slow } from "../execute/leave.ts";
import { ip, left as leftAtEntry, page as pageAtEntry, pageVa as pageVaAtEntry } from "../execute/position.ts";

/** Runs from the current record on. Returns LEAVE_*, with the position up to date. */
export function interpret(): u32 {
  const h = hart;
  const tlbMask = tlbIndexMask;
  const tlbTag = asidTag;
  let at = ip;
  let page = pageAtEntry;
  let pageVa = pageVaAtEntry;
  let left = leftAtEntry;
  let va: u64 = 0;
  let entry: usize = 0;
  // values inside a fused sequence`;

const LOOP = `  while (true) {
    switch (<u32>load<u8>(at)) {
      case op.DECODE: return slow(at, page, pageVa, left);`;

const FOOTER = `      default: return slow(at, page, pageVa, left);
    }
    // A jump to va: inside the page, or into the one that was used last in its set, with its translation at hand.
    if (va - pageVa < <u64>PAGE_BYTES) {
      at = page + ((<u32>va & (PAGE_BYTES - 2)) << 2);
      if (mayGoOn(h, left)) continue;
      return interrupted(at, page, pageVa, left);
    }
    entry = entryOf(h, va, tlbMask);
    if (load<u64>(entry, HART_TLB + TLB_EXECUTE) != tagOf(va, 1, tlbTag)) return enterAt(va, left);
    const pfn = <u32>through(entry, va) >>> PAGE_SHIFT;
    const slot = h + HART_DECODE_DIRECTORY + (pfn & decodeSetMask) * (DECODE_WAYS * DECODE_DIRECTORY_BYTES);
    if (load<u32>(slot, DECODE_PFN) != pfn || load<u32>(slot, DECODE_FENCE) != fences) return enterAt(va, left);
    const frame = PAGE_BASE + ((pfn - RAM_PFN_BASE) << PAGE_STRUCT_SHIFT);
    if (load<u32>(slot, DECODE_GENERATION) != load<u32>(frame, PAGE_CODE_GENERATION)) return enterAt(va, left);
    if (!mayGoOn(h, left)) return enterAt(va, left);
    page = load<u32>(slot, DECODE_RECORDS);
    pageVa = va & ~(<u64>(PAGE_BYTES - 1));
    at = page + ((<u32>va & (PAGE_BYTES - 2)) << 2);
  }
}
`;
