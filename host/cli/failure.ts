// How a command fails: one line on stderr, and an exit code that scripts can tell apart.

import { EXIT_CODE_HOST_ERROR, EXIT_CODE_NOT_FOUND, EXIT_CODE_NOT_RUNNABLE } from "../machine/exit-status.ts";
import { hearErrors } from "../machine/node/process.ts";

/** Writes the line and returns the exit code. */
export function reportFailure(error: unknown): number {
  // By name: the command is several bundles, each with its own copy of the classes of machine/errors.ts.
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  const hint = name === "ConfigError" ? " (see --help)" : "";
  sayError(`pagewalk: ${message.split("\n", 1)[0]}${hint}\n`);
  if (name === "NotFoundError") return EXIT_CODE_NOT_FOUND;
  if (name === "NotRunnableError") return EXIT_CODE_NOT_RUNNABLE;
  return EXIT_CODE_HOST_ERROR;
}

/** Writes to stderr. That its reader has gone changes no exit code. */
export function sayError(text: string): void {
  hearErrors(process.stderr);
  process.stderr.write(text);
}
