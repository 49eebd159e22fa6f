import { describe, expect, test } from "vitest";
import type { MachineConfig } from "../../host/index.ts";
import { PREBUILT } from "../support/paths.ts";
import { ConfigError, Machine, NotFoundError, NotRunnableError } from "./library.ts";

const program = `${PREBUILT}/hello`;

describe("Machine.boot refuses", () => {
  test.each<[string, Partial<MachineConfig>]>([
    ["no program", { program: undefined }],
    ["a number as a program", { program: 5 as unknown as string }],
    ["no harts", { harts: 0 }],
    ["half a hart", { harts: 1.5 }],
    ["65 harts", { harts: 65 }],
    ["NaN harts", { harts: Number.NaN }],
    ["too little RAM", { ramBytes: 1 << 20 }],
    ["RAM that is not a whole number of pages", { ramBytes: (1 << 24) + 1 }],
    ["RAM beyond 3 GiB", { ramBytes: 2 ** 32 }],
    ["a TLB that is no power of two", { tlbEntries: 1000 }],
    ["a TLB of 32 entries", { tlbEntries: 32 }],
    ["too many decode pages", { decodePages: 1025 }],
    ["decode pools that do not fit below 4 GiB", { harts: 64, ramBytes: 3 * 2 ** 30, decodePages: 1024 }],
    ["a negative seed", { seed: -1 }],
    ["a negative timeout", { timeoutSeconds: -1 }],
    ["an unknown driver", { driver: "steam" as "threaded" }],
    ["an environment variable without a name", { env: { "": "x" } }],
    ["an argument with a NUL", { args: ["a\0b"] }],
    ["a root that is not there", { root: "/nowhere/at-all" }],
    ["a root that is a file", { root: program }],
    ["a root below a file", { root: `${program}/sub` }],
    ["no root at all", { root: "" }],
    ["an archive that is not there", { rootTar: "/nowhere/at-all" }],
    ["an archive that is a directory", { rootTar: "/" }],
    ["an archive that is a program", { rootTar: program }],
    ["both a root and an archive", { root: "/", rootTar: program }],
  ])("%s, with one line", async (_name, config) => {
    const boot = Machine.boot({ program, ...config });
    await expect(boot).rejects.toBeInstanceOf(ConfigError);
    await expect(boot).rejects.toThrow(/^[^\n]+$/);
  });

  test("programs that are not there or cannot be run", async () => {
    await expect(Machine.boot({ program: "/nowhere/at-all" })).rejects.toBeInstanceOf(NotFoundError);
    await expect(Machine.boot({ program: "/" })).rejects.toBeInstanceOf(NotRunnableError);
    await expect(Machine.boot({ program: Buffer.from("#!/bin/sh") })).rejects.toBeInstanceOf(NotRunnableError);
  });

  test("nothing at the limits", async () => {
    for (const config of [{ ramBytes: 1 << 24 }, { tlbEntries: 64 }, { tlbEntries: 4096 }, { harts: 64 }]) {
      const machine = await Machine.boot({ program, ...config, output: () => {} });
      expect(await machine.run()).toEqual({ kind: "exit", code: 0 });
      await machine.dispose();
    }
  });
});
