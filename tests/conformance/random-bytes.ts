// Random bytes as a program: an ELF whose code is noise. It must end as any program ends, and never as a failure of
// the host.

import { capture, Machine } from "../machine/library.ts";
import { PF_R, PF_W, PF_X, staticElf } from "../support/elf.ts";
import { Random } from "../support/seeds.ts";

const TEXT = 0x10000;
const TEXT_BYTES = 8192;
/** How much longer than one that ends at once a program may run before it is taken to loop. */
const PATIENCE = 3;

export interface RandomBytesTally {
  exits: number;
  signals: number;
  /** Ran until they were stopped: a jump to itself is a program too. */
  loops: number;
  failures: string[];
}

/** Half of the programs are noise; in the other half every word has the low bits of a 32-bit instruction. */
export function randomProgram(seed: number): Buffer<ArrayBuffer> {
  const random = new Random(seed);
  const code = Buffer.from(Array.from({ length: TEXT_BYTES }, () => random.below(256)));
  if (random.chance(0.5)) for (let at = 0; at < TEXT_BYTES; at += 4) code[at] |= 3;
  return staticElf(TEXT + 2 * random.below(TEXT_BYTES / 2), [{ va: TEXT, flags: PF_R | PF_W | PF_X, bytes: code }]);
}

export async function runRandomBytes(seed: number, count: number): Promise<RandomBytesTally> {
  const tally: RandomBytesTally = { exits: 0, signals: 0, loops: 0, failures: [] };
  let patience = 0;
  for (let index = 0; index < count; index++) {
    if (index % 20 === 0) patience = PATIENCE * (await secondsOfOne());
    await runOne(seed + index, patience, tally);
  }
  return tally;
}

/** What a busy host needs to start a machine and to end it. */
async function secondsOfOne(): Promise<number> {
  const illegal = staticElf(TEXT, [{ va: TEXT, flags: PF_R | PF_X, bytes: Buffer.alloc(4) }]);
  const machine = await Machine.boot({ program: illegal, ramBytes: 1 << 24, output: () => {} });
  const startMs = performance.now();
  await machine.run();
  const seconds = (performance.now() - startMs) / 1000;
  await machine.dispose();
  return seconds;
}

async function runOne(seed: number, timeoutSeconds: number, tally: RandomBytesTally): Promise<void> {
  const { stderr, output } = capture();
  const program = randomProgram(seed);
  const harts = 1 + (seed % 2);
  const machine = await Machine.boot({ program, harts, ramBytes: 1 << 24, output, timeoutSeconds });
  const status = await machine.run();
  const { framesFree, framesFreeAtBoot } = machine.stats();
  await machine.dispose();
  if (status.kind === "exit") tally.exits++;
  else if (status.kind === "signal") tally.signals++;
  else if (status.kind === "timeout") tally.loops++;
  else tally.failures.push(`seed ${seed}: ${JSON.stringify(status)} ${stderr()}`);
  if (status.kind !== "timeout" && framesFree !== framesFreeAtBoot) tally.failures.push(`seed ${seed}: frames lost`);
}
