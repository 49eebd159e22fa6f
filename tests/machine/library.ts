// The library as users import it: the build, with the types of its source.

import { BUILD } from "../support/paths.ts";

type Library = typeof import("../../host/index.ts");

export const { exitCodeOf, Machine, ConfigError, HostError, NotFoundError, NotRunnableError } = (await import(
  `${BUILD}/index.js`
)) as Library;

export interface Captured {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly output: (fd: 1 | 2, bytes: Uint8Array) => void;
}

/** An output sink that keeps everything. */
export function capture(): Captured {
  const parts: Uint8Array[][] = [[], [], []];
  const text = (fd: number) => Buffer.concat(parts[fd]).toString();
  return { stdout: () => text(1), stderr: () => text(2), output: (fd, bytes) => void parts[fd].push(bytes) };
}
