// Whole programs on one hart inside the test's thread: they do what they say, and leave nothing behind.

import { describe, expect, test } from "vitest";
import {
  POOL_MM,
  POOL_VMA,
  POOL_VMA_NODE,
  STOP_EXIT,
  STOP_FATAL_SIGNAL,
  STOP_NOT_RUNNABLE,
} from "../../assembly/layout.ts";
import { runGuest } from "./one-hart.ts";

describe("programs run to their end on one hart, and every frame and vma comes back", () => {
  test.each([
    ["hello", []],
    ["start-stack", ["one", "two words"]],
    ["mmap-fault-exit", []],
    ["threads", []],
    ["fault-storm", ["2", "200"]],
    ["cow", []],
    ["brk-stack", []],
    ["many-tasks", []],
    ["page-table-growth", []],
  ])("%s", (program, args) => {
    const run = runGuest(program, { args, env: { HOME: "/" } });
    expect(run.oops).toBe("");
    expect([run.stderr, run.stop, run.status]).toEqual(["", STOP_EXIT, 0]);
    expect(run.stdout).not.toBe("");
    expect(run.framesLost).toBe(0);
    expect([POOL_VMA, POOL_VMA_NODE].map((pool) => run.live[pool])).toEqual([0, 0]);
    expect(run.live[POOL_MM]).toBe(1); // init_mm
  });
});

test("a wild store kills with one line, and nothing is left behind either", () => {
  const run = runGuest("segv", { args: ["write-null"] });
  expect([run.stop, run.status]).toEqual([STOP_FATAL_SIGNAL, 11]);
  expect(run.stderr).toMatch(/^pagewalk: segv\[1\] killed by SIGSEGV: store to 0x/);
  expect(run.framesLost).toBe(0);
});

test("--strace shows calls with their arguments and results", () => {
  const run = runGuest("hello", { strace: true });
  expect(run.stderr).toMatch(/\[1\] write\(1, ".*"(\.\.\.)?, \d+\) = \d+\n/);
  expect(run.stderr).toMatch(/\[1\] exit_group\(0\) = \?\n$/);
});

test("what is no program stops the machine with one line", () => {
  const run = runGuest(new Uint8Array(100));
  expect(run.stop).toBe(STOP_NOT_RUNNABLE);
  expect(run.oops).toBe("program: not an ELF file");
});
