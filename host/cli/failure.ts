// How a command fails: one line on stderr, and an exit code that scripts can tell apart.

import { ConfigError, NotFoundError, NotRunnableError } from "../machine/errors.ts";
import { EXIT_CODE_HOST_ERROR, EXIT_CODE_NOT_FOUND, EXIT_CODE_NOT_RUNNABLE } from "../machine/exit-status.ts";

/** Writes the line and returns the exit code. */
export function reportFailure(error: unknown): number {
  process.stderr.write(`pagewalk: ${oneLine(error)}\n`);
  if (error instanceof NotFoundError) return EXIT_CODE_NOT_FOUND;
  if (error instanceof NotRunnableError) return EXIT_CODE_NOT_RUNNABLE;
  return EXIT_CODE_HOST_ERROR;
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof ConfigError ? " (see --help)" : "";
  return message.split("\n", 1)[0] + hint;
}
