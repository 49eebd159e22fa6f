// Child processes of a measurement: run to the end, output collected, a failure is an error that quotes it.

import { spawn } from "node:child_process";

export interface Finished {
  readonly stdout: string;
  /** From just before the process was made until it was gone. */
  readonly elapsedMs: number;
}

/** Throws if the process does not exit with 0. `onStart` gets its pid. */
export function runChild(command: string, args: readonly string[], onStart?: (pid: number) => void): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const elapsedMs = performance.now() - start;
      if (code === 0) resolve({ stdout, elapsedMs });
      else
        reject(new Error(`${[command, ...args].join(" ")}: ${signal ?? `exit ${code}`}: ${(stderr || stdout).trim()}`));
    });
    if (child.pid !== undefined) onStart?.(child.pid);
  });
}

/** The guest programs time themselves, so that neither side pays for its start. */
export function elapsedNs(stdout: string): number {
  const match = /^elapsed_ns=(\d+)$/m.exec(stdout);
  if (match === null) throw new Error(`no elapsed_ns in ${JSON.stringify(stdout)}`);
  return Number(match[1]);
}
