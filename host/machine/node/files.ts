// What the machine reads from the host's disk: the program, and the core beside the bundles.

import { readFile, stat } from "node:fs/promises";
import { HostError, NotFoundError, NotRunnableError } from "../errors.ts";

/** A riscv64 executable larger than the largest guest memory can never be loaded. */
const PROGRAM_BYTES_MAX = 2 ** 31;

/** The program's bytes. Throws NotFoundError or NotRunnableError. */
export async function readProgram(path: string): Promise<Uint8Array> {
  try {
    const status = await stat(path);
    if (status.isDirectory()) throw new NotRunnableError(`${path}: is a directory`);
    if (!status.isFile()) throw new NotRunnableError(`${path}: is not a regular file`);
    if (status.size > PROGRAM_BYTES_MAX) throw new NotRunnableError(`${path}: is too large for a program`);
    return await readFile(path);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** A file that the build put beside the bundle that runs. */
export async function readBuildFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`./${name}`, import.meta.url);
  try {
    const bytes = await readFile(url);
    return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  } catch {
    throw new HostError(`${url.pathname} is missing: run npm run build`);
  }
}

function fileError(path: string, error: unknown): Error {
  if (error instanceof NotRunnableError) return error;
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
    case "ENOTDIR":
      return new NotFoundError(`${path}: no such file`);
    case "EACCES":
    case "EPERM":
      return new NotRunnableError(`${path}: permission denied`);
    default:
      return new NotRunnableError(`${path}: ${(error as Error).message}`);
  }
}
