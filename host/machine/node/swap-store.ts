// The swap store: a temporary file of the host, without a name from the start, so that it goes with the process
// whatever ends it. The main thread opens it; a descriptor is the same in every thread.

import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PAGE_BYTES } from "../../../assembly/layout.ts";
import { EIO } from "../../memory/errno.ts";
import type { SwapStore } from "../../memory/hart-services.ts";
import { HostError } from "../errors.ts";

/** A descriptor of a new, empty, nameless file. Throws HostError. */
export function openSwapFile(): number {
  try {
    const folder = mkdtempSync(join(tmpdir(), "pagewalk-swap-"));
    const fd = openSync(join(folder, "swap"), constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    rmSync(folder, { recursive: true });
    return fd;
  } catch (error) {
    throw new HostError(`cannot make a swap file: ${(error as Error).message}`);
  }
}

export function closeSwapFile(fd: number): void {
  closeSync(fd);
}

type Transfer = (fd: number, memory: Uint8Array, offset: number, bytes: number, position: number) => number;

export class NodeSwapStore implements SwapStore {
  readonly #fd: number;
  readonly #memory: Uint8Array;

  constructor(fd: number, memory: Uint8Array) {
    this.#fd = fd;
    this.#memory = memory;
  }

  write(slot: number, address: number): number {
    return this.#transfer(writeSync, slot, address);
  }

  read(slot: number, address: number): number {
    return this.#transfer(readSync, slot, address);
  }

  #transfer(call: Transfer, slot: number, address: number): number {
    try {
      for (let done = 0; done < PAGE_BYTES; ) {
        const count = call(this.#fd, this.#memory, address + done, PAGE_BYTES - done, slot * PAGE_BYTES + done);
        if (count === 0) return -EIO;
        done += count;
      }
      return 0;
    } catch {
      return -EIO; // the host's disk is full, or broken
    }
  }
}
