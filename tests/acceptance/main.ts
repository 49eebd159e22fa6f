// The acceptance items, one by one: what was run, how often, and whether it passed.

import { badInput } from "./bad-input.ts";
import { benchmarks } from "./benchmarks.ts";
import { freshClone, tracesOfTwoClones } from "./clones.ts";
import { conformance } from "./conformance.ts";
import { linuxPrograms } from "./linux-programs.ts";
import { Report } from "./report.ts";
import { races } from "./stress.ts";

const ITEMS: readonly (readonly [title: string, run: (report: Report) => Promise<void>])[] = [
  ["a fresh clone installs, shows the demo and passes its tests", freshClone],
  ["programs of Debian and glibc say what they say under qemu-riscv64", linuxPrograms],
  ["instructions, memory model, mm system calls and random bytes", conformance],
  ["benchmarks", benchmarks],
  ["races, a thousand times", races],
  ["bad input", badInput],
  ["equal seeds, equal traces, also between clones", tracesOfTwoClones],
];

const wanted = process.argv.slice(2).map(Number);
if (wanted.length === 0 || wanted.some((number) => ITEMS[number - 1] === undefined)) {
  console.error(`npm run acceptance -- N, with N from 1 to ${ITEMS.length}:`);
  for (const [index, [title]] of ITEMS.entries()) console.error(`  ${index + 1}  ${title}`);
  process.exit(125);
}

let allPassed = true;
for (const number of wanted) {
  const [title, runItem] = ITEMS[number - 1];
  const report = new Report(number, title);
  await runItem(report);
  allPassed = report.finish() && allPassed;
}
process.exit(allPassed ? 0 : 1);
