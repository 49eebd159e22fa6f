// The file that a trace is written to: a regular one, or a pipe with a reader that may be slow.

import { closeSync, constants, openSync, writeSync } from "node:fs";
import type { TraceSink } from "../../observe/trace-pump.ts";
import { HostError } from "../errors.ts";

const { O_CREAT, O_NOCTTY, O_NONBLOCK, O_TRUNC, O_WRONLY } = constants;
const MODE = 0o666;
const TRY_AGAIN_MS = 5;
/** How long a reader may take nothing at all once the machine has ended. */
const STALL_MS_MAX = 1000;

export interface TraceFile extends TraceSink {
  close(): void;
}

/** Throws HostError, with one line that says why. */
export function openTraceFile(path: string): TraceFile {
  try {
    // Non-blocking: a FIFO without a reader is refused at once, and one whose reader sleeps does not stop this thread.
    return new NodeTraceFile(openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_NONBLOCK, MODE));
  } catch (error) {
    throw new HostError(`trace ${path}: ${reasonOf(error)}`);
  }
}

class NodeTraceFile implements TraceFile {
  #fd: number;
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async write(text: string): Promise<void> {
    let bytes = Buffer.from(text);
    while (bytes.length > 0) {
      const taken = this.#tryWrite(bytes);
      if (taken > 0) {
        bytes = bytes.subarray(taken);
        if (this.#deadlineMs !== Number.POSITIVE_INFINITY) this.hurry();
      } else {
        if (performance.now() > this.#deadlineMs) throw new Error("its reader has stalled");
        await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
      }
    }
  }

  hurry(): void {
    this.#deadlineMs = performance.now() + STALL_MS_MAX;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Bytes taken; 0: not now. */
  #tryWrite(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
      throw new Error(reasonOf(error));
    }
  }
}

function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOENT":
    case "ENOTDIR":
      return "no such directory";
    case "EISDIR":
      return "is a directory";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "permission denied";
    case "ENXIO":
      return "a FIFO that nobody reads";
    case "ENOSPC":
      return "no space left on its device";
    case "EPIPE":
      return "its reader is gone";
    default:
      return (error as Error).message;
  }
}
