// What a guest has as its root file system: a directory or an archive of the host, opened once for all harts. A
// descriptor is the same in every thread.

import { closeSync, constants, openSync, realpathSync, statSync } from "node:fs";
import { TarFiles } from "../../fs/tar/tar-files.ts";
import type { HostFiles } from "../../memory/host-files.ts";
import { ConfigError } from "../errors.ts";
import { type HostRoot, NodeHostFiles } from "./host-files.ts";
import { closeTar, type HostTar, openTar, tarReader } from "./tar.ts";

/** Can be cloned to a worker. */
export type GuestRoot = HostRoot | HostTar;

/** At most one of the two. Throws ConfigError. */
export function openRoot(directory: string | null, archive: string | null): GuestRoot | null {
  if (directory !== null) return openDirectory(directory);
  return archive === null ? null : openTar(archive);
}

/** After the workers have ended. */
export function closeRoot(root: GuestRoot): void {
  if ("index" in root) closeTar(root);
  else closeSync(root.fd);
}

/** The root as one of `workers` harts asks for it; files are read into `memory`. */
export function hostFiles(root: GuestRoot, memory: Uint8Array, workers: number): HostFiles {
  if ("index" in root) return new TarFiles(root.index, tarReader(root, memory));
  return new NodeHostFiles(root, memory, workers);
}

/** The user's own path may lead over links; what the guest sees begins where it ends. */
function openDirectory(path: string): HostRoot {
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
