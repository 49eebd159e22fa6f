// What a long run of the explorer has done so far, a line of JSON each: one that was stopped goes on where its log
// ends.

import { appendFile, readFile } from "node:fs/promises";

export interface LogLine {
  /** Says which piece of the work it was. */
  readonly key: string;
}

/** By key. Lines of other runs, and one that was cut off, do not count. */
export async function readLog<Line extends LogLine>(
  file: string,
  keys: ReadonlySet<string>,
): Promise<Map<string, Line>> {
  const text = await readFile(file, "utf8").catch(() => "");
  const done = new Map<string, Line>();
  for (const line of text.split("\n")) {
    try {
      const entry = JSON.parse(line) as Line;
      if (keys.has(entry.key)) done.set(entry.key, entry);
    } catch {
      // cut off
    }
  }
  return done;
}

export async function addToLog(file: string, line: LogLine): Promise<void> {
  await appendFile(file, `${JSON.stringify(line)}\n`);
}
