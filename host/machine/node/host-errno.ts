// A failed call of node:fs as Linux's errno. By name, not by number: numbers are the host's own.

import * as errno from "../../memory/errno.ts";

/** A refusal of ours, in the shape of one of the host's. */
export class HostFailure extends Error {
  readonly code: string;

  constructor(code: keyof typeof BY_CODE) {
    super(code);
    this.name = "HostFailure";
    this.code = code;
  }
}

const BY_CODE = {
  EACCES: errno.EACCES,
  EAGAIN: errno.EAGAIN,
  EINTR: errno.EINTR,
  EINVAL: errno.EINVAL,
  EIO: errno.EIO,
  EISDIR: errno.EISDIR,
  ELOOP: errno.ELOOP,
  EMFILE: errno.ENFILE, // the host's limit, not the guest's
  ENAMETOOLONG: errno.ENAMETOOLONG,
  ENFILE: errno.ENFILE,
  ENODEV: errno.ENODEV,
  ENOENT: errno.ENOENT,
  ENOMEM: errno.ENOMEM,
  ENOTDIR: errno.ENOTDIR,
  ENXIO: errno.ENXIO,
  EOVERFLOW: errno.EOVERFLOW,
  EPERM: errno.EPERM,
  ESTALE: errno.ESTALE,
} as const satisfies Record<string, number>;

/** The code of a failed host call; anything else is a bug and goes on as an exception. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (typeof code !== "string" || code.startsWith("ERR_")) throw error;
  return code;
}

/** Negative. What the host cannot say in Linux's words is -EIO. */
export function errnoOf(code: string): number {
  return -((BY_CODE as Readonly<Record<string, number>>)[code] ?? errno.EIO);
}
