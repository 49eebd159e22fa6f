// What pagewalk is compared with: qemu-riscv64 on the same ELF, and C programs for this host, compiled on the spot.
// Whatever is absent costs its rows their ratio and the report one line that says what to install.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchPaths } from "./paths.ts";

/** The C twins in guest-programs/native, and the guest programs that have a native build. */
export type NativeProgram =
  | "mmu"
  | "ipi"
  | "compute"
  | "syscall-loop"
  | "fault-loop"
  | "futex-pingpong"
  | "kernel-paths"
  | "spf-test";

export interface Baselines {
  /** The command, or null. */
  readonly qemu: string | null;
  /** Path of the program built for this host, or null. */
  native(program: NativeProgram): string | null;
  /** One line for each thing that is absent. */
  readonly missing: readonly string[];
  dispose(): void;
}

const TWINS: readonly NativeProgram[] = ["mmu", "ipi"];
const CFLAGS = ["-std=gnu11", "-O2", "-pthread"];

/** Builds into a temporary directory, which dispose() removes. */
export function prepareBaselines(paths: BenchPaths): Baselines {
  const missing: string[] = [];
  const qemu = works("qemu-riscv64", "--version") ? "qemu-riscv64" : null;
  if (qemu === null) missing.push("no qemu-riscv64: install qemu-user for its column (Debian: apt install qemu-user)");
  const directory = mkdtempSync(join(tmpdir(), "pagewalk-bench-"));
  const problem = buildNative(paths, directory);
  if (problem !== null) missing.push(problem);
  return {
    qemu,
    native(program) {
      const path = join(directory, TWINS.includes(program) ? program : `native/${program}`);
      return existsSync(path) ? path : null;
    },
    missing,
    dispose() {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** null, or the line that says why there are no native baselines. */
function buildNative(paths: BenchPaths, directory: string): string | null {
  if (!existsSync(join(paths.guestPrograms, "Makefile"))) {
    return "no native baselines: their sources are in the repository, not in the npm package";
  }
  if (!works("gcc", "--version") || !works("make", "--version")) {
    return "no gcc or make: install them for the native column (Debian: apt install gcc make)";
  }
  for (const twin of TWINS) {
    const source = join(paths.guestPrograms, "native", `${twin}.c`);
    if (!works("gcc", ...CFLAGS, "-o", join(directory, twin), source)) return `gcc cannot build ${source}`;
  }
  const made = works("make", "-C", paths.guestPrograms, `BUILD=${directory}`, "NATIVE_CC=gcc", "native");
  return made ? null : "make native fails in guest-programs: run it to see why";
}

function works(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
