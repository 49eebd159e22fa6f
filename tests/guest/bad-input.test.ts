import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { endlessWriter, LOOP_KINDS, looping } from "../support/hand-made.ts";
import { COMMAND } from "../support/paths.ts";
import { commandLine, run } from "../support/process.ts";
import { badInputs } from "./bad-input.ts";

const directory = mkdtempSync(join(tmpdir(), "bad-input-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const STOP_MS = 1000;

describe("one line, and the right exit code, for", () => {
  test.each(badInputs(directory))("$name", async ({ args, nodeArgs = [], status, says, secondsMax = 20 }) => {
    const outcome = await run(process.execPath, [...nodeArgs, COMMAND, ...args]);
    expect(outcome.stderr, commandLine(args)).toMatch(/^[^\n]*\n?$/);
    expect(outcome.stderr).toMatch(says);
    expect(status).toContain(outcome.status);
    expect(outcome.elapsedMs / 1000).toBeLessThan(secondsMax);
  });
});

/** Starts a guest that never ends by itself and waits until it surely runs. */
async function start(name: string, elf: Uint8Array) {
  const path = join(directory, name);
  writeFileSync(path, elf, { mode: 0o755 });
  const child = spawn(process.execPath, [COMMAND, "run", "--harts", "4", path], { stdio: ["ignore", "pipe", "pipe"] });
  const stderr: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const end = async () => {
    const startMs = performance.now();
    const timer = setTimeout(() => child.kill("SIGKILL"), 10 * STOP_MS);
    const [code, signal] = await ended;
    clearTimeout(timer);
    const status = code ?? 128 + constants.signals[signal!];
    return { status, elapsedMs: performance.now() - startMs, stderr: Buffer.concat(stderr).toString() };
  };
  return { child, end };
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test.each(LOOP_KINDS)("Ctrl-C stops a guest that loops on every hart by %s within a second", async (kind) => {
  const { child, end } = await start(`interrupted-${kind}`, looping(kind, 4));
  await sleep(1500);
  child.kill("SIGINT");
  const outcome = await end();
  expect(outcome.status).toBe(128 + constants.signals.SIGINT);
  expect(outcome.stderr).toMatch(/^[^\n]*\n?$/);
  expect(outcome.elapsedMs).toBeLessThan(STOP_MS);
});

test("a closed output pipe ends a guest that goes on writing", async () => {
  const { child, end } = await start("writer", endlessWriter());
  await once(child.stdout, "data");
  child.stdout.destroy();
  const outcome = await end();
  expect([125, 128 + constants.signals.SIGPIPE]).toContain(outcome.status);
  expect(outcome.stderr).toMatch(/^[^\n]*\n?$/);
  expect(outcome.elapsedMs).toBeLessThan(2 * STOP_MS);
});

test("a stalled output pipe holds the guest back instead of filling memory", async () => {
  const { child, end } = await start("stalled", endlessWriter());
  await once(child.stdout, "data");
  child.stdout.pause();
  await sleep(1500);
  const before = residentBytes(child.pid!);
  await sleep(1500);
  const grown = residentBytes(child.pid!) - before;
  child.kill("SIGINT");
  expect((await end()).status).toBe(128 + constants.signals.SIGINT);
  expect(grown).toBeLessThan(16 * 2 ** 20);
});

/** Linux only, as are the oracles. */
function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s*(\d+) kB/.exec(status)![1]) * 1024;
}
