// Random programs under pagewalk and under qemu-riscv64: what they write must be equal to the byte.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pagewalk, run } from "../support/process.ts";
import { Random } from "../support/seeds.ts";
import {
  type Batch,
  blockWords,
  buildProgram,
  randomStates,
  STATE_BYTES,
  STATE_FCSR,
  STATE_FLOATS,
  WINDOW_BYTES,
} from "./differential-program.ts";
import { randomBlock } from "./random-block.ts";

export const BLOCKS_PER_BATCH = 600;
export const ITEMS_PER_BLOCK = 48;
export const PASSES = 8;

/** Batch n of a seed, whatever other batches were made before. */
export function makeBatch(seed: number, number: number): Batch {
  const random = new Random(seed + number * 0x10001);
  const blocks = Array.from({ length: BLOCKS_PER_BATCH }, () => randomBlock(random, ITEMS_PER_BLOCK));
  const window = Buffer.from(Array.from({ length: WINDOW_BYTES }, () => random.below(256)));
  return { blocks, passes: PASSES, states: randomStates(random, blocks, PASSES), window };
}

/** Instructions that every pass executes for certain: those that no jump may skip. Without the program around them. */
export function executedAtLeast({ blocks, passes }: Batch): number {
  let sure = 0;
  for (const { items } of blocks) {
    let skippedUntil = 0;
    items.forEach((item, index) => {
      if (index >= skippedUntil) sure += item.encode(item.bytes).length;
      skippedUntil = Math.max(skippedUntil, index + 1 + item.skips);
    });
  }
  return sure * passes;
}

/** Runs both; undefined if they agree, otherwise where and how they differ. */
export async function compareBatch(batch: Batch): Promise<string | undefined> {
  const { ours, oracle } = await runBoth(buildProgram(batch));
  const place = firstDifference(batch, ours, oracle);
  if (place === undefined) return undefined;
  if (place.block === undefined) return `pass ${place.pass}: ${place.text}`;
  const { block, pass } = place;
  const item = await firstWrongItem(batch, block, pass);
  const listing = batch.blocks[block].items.map(({ name }, index) => {
    const text = blockWords({ ...batch.blocks[block], items: batch.blocks[block].items.slice(index, index + 1) });
    return `${index === item ? "=>" : "  "} ${name}: ${text.map((word) => word.text).join("; ")}`;
  });
  return [`pass ${pass}, block ${block}, first wrong after the marked line: ${place.text}`, ...listing].join("\n");
}

async function runBoth(elf: Uint8Array): Promise<{ ours: Buffer; oracle: Buffer }> {
  const directory = mkdtempSync(join(tmpdir(), "differential-"));
  try {
    const program = join(directory, "program");
    writeFileSync(program, elf);
    chmodSync(program, 0o755);
    const [ours, oracle] = await Promise.all([pagewalk(["run", program]), run("qemu-riscv64", [program])]);
    if (oracle.status !== 0) throw new Error(`qemu-riscv64 ended with ${oracle.status}: ${oracle.stderr}`);
    if (ours.status !== 0) throw new Error(`pagewalk ended with ${ours.status}: ${ours.stderr}`);
    return { ours: ours.stdout, oracle: oracle.stdout };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Place {
  readonly pass: number;
  /** Undefined: in the window at the end of the pass. */
  readonly block: number | undefined;
  readonly text: string;
}

function firstDifference({ blocks }: Batch, ours: Buffer, oracle: Buffer): Place | undefined {
  if (ours.equals(oracle)) return undefined;
  if (ours.length !== oracle.length) {
    return { pass: 0, block: undefined, text: `${ours.length} bytes written, not ${oracle.length}` };
  }
  const at = ours.findIndex((byte, index) => byte !== oracle[index]) & ~7;
  const passBytes = blocks.length * STATE_BYTES + WINDOW_BYTES;
  const pass = Math.floor(at / passBytes);
  const inPass = at % passBytes;
  const values = `0x${ours.readBigUInt64LE(at).toString(16)}, not 0x${oracle.readBigUInt64LE(at).toString(16)}`;
  if (inPass >= blocks.length * STATE_BYTES) {
    return { pass, block: undefined, text: `window + ${inPass - blocks.length * STATE_BYTES} is ${values}` };
  }
  const register = registerAt(inPass % STATE_BYTES);
  return { pass, block: Math.floor(inPass / STATE_BYTES), text: `${register} is ${values}` };
}

function registerAt(offset: number): string {
  if (offset === STATE_FCSR) return "fcsr";
  return offset < STATE_FLOATS ? `x${offset / 8 + 1}` : `f${(offset - STATE_FLOATS) / 8}`;
}

/** By bisection: the item without which this block still agrees, and with which it does not. */
async function firstWrongItem(batch: Batch, block: number, pass: number): Promise<number> {
  let good = 0;
  let bad = batch.blocks[block].items.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const { ours, oracle } = await runBoth(buildProgram(batch, { block, items: middle }));
    const place = firstDifference(batch, ours, oracle);
    if (place !== undefined && (place.pass < pass || (place.pass === pass && place.block === block))) bad = middle;
    else good = middle;
  }
  return bad - 1;
}
