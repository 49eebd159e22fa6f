import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PREBUILT } from "../support/paths.ts";
import { Machine } from "./library.ts";

const DIES = {
  program: `${PREBUILT}/fault-storm`,
  args: ["fault-storm", "2", "64", "100"],
  harts: 2,
  output: () => {},
  debugDieInLock: { hart: 0, section: 400 },
};

test("an oops names the task, its registers and its mappings", async () => {
  const machine = await Machine.boot(DIES);
  const status = await machine.run();
  await machine.dispose();
  const text = status.kind === "oops" ? status.message : status.kind;
  expect(text).toMatch(/^kernel bug on hart 0, pc 0x[0-9a-f]+: this hart dies in locked section 400/);
  expect(text).toMatch(/\n {2}task: pid \d+, tgid 1, comm "fault-storm"\n/);
  expect(text).toMatch(/\n {3}pc [0-9a-f]{16} {3}ra [0-9a-f]{16} {3}sp [0-9a-f]{16}/);
  expect(text).toMatch(/\n {2}vmas of mm 0x[0-9a-f]+:\n( {4}[0-9a-f]{10}-[0-9a-f]{10} [r-][w-][x-][ps]\n?){3,}/);
});

test("an oops of a machine that is traced ends with the last events of its hart", async () => {
  const directory = mkdtempSync(join(tmpdir(), "pagewalk-oops-"));
  const machine = await Machine.boot({ ...DIES, trace: join(directory, "trace") });
  const status = await machine.run();
  await machine.dispose();
  rmSync(directory, { recursive: true });
  const text = status.kind === "oops" ? status.message : status.kind;
  expect(text).toMatch(/\n {2}last events:\n( +\S+-\d+ +\[000\] \S{5} +\d+\.\d{9}: [a-z_]+: .*(\n|$)){16}$/);
});
