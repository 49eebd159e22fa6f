// Fused sequences: their handlers in interpret(), and assembly/generated/fuse.ts, which finds them while decoding.

import { ALONE, body, branchBody, JUMP_NAMES, jumpBody, next, type Place } from "./handlers.ts";
import { BRANCHES, branchForms, PLAIN_HOT } from "./operations.ts";
import { type Element, SEQUENCE_LENGTH_MAX, SEQUENCES, type Sequence, type Source } from "./sequences.ts";

const RECORD_BYTES_PER_BYTE = 4; // a record of 8 bytes for each halfword
const ZERO = "<u64>0";

export function fusedCases(): string[] {
  return SEQUENCES.map((sequence) => `case op.${sequence.name}: ${fusedBody(sequence)}`);
}

function fusedBody({ elements }: Sequence): string {
  const variables = variablesOf(elements);
  let before = 0; // bytes of records in front of the element
  let text = "";
  for (const [index, element] of elements.entries()) {
    const at = before === 0 ? ALONE.at : `at + ${before}`;
    const own = (kind: "result" | "rs1" | "rs2") => variables.get(keyOf({ kind, element: index }));
    const known = (source: Source | undefined) =>
      source?.kind === "zero" ? ZERO : source && variables.get(keyOf(source));
    const keptRs1 = own("rs1");
    const keptRs2 = own("rs2");
    if (keptRs1) text += `${keptRs1} = rs1Of(h, ${at}); `;
    if (keptRs2) text += `${keptRs2} = rs2Of(h, ${at}); `;
    const rs1 = keptRs1 ?? known(element.rs1);
    const rs2 = keptRs2 ?? known(element.rs2);
    const place: Place = { at, done: index, rs1, rs2, result: own("result") };
    const { name } = element;
    if (JUMP_NAMES.includes(name)) return text + jumpBody(name, place, before);
    const branch = BRANCHES.find((operation) => branchForms(operation).includes(name));
    if (branch) return text + branchBody(branch, name.endsWith("_BACK"), place, before);
    const operation = PLAIN_HOT.find((plain) => plain.name === name);
    if (!operation) throw new Error(`${name} cannot be fused`);
    text += `${body(operation.instruction, place)} `;
    before += operation.bytes * RECORD_BYTES_PER_BYTE;
  }
  return `${text}${next(elements.length, before)}`;
}

/** A variable of interpret() for each value that a later element takes. */
function variablesOf(elements: readonly Element[]): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const source of elements.flatMap(({ rs1, rs2 }) => [rs1, rs2])) {
    if (source === undefined || source.kind === "zero" || variables.has(keyOf(source))) continue;
    variables.set(keyOf(source), `x${variables.size}`);
  }
  return variables;
}

function keyOf(source: Exclude<Source, { kind: "zero" }>): string {
  return `${source.kind} ${source.element}`;
}

/** The declarations of those variables. */
export function fusedVariables(): string[] {
  const count = Math.max(...SEQUENCES.map(({ elements }) => variablesOf(elements).size));
  return Array.from({ length: count }, (_, index) => `let x${index}: u64 = 0;`);
}

export function generateFuse(): string {
  const tails = [...new Set(SEQUENCES.map(tailOf))];
  return [
    "// Which fused sequences end with the record d: each sets the operation of its first record. Of two that begin with",
    "// the same one, that with more sources comes later and stays.",
    "",
    'import * as op from "./operations.ts";',
    'import { isX0, same } from "../execute/operands.ts";',
    `import { ${windowNames().join(", ")} } from "../execute/window.ts";`,
    'import { RECORD_OP, RECORD_RS1, RECORD_RS2 } from "../layout.ts";',
    "",
    "export function fuseEndingWith(d: usize, dOp: u32): void {",
    "  switch (dOp) {",
    ...tails.flatMap((tail) => [
      `    case op.${tail}:`,
      ...SEQUENCES.filter((sequence) => tailOf(sequence) === tail)
        .sort((a, b) => sourceCount(a) - sourceCount(b))
        .map(finderLine),
      "      break;",
    ]),
    "  }",
    "}",
    "",
  ].join("\n");
}

function windowNames(): string[] {
  const names = (back: number) => `o${back}, p${back}, q${back}, r${back}`;
  return ["p0, q0", ...Array.from({ length: SEQUENCE_LENGTH_MAX - 1 }, (_, index) => names(index + 1))];
}

function tailOf({ elements }: Sequence): string {
  return elements[elements.length - 1]!.name;
}

function sourceCount({ elements }: Sequence): number {
  return elements.flatMap(({ rs1, rs2 }) => [rs1, rs2]).filter((source) => source !== undefined).length;
}

function finderLine({ name, elements }: Sequence): string {
  const last = elements.length - 1;
  // the nearest one first, as it differs most often
  const tests = elements
    .slice(0, last)
    .map((element, index) => `o${last - index} == op.${element.name}`)
    .reverse();
  for (const [index, { rs1, rs2 }] of elements.entries()) {
    tests.push(...sourceTests(elements, index, "RECORD_RS1", rs1), ...sourceTests(elements, index, "RECORD_RS2", rs2));
  }
  return `      if (${tests.join(" && ")}) store<u8>(${recordName(elements, 0)}, op.${name}, RECORD_OP);`;
}

const FIELDS = { rs1: "RECORD_RS1", rs2: "RECORD_RS2" };

/** The operand in that field of element `index` has this source, and nothing in between has written its register. */
function sourceTests(
  elements: readonly Element[],
  index: number,
  field: "RECORD_RS1" | "RECORD_RS2",
  source: Source | undefined,
): string[] {
  const record = (element: number) => recordName(elements, element);
  const reader = `${record(index)} + ${field}`;
  if (source === undefined) return [];
  if (source.kind === "zero") return [`isX0(${reader})`];
  const writer = `${field === "RECORD_RS1" ? "p" : "q"}${elements.length - 1 - index}`;
  const distance = index - source.element;
  if (source.kind === "result") return [`${writer} == ${distance}`];
  return [`${writer} > ${distance}`, `same(${reader}, ${record(source.element)} + ${FIELDS[source.kind]})`];
}

function recordName(elements: readonly Element[], element: number): string {
  const last = elements.length - 1;
  return element === last ? "d" : `r${last - element}`;
}
