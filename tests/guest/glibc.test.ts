// An ordinary program, built against glibc with threads by the machine's own cross compiler.

import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, test } from "vitest";
import { GCC, missingTools, needTools, QEMU } from "../support/oracles.ts";
import { ROOT } from "../support/paths.ts";
import { commandLine, pagewalk } from "../support/process.ts";
import { runQemu, verdictOf } from "./cases.ts";

const HARTS = [1, 2, 4, 8];
const PROGRAMS = ["build/pthread-check", "build/signal-check"];

describe.each(PROGRAMS)("a static glibc program with threads: %s", (program) => {
  beforeAll(() => {
    if (missingTools(GCC, "make").length > 0) return;
    const made = spawnSync("make", ["--silent", "-C", `${ROOT}/guest-programs`, "glibc"], { encoding: "utf8" });
    expect(made.status, made.stderr).toBe(0);
  });

  test.for(HARTS)("says what it says under qemu-riscv64, on %d harts", async (harts, context) => {
    needTools(context, GCC, "make", QEMU);
    const words = ["run", "--harts", `${harts}`, `${ROOT}/guest-programs/${program}`];
    const outcome = await pagewalk(words);
    const expected = verdictOf(await runQemu(program, []));
    expect(verdictOf(outcome), `${commandLine(words)}\n${outcome.stderr}`).toEqual(expected);
  });
});
