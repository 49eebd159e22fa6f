import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TRACED } from "../stress/trace-hash.ts";
import { ROOT } from "../support/paths.ts";
import { type Outcome, run } from "../support/process.ts";
import type { Report } from "./report.ts";

const MINUTES_MAX = 30;
const SEEDS = 20;
const HARTS = 3;

/** What is committed, not what lies in the folder. */
export async function clone(report: Report, directory: string, name: string): Promise<string> {
  const path = join(directory, name);
  await step(report, "git clone", run("git", ["clone", "--quiet", ROOT, path]));
  await step(report, "npm ci", inClone(path, "npm", ["ci", "--no-audit", "--no-fund"]));
  return path;
}

/** Without the variables that say where this repository is. */
export function inClone(cwd: string, command: string, args: readonly string[]): Promise<Outcome> {
  const { PAGEWALK_ROOT: _, ...env } = process.env;
  return run(command, args, { cwd, env, timeoutMs: MINUTES_MAX * 60_000 });
}

async function step(report: Report, what: string, running: Promise<Outcome>): Promise<Outcome> {
  const outcome = await running;
  report.add(what, 1, outcome.status === 0 ? [] : [`exit code ${outcome.status}: ${outcome.stderr.slice(-2000)}`]);
  return outcome;
}

export async function freshClone(report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "acceptance-"));
  try {
    const path = await clone(report, directory, "pagewalk");
    const demo = await step(report, "npm start", inClone(path, "npm", ["start"]));
    report.note(demo.stdout.toString());
    const tests = await step(report, "npm test", inClone(path, "npm", ["test"]));
    report.note(tests.stdout.toString().trimEnd().split("\n").slice(-8).join("\n"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export async function tracesOfTwoClones(report: Report): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "acceptance-"));
  try {
    const clones = [await clone(report, directory, "first"), await clone(report, directory, "second")];
    for (const words of TRACED) {
      const failures: string[] = [];
      for (let seed = 1; seed <= SEEDS; seed++) {
        const hashes = [];
        for (const path of [clones[0], clones[0], clones[1]]) hashes.push(await traceHash(path, words, seed));
        if (new Set(hashes).size !== 1) failures.push(`seed ${seed}: ${hashes.join(", ")}`);
        else if (seed === 1) report.note(`${words.join(" ")}, seed 1: ${hashes[0]}`);
      }
      report.add(`${words.join(" ")}: twice in one clone and once in another, per seed`, SEEDS, failures);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function traceHash(clone: string, words: readonly string[], seed: number): Promise<string> {
  const json = join(clone, "build/trace.json");
  const [program, ...args] = words;
  const options = ["--driver", "deterministic", "--seed", `${seed}`, "--harts", `${HARTS}`, "--json", json];
  const command = ["build/pagewalk.cjs", "run", ...options, `guest-programs/prebuilt/${program}`, ...args];
  const outcome = await inClone(clone, process.execPath, command);
  if (outcome.status !== 0) return `exit code ${outcome.status}: ${outcome.stderr}`;
  const stats = JSON.parse(readFileSync(json, "utf8")) as { deterministic: { traceHash: string } };
  return stats.deterministic.traceHash;
}
