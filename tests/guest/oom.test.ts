// Memory and swap are full: one dies, the others go on.

import { expect, test } from "vitest";
import { PREBUILT } from "../support/paths.ts";
import { commandLine, pagewalk } from "../support/process.ts";

const SURVIVED = "oom: the hog was killed\noom: the other went on, and lost nothing\n";

test.each([
  ["1", []],
  ["4", []],
  ["1", ["--swap", "8M"]],
  ["4", ["--swap", "8M"]],
])("%s harts %j: the hog is killed, named in a report, and nobody else", async (harts, swap) => {
  const args = ["run", "--harts", harts, "--ram", "16M", ...swap, `${PREBUILT}/oom`, "linux"];
  const outcome = await pagewalk(args);
  expect(outcome.stdout.toString(), commandLine(args)).toBe(SURVIVED);
  expect(outcome.status).toBe(0);
  const lines = outcome.stderr.trimEnd().split("\n");
  expect(lines[0]).toMatch(/^oom invoked oom-killer: /);
  expect(lines.filter((line) => /^\[ {6}\d\] {5}0 /.test(line))).not.toEqual([]);
  expect(lines.filter((line) => line.startsWith("Out of memory: Killed process"))).toEqual([lines.at(-1)]);
  expect(lines.at(-1)).toMatch(
    /^Out of memory: Killed process \d \(oom\) total-vm:\d+kB, anon-rss:\d+kB, file-rss:\d+kB, shmem-rss:\d+kB, UID:0 /,
  );
});

test("init goes last, though it has more memory than the hog", async () => {
  const outcome = await pagewalk(["run", "--harts", "1", "--ram", "16M", `${PREBUILT}/oom`, "linux", "large"]);
  expect([outcome.status, outcome.stdout.toString()]).toEqual([0, SURVIVED]);
});

test("a hog of shared memory gives it back only as it ends: the others wait for that, on one hart too", async () => {
  const outcome = await pagewalk(["run", "--harts", "1", "--ram", "16M", `${PREBUILT}/oom`, "linux", "shared"]);
  expect([outcome.status, outcome.stdout.toString()]).toEqual([0, SURVIVED]);
  expect(outcome.stderr.match(/Killed process/g)).toHaveLength(1);
});
