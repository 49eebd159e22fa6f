// The recorded oracles: what qemu-riscv64 said about each case of guest-programs/oracle/cases.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { ORACLE, PREBUILT } from "../support/paths.ts";
import { type Outcome, pagewalk, run } from "../support/process.ts";

/** The fields that guest-programs/record-oracles.sh writes. */
export interface Case {
  readonly name: string;
  readonly program: string;
  readonly sha256: string;
  readonly args: readonly string[];
  readonly stdout: string;
  readonly exitCode: number | null;
  readonly signal: number | null;
}

export function readCases(): Case[] {
  const files = readdirSync(ORACLE).filter((file) => file.endsWith(".json"));
  return files.sort().map((file) => {
    const recorded = JSON.parse(readFileSync(`${ORACLE}/${file}`, "utf8")) as Omit<Case, "name">;
    return { name: file.replace(".json", ""), ...recorded };
  });
}

/** What both machines must agree on. */
export interface Verdict {
  readonly stdout: string;
  readonly status: number;
}

export function verdictOf({ stdout, status }: Outcome): Verdict {
  return { stdout: stdout.toString(), status };
}

export function recordedVerdict({ stdout, exitCode, signal }: Case): Verdict {
  return { stdout, status: exitCode ?? 128 + signal! };
}

export function sha256Of(program: string): string {
  return createHash("sha256")
    .update(readFileSync(`${PREBUILT}/${program}`))
    .digest("hex");
}

/** argv[0] is the path in both machines, and the recording was made in guest-programs/. */
export async function runCase({ program, args }: Case, options: readonly string[]): Promise<Outcome> {
  return pagewalk(["run", ...options, `prebuilt/${program}`, ...args], { cwd: `${PREBUILT}/..` });
}

/** qemu-riscv64, with no core file left behind by the programs that die. */
export async function runQemu(program: string, args: readonly string[], input?: Uint8Array): Promise<Outcome> {
  const words = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return run("bash", ["-c", `ulimit -c 0; exec qemu-riscv64 ${words}`], { cwd: `${PREBUILT}/..`, input });
}
