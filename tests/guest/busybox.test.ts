// An unmodified program of Debian's: busybox-static for riscv64.

import { beforeAll, describe, expect, test } from "vitest";
import { debianProgram } from "../support/debian.ts";
import { needTools, oracleMissing, QEMU } from "../support/oracles.ts";
import { commandLine, pagewalk } from "../support/process.ts";
import { BUSYBOX_CASES } from "./busybox-cases.ts";
import { runQemu, verdictOf } from "./cases.ts";

const HARTS = [1, 2, 4, 8];

describe("busybox-static from Debian", () => {
  let busybox: ReturnType<typeof debianProgram>;

  beforeAll(() => {
    busybox = debianProgram("busybox-static", "usr/bin/busybox");
  });

  describe.each(BUSYBOX_CASES)("$args", ({ args, input }) => {
    test.for(HARTS)("says what it says under qemu-riscv64, on %d harts", async (harts, context) => {
      needTools(context, QEMU);
      if ("missing" in busybox) return oracleMissing(context, busybox.missing);
      const words = ["run", "--harts", `${harts}`, busybox.path, ...args];
      const outcome = await pagewalk(words, { input });
      const expected = verdictOf(await runQemu(busybox.path, args, input));
      expect(verdictOf(outcome), `${commandLine(words)}\n${outcome.stderr}`).toEqual(expected);
    });
  });
});
