// The acceptance items, one by one: what was run, how often, and whether it passed. They come in groups, one for each
// large part of the project: `npm run acceptance -- [GROUP] N`, the machine's if no group is named.

import { badInput } from "./bad-input.ts";
import { benchmarks } from "./benchmarks.ts";
import { freshClone, tracesOfTwoClones } from "./clones.ts";
import { conformance } from "./conformance.ts";
import { interpreters } from "./kernel/interpreters.ts";
import { shells } from "./kernel/shell.ts";
import { stressNg } from "./kernel/stress-ng.ts";
import { systemCalls } from "./kernel/system-calls.ts";
import { linuxPrograms } from "./linux-programs.ts";
import { debates } from "./policies/debates.ts";
import { everyPolicy } from "./policies/every-policy.ts";
import { hooks } from "./policies/hooks.ts";
import { barriers, mutationScore } from "./policies/mutations.ts";
import { replays } from "./policies/replays.ts";
import { Report } from "./report.ts";
import { races } from "./stress.ts";
import { vmaLockBench, vmaLockMutations, vmaLockPolicies } from "./vma-lock.ts";

type Item = readonly [title: string, run: (report: Report) => Promise<void>];

const GROUPS: Readonly<Record<string, readonly Item[]>> = {
  machine: [
    ["a fresh clone installs, shows the demo and passes its tests", freshClone],
    ["programs of Debian and glibc say what they say under qemu-riscv64", linuxPrograms],
    ["instructions, memory model, mm system calls and random bytes", conformance],
    ["benchmarks", benchmarks],
    ["races, a thousand times", races],
    ["bad input", badInput],
    ["equal seeds, equal traces, also between clones", tracesOfTwoClones],
  ],
  policies: [
    ["every policy: contract, guest programs and Debian's, on 2 and 4 harts", everyPolicy],
    ["every statement of the debates", debates],
    ["mutations: the table, and how many schedules each strategy needs", mutationScore],
    ["barriers, with the memory model and without", barriers],
    ["the threaded machine has no hooks", hooks],
    ["100 failing schedules, replayed here and in a fresh clone", replays],
  ],
  "vma-lock": [
    ["every vma-lock policy, and every statement of the debate", vmaLockPolicies],
    ["mutations D-M1 to D-M24, and the scenarios without them", vmaLockMutations],
    ["bench vma-lock", vmaLockBench],
  ],
  kernel: [
    ["shells on a terminal: pipelines, job control, vi, top, a thousand children", shells],
    ["stress-ng with --verify", stressNg],
    ["python3 and sqlite3 say what they say under qemu-riscv64", interpreters],
    ["a million random system calls from several threads", systemCalls],
  ],
};

const words = process.argv.slice(2);
const group = words[0] !== undefined && words[0] in GROUPS ? `${words.shift()}` : "machine";
const items = GROUPS[group];
const wanted = words.map(Number);
if (wanted.length === 0 || wanted.some((number) => items[number - 1] === undefined)) {
  console.error("npm run acceptance -- [GROUP] N:");
  for (const [name, list] of Object.entries(GROUPS)) {
    for (const [index, [title]] of list.entries()) console.error(`  ${name} ${index + 1}  ${title}`);
  }
  process.exit(125);
}

let allPassed = true;
for (const number of wanted) {
  const [title, runItem] = items[number - 1];
  const report = new Report(`${group} ${number}`, title);
  await runItem(report);
  allPassed = report.finish() && allPassed;
}
process.exit(allPassed ? 0 : 1);
