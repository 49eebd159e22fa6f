// What `pagewalk run --json FILE` wrote about a run.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineStats } from "../observe/stats.ts";

/** Calls `run` with the name of a file that does not exist yet and reads it afterwards. */
export async function statsOf(run: (file: string) => Promise<unknown>): Promise<MachineStats> {
  const directory = mkdtempSync(join(tmpdir(), "pagewalk-stats-"));
  try {
    const file = join(directory, "stats.json");
    await run(file);
    return JSON.parse(readFileSync(file, "utf8"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
