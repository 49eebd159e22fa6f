// Each prebuilt guest program on 1, 2 and 4 harts prints what qemu-riscv64 printed, and ends in the same way.

import { describe, expect, test } from "vitest";
import { needTools, QEMU } from "../support/oracles.ts";
import { commandLine } from "../support/process.ts";
import { readCases, recordedVerdict, runCase, runQemu, sha256Of, verdictOf } from "./cases.ts";

const HARTS = [1, 2, 4];

describe.each(readCases())("$name", (guest) => {
  test("is the program that was recorded", () => {
    expect(sha256Of(guest.program), "record again: make -C guest-programs oracle").toBe(guest.sha256);
  });

  test.each(HARTS)("prints what was recorded, on %d harts", async (harts) => {
    const outcome = await runCase(guest, ["--harts", `${harts}`]);
    const command = commandLine(["run", `--harts ${harts}`, `guest-programs/prebuilt/${guest.program}`, ...guest.args]);
    expect(verdictOf(outcome), `${command}\n${outcome.stderr}`).toEqual(recordedVerdict(guest));
  });

  test("says the same under qemu-riscv64 today", async (context) => {
    needTools(context, QEMU);
    expect(verdictOf(await runQemu(`prebuilt/${guest.program}`, guest.args))).toEqual(recordedVerdict(guest));
  });
});
