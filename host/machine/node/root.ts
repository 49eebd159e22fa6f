// The directory that a guest has as its root, opened once for all harts: a descriptor is the same in every thread.

import { closeSync, constants, openSync, realpathSync, statSync } from "node:fs";
import { ConfigError } from "../errors.ts";
import type { HostRoot } from "./host-files.ts";

/** Throws ConfigError. The user's own path may lead over links; what the guest sees begins where it ends. */
export function openRoot(path: string): HostRoot {
  try {
    const real = realpathSync.native(path, "latin1");
    const status = statSync(Buffer.from(real, "latin1"));
    if (!status.isDirectory()) throw new ConfigError(`root ${JSON.stringify(path)}: give a directory`);
    const fd = openSync(Buffer.from(real, "latin1"), constants.O_RDONLY | constants.O_DIRECTORY);
    return { path: real, fd };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`root ${JSON.stringify(path)}: ${reasonOf(error)}`);
  }
}

export function closeRoot(root: HostRoot): void {
  closeSync(root.fd);
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
      return "there is no such directory";
    case "ENOTDIR":
      return "give a directory";
    case "EACCES":
      return "permission denied";
    default:
      return (error as Error).message;
  }
}
