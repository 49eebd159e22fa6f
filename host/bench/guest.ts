// One guest program on this machine, under qemu-riscv64 or as a native build: how long it says it ran.

import { join } from "node:path";
import { elapsedNs, type Finished, runChild } from "./child.ts";
import type { BenchPaths } from "./paths.ts";

export function guestProgram(paths: BenchPaths, name: string): string {
  return join(paths.guestPrograms, "prebuilt", name);
}

/**
 * Runs it as a user does: a new process of the command, with options of `pagewalk run`. With "--root", the folder of
 * the prebuilt programs, it is a file of the guest's, which the guest can execute again.
 */
export function runGuest(
  paths: BenchPaths,
  options: readonly string[],
  program: string,
  args: readonly string[],
  onStart?: (pid: number) => void,
): Promise<Finished> {
  const path = options.includes("--root") ? `/${program}` : guestProgram(paths, program);
  const command = [paths.cli, "run", ...options, path, ...args];
  return runChild(process.execPath, command, onStart);
}

/** Nanoseconds by the guest's own clock. */
export async function timeGuest(
  paths: BenchPaths,
  harts: number,
  program: string,
  args: readonly (string | number)[],
  options: readonly string[] = [],
): Promise<number> {
  const machine = ["--harts", `${harts}`, ...options];
  const { stdout } = await runGuest(paths, machine, program, [...args.map(String), "--time"]);
  return elapsedNs(stdout);
}

/** The same ELF under qemu-riscv64. */
export async function timeQemu(
  qemu: string,
  paths: BenchPaths,
  program: string,
  args: readonly (string | number)[],
): Promise<number> {
  const { stdout } = await runChild(qemu, [guestProgram(paths, program), ...args.map(String), "--time"]);
  return elapsedNs(stdout);
}

export async function timeNative(path: string, args: readonly (string | number)[]): Promise<number> {
  const { stdout } = await runChild(path, [...args.map(String), "--time"]);
  return elapsedNs(stdout);
}
