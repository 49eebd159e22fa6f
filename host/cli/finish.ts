// What a command says once its machine has stopped: counters if they were asked for, the reason if it was no plain
// exit, and the exit code.

import { EXIT_CODE_HOST_ERROR, type ExitStatus, exitCodeOf } from "../machine/exit-status.ts";
import type { Machine } from "../machine/machine.ts";
import { readOutputFailure } from "../machine/node/process.ts";
import { formatStats } from "../observe/stats.ts";
import { sayError } from "./failure.ts";
import type { MachineFlags } from "./options.ts";

const MISSING_HINT = "choose fewer with --trace-events, or let --driver deterministic wait for the file";

/** Returns the exit code. */
export async function finish(machine: Machine, status: ExitStatus, flags: MachineFlags): Promise<number> {
  const reason = reasonLine(status, flags);
  if (reason !== "") sayError(`pagewalk: ${reason}\n`);
  const { error, lost } = machine.traceReport;
  if (error !== "") sayError(`pagewalk: trace ${flags.trace}: ${error}; ${lost} events are missing\n`);
  else if (lost > 0) sayError(`pagewalk: trace ${flags.trace}: ${lost} events are missing: ${MISSING_HINT}\n`);
  if (flags.stats) sayError(formatStats(machine.stats()));
  if (flags.json !== undefined) {
    const { writeFile } = await import("node:fs/promises");
    const report = { status, exitCode: exitCodeOf(status), notices: machine.notices, ...machine.stats() };
    await writeFile(flags.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  const outputFailure = readOutputFailure();
  if (outputFailure === "") return exitCodeOf(status);
  // The guest had been told that its bytes were written: its own 0 must not hide that they were not.
  sayError(`pagewalk: ${outputFailure}\n`);
  return exitCodeOf(status) || EXIT_CODE_HOST_ERROR;
}

function reasonLine(status: ExitStatus, flags: MachineFlags): string {
  switch (status.kind) {
    case "timeout":
      return `stopped after ${flags.timeout} s`;
    case "not-runnable":
    case "oops":
      return status.message;
    case "exit":
    case "signal": // the kernel has said why
    case "stopped":
      return "";
  }
}
