// The programs that race, again and again: each run must print what was recorded, and give every frame back.

import { readCases } from "../guest/cases.ts";
import { capture, Machine } from "../machine/library.ts";
import { PREBUILT } from "../support/paths.ts";

export const RACES = ["munmap-race", "threads", "many-tasks", "code-reuse"] as const;
export type Race = (typeof RACES)[number];

/** Arguments of a short run, for a thousand of them. */
export const SHORT_RUN: Readonly<Record<Race, readonly string[]>> = {
  "munmap-race": ["fixed", "4", "64"],
  threads: [],
  "many-tasks": [],
  "code-reuse": ["20"],
};

/** A run takes well under a second on a quiet machine. */
const TIMEOUT_SECONDS = 60;

export interface Failure {
  readonly run: number;
  readonly seed: number;
  readonly text: string;
}

/** Runs the program `runs` times; the seeds follow each other, so that one number repeats any of them. */
export async function repeatRace(
  race: Race,
  harts: number,
  runs: number,
  seed: number,
  args: readonly string[] = [],
): Promise<Failure[]> {
  // Of other arguments there is no recording: the program's own verdict is its exit code.
  const recorded = args.length === 0 ? readCases().find(({ name }) => name === race)!.stdout : undefined;
  const failures: Failure[] = [];
  for (let run = 0; run < runs; run++) {
    const text = await raceOnce(race, args, harts, (seed + run) >>> 0, recorded);
    if (text !== undefined) failures.push({ run, seed: (seed + run) >>> 0, text });
  }
  return failures;
}

/** What went wrong, if anything. */
async function raceOnce(
  race: Race,
  args: readonly string[],
  harts: number,
  seed: number,
  recorded: string | undefined,
): Promise<string | undefined> {
  const { stdout, stderr, output } = capture();
  const program = `${PREBUILT}/${race}`;
  const machine = await Machine.boot({
    program,
    args: [race, ...args],
    harts,
    seed,
    output,
    timeoutSeconds: TIMEOUT_SECONDS,
  });
  try {
    const status = await machine.run();
    const { framesFree, framesFreeAtBoot } = machine.stats();
    if (status.kind !== "exit" || status.code !== 0) return `${JSON.stringify(status)} ${stdout()}${stderr()}`;
    if (recorded !== undefined && stdout() !== recorded) return `printed ${stdout()}`;
    if (framesFree !== framesFreeAtBoot) return `${framesFreeAtBoot} frames at boot, ${framesFree} at exit`;
    return undefined;
  } finally {
    await machine.dispose();
  }
}
