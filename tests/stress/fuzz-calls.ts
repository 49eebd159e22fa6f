// The guest program fuzz-calls on real workers: random system calls from several threads of processes that come and go.

import { capture, Machine } from "../machine/library.ts";
import { PREBUILT } from "../support/paths.ts";

/** What a run takes at most, for each thousand calls. */
const SECONDS_PER_THOUSAND = 2;
const SECONDS_MIN = 60;

/** What went wrong, or undefined: the machine has survived `calls` calls, and every frame came back. */
export async function fuzzCalls(harts: number, calls: number, seed: number): Promise<string | undefined> {
  const { stdout, stderr, output } = capture();
  const machine = await Machine.boot({
    program: `${PREBUILT}/fuzz-calls`,
    args: ["fuzz-calls", `${calls}`, `${seed}`],
    harts,
    seed,
    output,
    timeoutSeconds: SECONDS_MIN + (calls / 1000) * SECONDS_PER_THOUSAND,
  });
  try {
    const status = await machine.run();
    const { framesFree, framesFreeAtBoot } = machine.stats();
    // Most processes die of something, each with a line.
    const errors = stderr()
      .split("\n")
      .filter((line) => line !== "" && !line.includes(" killed by "));
    if (status.kind !== "exit" || status.code !== 0) return `${JSON.stringify(status)}\n${errors.join("\n")}`;
    if (!stdout().includes("survived")) return `printed ${stdout()}`;
    if (framesFree !== framesFreeAtBoot) return `${framesFreeAtBoot} frames at boot, ${framesFree} at exit`;
    return undefined;
  } finally {
    await machine.dispose();
  }
}

/** One command that does it again. */
export function fuzzCommand(harts: number, calls: number, seed: number): string {
  return `pagewalk run --harts ${harts} --seed ${seed} guest-programs/prebuilt/fuzz-calls ${calls} ${seed}`;
}
