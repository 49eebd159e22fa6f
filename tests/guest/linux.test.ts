// Where qemu-riscv64 is not like Linux, the guest programs check for Linux when they are told to: see the README of
// guest-programs.

import { expect, test } from "vitest";
import { PREBUILT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";

const CASES = [
  ["mmap-fault-exit", "linux"],
  ["brk-stack", "4096", "linux"],
  ["signal-fault", "linux"],
  ["timers", "linux"],
  ["identity", "linux"],
  ["file-calls", "linux"],
  ["memory-calls", "linux"],
];

test.each(CASES.map((words) => [words.join(" ")] as const))("%s", async (line) => {
  const [program, ...args] = line.split(" ");
  const plain = args.filter((word) => word !== "linux");
  const strict = await pagewalk(["run", "--harts", "2", `${PREBUILT}/${program}`, ...args]);
  const usual = await pagewalk(["run", "--harts", "2", `${PREBUILT}/${program}`, ...plain]);
  expect(strict.stderr).toBe("");
  expect([strict.status, strict.stdout.toString()]).toEqual([0, usual.stdout.toString()]);
});
