// `pagewalk policies`: what can be chosen, one line each, and the debate that it comes from.

import { POLICIES, SEAMS } from "../policy/registry.ts";
import type { PolicyEntry, SeamName } from "../policy/seams.ts";

const NAME_COLUMNS = 16;

/** `extra`: those of a module from outside. */
export function describePolicies(extra: readonly PolicyEntry[]): string {
  const lines: string[] = [];
  for (const [seam, { question, standard }] of Object.entries(SEAMS)) {
    lines.push(`${seam}: ${question}`);
    for (const { name, line, debate } of [...POLICIES, ...extra].filter((entry) => entry.seam === (seam as SeamName))) {
      const mark = name === standard ? "*" : " ";
      lines.push(`${mark} ${name.padEnd(NAME_COLUMNS)} ${line}  [${debate}]`);
    }
    lines.push("");
  }
  lines.push("* is used when nothing is said. Choose with --policy SEAM=NAME[,SEAM=NAME...].");
  return `${lines.join("\n")}\n`;
}
