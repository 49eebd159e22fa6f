// What the explorer needs costs the threaded machine nothing: its bundle has no hook and no mutation in it. That is
// stronger than a measurement, which here is beside native Linux, in the same run.

import { readFileSync } from "node:fs";
import { BUILD } from "../../support/paths.ts";
import { pagewalk } from "../../support/process.ts";
import type { Report } from "../report.ts";

const HOOKS = [/\.scheduler\?\.point\(/, /\.observer\?\.access\(/, /\.model\.(load|store)\(/, /\.mutation ?===/];

/** What the bundler leaves of a hook that is a statement: a branch that V8 drops as it parses. */
const NEVER = /if ?\(!1\) ?\{[^{}]*\}/g;

export async function hooks(report: Report): Promise<void> {
  const threaded = readFileSync(`${BUILD}/worker.threaded.cjs`, "utf8").replaceAll(NEVER, "");
  const deterministic = readFileSync(`${BUILD}/worker.deterministic.cjs`, "utf8");
  const present = HOOKS.filter((hook) => hook.test(threaded)).map((hook) => `${hook} in the threaded bundle`);
  report.add("hooks that the threaded bundle does not have", HOOKS.length, present);
  const absent = HOOKS.filter((hook) => !hook.test(deterministic)).map(
    (hook) => `${hook} is nowhere: look for another`,
  );
  report.add("and the other one has", HOOKS.length, absent);
  const { stdout } = await pagewalk(["bench", "faults"], { timeoutMs: 1_200_000 });
  report.note(stdout.toString());
}
