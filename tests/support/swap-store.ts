// A swap store without a file.

import { PAGE_BYTES } from "../../assembly/layout.ts";
import { EIO } from "../../host/memory/errno.ts";
import type { SwapStore } from "../../host/memory/hart-services.ts";

export class MemorySwapStore implements SwapStore {
  readonly #memory: Uint8Array;
  readonly #pages = new Map<number, Uint8Array>();
  /** How many of the next reads fail. */
  failingReads = 0;

  /** `memory`: that of the machine. */
  constructor(memory: Uint8Array) {
    this.#memory = memory;
  }

  write(slot: number, address: number): number {
    this.#pages.set(slot, this.#memory.slice(address, address + PAGE_BYTES));
    return 0;
  }

  read(slot: number, address: number): number {
    if (this.failingReads > 0) {
      this.failingReads--;
      return -EIO;
    }
    this.#memory.set(this.#pages.get(slot)!, address);
    return 0;
  }
}
