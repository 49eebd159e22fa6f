import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { badInputs } from "../guest/bad-input.ts";
import { COMMAND } from "../support/paths.ts";
import { run } from "../support/process.ts";
import type { Report } from "./report.ts";

export async function badInput(report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "bad-input-"));
  for (const { name, args, nodeArgs = [], status, says } of badInputs(directory)) {
    const outcome = await run(process.execPath, [...nodeArgs, COMMAND, ...args]);
    const isOneLine = /^[^\n]*\n?$/.test(outcome.stderr) && says.test(outcome.stderr);
    const isRight = isOneLine && status.includes(outcome.status);
    report.add(name, 1, isRight ? [] : [`expected exit code ${status.join(" or ")} and one line with ${says}`]);
    report.note(`${outcome.status}: ${outcome.stderr}`);
  }
  rmSync(directory, { recursive: true, force: true });
}
