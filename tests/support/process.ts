// Runs programs as a user would: the built command, or qemu-riscv64, with stdin given and everything they print taken.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { COMMAND } from "./paths.ts";

export interface Outcome {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** As a shell sees it: the exit code, or 128 + signal. */
  readonly status: number;
  readonly elapsedMs: number;
}

export interface RunOptions {
  readonly input?: Uint8Array;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The process is killed and the run fails after this long. Default 60 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 60_000;

export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const startMs = performance.now();
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: "pipe" });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on("error", () => {}); // EPIPE: the program did not read to the end
  child.stdin.end(options.input ?? new Uint8Array());

  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  const elapsedMs = performance.now() - startMs;
  const text = Buffer.concat(stderr).toString();
  if (hung) throw new Error(`no end after ${timeoutMs / 1000} s: ${command} ${args.join(" ")}\n${text}`);
  const status = code ?? 128 + constants.signals[signal!];
  return { stdout: Buffer.concat(stdout), stderr: text, status, elapsedMs };
}

/** `node build/pagewalk.cjs ARGS`. */
export function pagewalk(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run(process.execPath, [COMMAND, ...args], options);
}

/** The command line that repeats a run of `pagewalk`. */
export function commandLine(args: readonly string[]): string {
  return `node build/pagewalk.cjs ${args.join(" ")}`;
}
