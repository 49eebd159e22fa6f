// Builds the module under test and the oracle, and runs cases through both.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OPERATIONS } from "./operands.ts";

export const CASE_BYTES = 32;
export const OUTCOME_BYTES = 16;

export const ORACLE_COMPILER = "riscv64-linux-gnu-gcc";
export const ORACLE_EMULATOR = "qemu-riscv64";

const HERE = new URL(".", import.meta.url);
const CASES_BASE = 1 << 16;
const PAGE_BYTES = 1 << 16;

export function missingOracleTools(): string[] {
  return [ORACLE_COMPILER, ORACLE_EMULATOR].filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
}

function run(command: string, args: readonly string[], cwd: string, input?: Uint8Array): Buffer {
  const result = spawnSync(command, args, { cwd, input, maxBuffer: 2 ** 30 });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${command} failed (${result.status}): ${result.stderr.toString()}`);
  return result.stdout;
}

interface EntryExports {
  readonly memory: WebAssembly.Memory;
  run(cases: number, outcomes: number, count: number, flags: number): void;
}

export class FloatHarness {
  readonly #directory: string;
  readonly #entry: EntryExports;

  /** The compiler runs in a directory of its own, or it would merge the project's asconfig.json into its options. */
  constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), "float-test-"));
    const asc = fileURLToPath(new URL("../../../node_modules/assemblyscript/bin/asc.js", HERE));
    const entry = fileURLToPath(new URL("entry.ts", HERE));
    const options = ["-O3", "--noAssert", "--runtime", "stub", "--outFile", "entry.wasm"];
    run(process.execPath, [asc, entry, ...options], this.#directory);
    const module = new WebAssembly.Module(readFileSync(join(this.#directory, "entry.wasm")));
    this.#entry = new WebAssembly.Instance(module).exports as unknown as EntryExports;
  }

  buildOracle(): void {
    const source = fileURLToPath(new URL("oracle/float-oracle.c", HERE));
    const numbers = OPERATIONS.map(({ name, number }) => `-D${name}=${number}`);
    run(ORACLE_COMPILER, ["-static", "-O2", "-Wall", "-Werror", ...numbers, "-o", "oracle", source], this.#directory);
  }

  /** Outcomes of the module, with fflags set to `flags` before each case. */
  runModule(cases: Uint8Array, flags: number): BigUint64Array {
    const { memory } = this.#entry;
    const count = cases.length / CASE_BYTES;
    const outcomesBase = CASES_BASE + cases.length;
    const bytes = outcomesBase + count * OUTCOME_BYTES;
    if (memory.buffer.byteLength < bytes) {
      memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES));
    }
    new Uint8Array(memory.buffer).set(cases, CASES_BASE);
    this.#entry.run(CASES_BASE, outcomesBase, count, flags);
    return new BigUint64Array(memory.buffer.slice(outcomesBase, bytes));
  }

  /** Outcomes of the real instructions, with fflags clear before each case. */
  runOracle(cases: Uint8Array): BigUint64Array {
    const output = run(ORACLE_EMULATOR, [join(this.#directory, "oracle")], this.#directory, cases);
    return new BigUint64Array(new Uint8Array(output).buffer);
  }

  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
