// The tools that tests compare with. Where one is missing a test is skipped, and the run ends with a line that counts
// the skips (skip-reporter.ts). REQUIRE_ORACLES=1, which CI sets, turns each such skip into a failure.

import { spawnSync } from "node:child_process";
import type { TestContext } from "vitest";

export const QEMU = "qemu-riscv64";
export const GCC = "riscv64-linux-gnu-gcc";

export const ORACLES_REQUIRED = process.env.REQUIRE_ORACLES === "1";

/** Where each tool comes from. */
const DEBIAN_PACKAGE: Readonly<Record<string, string>> = { [QEMU]: "qemu-user", [GCC]: "gcc-riscv64-linux-gnu" };

export function missingTools(...tools: string[]): string[] {
  return tools.filter((tool) => spawnSync(tool, ["--version"], { stdio: "ignore" }).error !== undefined);
}

/** Skips the test that calls it, or fails it, if one of the tools is not installed. */
export function needTools(context: TestContext, ...tools: string[]): void {
  const missing = missingTools(...tools);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => DEBIAN_PACKAGE[tool] ?? tool);
  oracleMissing(context, `no ${missing.join(", no ")} (Debian: apt-get install ${packages.join(" ")})`);
}

/** Skips the test that calls it, or fails it under REQUIRE_ORACLES=1, for the given reason. */
export function oracleMissing(context: TestContext, reason: string): never {
  if (ORACLES_REQUIRED) throw new Error(`REQUIRE_ORACLES=1: ${reason}`);
  return context.skip(reason);
}
