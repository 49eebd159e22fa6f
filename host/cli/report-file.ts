// The file of --json. It is written when the guest has ended, and a long run should not end with the news that it
// cannot be.

import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { InvalidArgumentError } from "commander";

/** Parser of the option: `path` itself, if a file of that name can be written. */
export function checkReportFile(path: string): string {
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing?.isDirectory()) throw new InvalidArgumentError("It is a directory.");
  const parent = statSync(dirname(path), { throwIfNoEntry: false });
  if (!parent?.isDirectory()) throw new InvalidArgumentError("There is no such directory.");
  try {
    accessSync(existing === undefined ? dirname(path) : path, constants.W_OK);
  } catch {
    throw new InvalidArgumentError("It cannot be written.");
  }
  return path;
}
