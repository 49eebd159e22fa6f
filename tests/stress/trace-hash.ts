// The trace hash of a deterministic run: equal seeds, equal runs.

import { capture, Machine } from "../machine/library.ts";
import { PREBUILT } from "../support/paths.ts";

/** Small enough for a deterministic run, whose harts take turns. */
export const TRACED: readonly (readonly string[])[] = [
  ["munmap-race", "fixed", "3", "40"],
  ["threads", "6", "20"],
  ["many-tasks", "24", "4"],
];

export interface Trace {
  readonly hash: string;
  readonly steps: number;
  readonly stdout: string;
}

export async function traceOf(args: readonly string[], harts: number, seed: number): Promise<Trace> {
  const { stdout, stderr, output } = capture();
  const program = `${PREBUILT}/${args[0]}`;
  const machine = await Machine.boot({
    program,
    args,
    harts,
    seed,
    driver: "deterministic",
    output,
    timeoutSeconds: 60,
  });
  try {
    const status = await machine.run();
    if (status.kind !== "exit" || status.code !== 0)
      throw new Error(`${JSON.stringify(status)} ${stdout()}${stderr()}`);
    const { traceHash, scheduleSteps } = machine.stats().deterministic!;
    return { hash: traceHash, steps: scheduleSteps, stdout: stdout() };
  } finally {
    await machine.dispose();
  }
}
