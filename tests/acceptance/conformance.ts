import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareBatch, executedAtLeast, makeBatch } from "../conformance/differential.ts";
import { runLitmus } from "../conformance/litmus.ts";
import { AddressSpace } from "../conformance/mm-model.ts";
import { randomOperations } from "../conformance/mm-operations.ts";
import { expectedFindings, firstWrongFinding, sequenceProgram } from "../conformance/mm-sequence.ts";
import { runRandomBytes } from "../conformance/random-bytes.ts";
import { pagewalk } from "../support/process.ts";
import { Random, seedFrom } from "../support/seeds.ts";
import type { Report } from "./report.ts";

const SEED = seedFrom("ACCEPTANCE_SEED");
const BATCHES = 20;
const SEQUENCES = 100;
const OPERATIONS = 400;
const RANDOM_PROGRAMS = 1000;
const LITMUS_ROUNDS = 1_000_000;

export async function conformance(report: Report): Promise<void> {
  report.note(`ACCEPTANCE_SEED=${SEED} repeats this run`);
  await differential(report);
  await riscvTests(report);
  for (const harts of [2, 4]) await litmus(report, harts);
  await mmSequences(report);
  await randomBytes(report);
}

async function differential(report: Report): Promise<void> {
  const failures: string[] = [];
  let executed = 0;
  for (let number = 0; number < BATCHES; number++) {
    const batch = makeBatch(SEED, number);
    executed += executedAtLeast(batch);
    const difference = await compareBatch(batch);
    if (difference !== undefined) failures.push(`DIFFERENTIAL_SEED=${SEED}, batch ${number}: ${difference}`);
  }
  report.add(`differential batches, at least ${executed} random instructions`, BATCHES, failures);
}

/** The upstream tests are not part of this repository: RISCV_TESTS names a folder of ELFs that exit with 0. */
async function riscvTests(report: Report): Promise<void> {
  const folder = process.env.RISCV_TESTS;
  if (folder === undefined) return report.note("riscv-tests: not run, RISCV_TESTS names no folder of user-level ELFs");
  const failures: string[] = [];
  const names = readdirSync(folder).sort();
  for (const name of names) {
    const { status } = await pagewalk(["run", "--timeout", "20", join(folder, name)]);
    if (status !== 0) failures.push(`${name}: ${status}`);
  }
  report.add(`riscv-tests: ${names.join(" ")}`, names.length, failures);
}

async function litmus(report: Report, harts: number): Promise<void> {
  const { rows, status } = await runLitmus(harts, "all", LITMUS_ROUNDS);
  const failures = rows.filter(({ forbidden }) => forbidden > 0).map((row) => JSON.stringify(row));
  if (failures.length === 0 && (status !== 0 || rows.length === 0))
    failures.push(`exit code ${status}, ${rows.length} rows`);
  report.add(`litmus tests on ${harts} harts, ${LITMUS_ROUNDS} rounds each`, Math.max(rows.length, 1), failures);
}

async function mmSequences(report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "acceptance-"));
  const failures: string[] = [];
  for (let seed = SEED; seed < SEED + SEQUENCES; seed++) {
    const space = new AddressSpace();
    const operations = randomOperations(new Random(seed), space, OPERATIONS);
    const program = join(directory, "sequence");
    writeFileSync(program, sequenceProgram(operations), { mode: 0o755 });
    const { stdout, status } = await pagewalk(["run", program]);
    const wrong = firstWrongFinding(operations, expectedFindings(operations, space), stdout);
    if (status !== 0 || wrong !== undefined) failures.push(`MM_SEED=${seed}: ${status} ${wrong}`);
  }
  rmSync(directory, { recursive: true, force: true });
  report.add(`sequences of ${OPERATIONS} mm system calls against the model`, SEQUENCES, failures);
}

async function randomBytes(report: Report): Promise<void> {
  const { exits, signals, loops, failures } = await runRandomBytes(SEED, RANDOM_PROGRAMS);
  const counts = `${signals} killed by a signal, ${exits} exited, ${loops} stopped after looping`;
  report.add(`programs of random bytes (${counts})`, RANDOM_PROGRAMS, failures);
}
