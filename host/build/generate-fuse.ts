// Fused sequences: their handlers in interpret(), and assembly/generated/fuse.ts, which finds them while decoding.

import { ALONE, body, branchBody, JUMP_NAMES, jumpBody, next, type Place } from "./handlers.ts";
import { BRANCHES, branchForms, PLAIN_HOT } from "./operations.ts";
import { type Element, SEQUENCES, type Sequence } from "./sequences.ts";

const RECORD_BYTES_PER_BYTE = 4; // a record of 8 bytes for each halfword

export function fusedCases(): string[] {
  return SEQUENCES.map((sequence) => `case op.${sequence.name}: ${fusedBody(sequence)}`);
}

function fusedBody({ elements }: Sequence): string {
  let before = 0; // bytes of records in front of the element
  let text = "";
  for (const [index, element] of elements.entries()) {
    const place: Place = {
      at: before === 0 ? ALONE.at : `at + ${before}`,
      done: index,
      rs1: variable(element.rs1From),
      rs2: variable(element.rs2From),
      result: elements.some(({ rs1From, rs2From }) => rs1From === index || rs2From === index)
        ? variable(index)
        : undefined,
    };
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

function variable(element: number | undefined): string | undefined {
  return element === undefined ? undefined : `x${element}`;
}

export function generateFuse(): string {
  return [
    "// Which fused sequence four, three or two neighbouring records begin; DECODE if none. Linked ones first.",
    "",
    'import * as op from "./operations.ts";',
    'import { readsFirst, readsSecond } from "../execute/fuse.ts";',
    "",
    ...finder("fusedFour", 4),
    ...finder("fusedThree", 3),
    ...finder("fusedTwo", 2),
  ].join("\n");
}

function finder(name: string, length: number): string[] {
  const sequences = SEQUENCES.filter(({ elements }) => elements.length === length).sort((a, b) => links(b) - links(a));
  const heads = [...new Set(sequences.map(({ elements }) => elements[0]!.name))];
  const parameters = ELEMENT_NAMES.slice(0, length).flatMap((record) => [`${record}: usize`, `${record}Op: u32`]);
  return [
    `export function ${name}(${parameters.join(", ")}): u32 {`,
    "  switch (aOp) {",
    ...heads.flatMap((head) => [
      `    case op.${head}:`,
      ...sequences.filter(({ elements }) => elements[0]!.name === head).map(finderLine),
      "      break;",
    ]),
    "  }",
    "  return op.DECODE;",
    "}",
    "",
  ];
}

const ELEMENT_NAMES: readonly string[] = ["a", "b", "c", "d"];

function links({ elements }: Sequence): number {
  return (
    elements.filter(({ rs1From }) => rs1From !== undefined).length +
    elements.filter(({ rs2From }) => rs2From !== undefined).length
  );
}

function finderLine({ name, elements }: Sequence): string {
  const tests = elements.slice(1).map((element, index) => `${ELEMENT_NAMES[index + 1]}Op == op.${element.name}`);
  for (const [index, { rs1From, rs2From }] of elements.entries()) {
    tests.push(
      ...linkTests("readsFirst", elements, index, rs1From),
      ...linkTests("readsSecond", elements, index, rs2From),
    );
  }
  return `      if (${tests.join(" && ")}) return op.${name};`;
}

/** The operand is the result of `from`, and no element in between has written the same register. */
function linkTests(reads: string, elements: readonly Element[], index: number, from: number | undefined): string[] {
  if (from === undefined) return [];
  const reader = ELEMENT_NAMES[index];
  const between = elements.slice(from + 1, index).map((_, offset) => ELEMENT_NAMES[from + 1 + offset]);
  return [`${reads}(${reader}, ${ELEMENT_NAMES[from]})`, ...between.map((writer) => `!${reads}(${reader}, ${writer})`)];
}
