// Between any two accesses: the root table that a hart has in satp is alive and is the one that was loaded (spec A-I1),
// and the active_mm of its current task, which an NMI handler may read at any step, is not freed (A-I2).

import {
  HART_CURRENT,
  HART_SATP_ROOT,
  MM_GENERATION,
  PAGE_FLAGS,
  PAGE_GENERATION,
  PG_RESERVED,
  PG_TABLE,
  TASK_ACTIVE_MM,
} from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { pageOf } from "../mm/frame/page.ts";
import type { StateChecker } from "./checker.ts";

export class LoadedMmChecker implements StateChecker {
  readonly #harts: readonly HartLocal[];
  readonly #changed: () => void;
  readonly #nmisLook: boolean;
  readonly #root: Int32Array;
  readonly #rootGeneration: Int32Array;
  readonly #mm: Int32Array;
  readonly #mmGeneration: Int32Array;

  /**
   * `changed` is called when a hart has loaded another mm, or made another one active. With `nmisLook` it is the
   * handlers of NMIs that look at active_mm (host/kernel/nmi.ts), and nothing is said here about A-I2.
   */
  constructor(harts: readonly HartLocal[], changed: () => void, nmisLook: boolean) {
    this.#harts = harts;
    this.#changed = changed;
    this.#nmisLook = nmisLook;
    this.#root = new Int32Array(harts.length);
    this.#rootGeneration = new Int32Array(harts.length);
    this.#mm = new Int32Array(harts.length);
    this.#mmGeneration = new Int32Array(harts.length);
  }

  reset(): void {
    this.#root.fill(0);
    this.#mm.fill(0);
  }

  check(): string {
    for (const { id, base, shared } of this.#harts) {
      const { i32 } = shared;
      const root = i32[(base + HART_SATP_ROOT) >>> 2];
      const page = pageOf(root) >>> 2;
      const rootGeneration = i32[page + (PAGE_GENERATION >>> 2)];
      if (root !== this.#root[id]) {
        this.#root[id] = root;
        this.#changed();
        this.#rootGeneration[id] = rootGeneration;
      }
      // The root of init_mm is reserved.
      if ((i32[page + (PAGE_FLAGS >>> 2)] & (PG_TABLE | PG_RESERVED)) === 0) {
        return `hart ${id} has a freed root table in satp`;
      }
      if (rootGeneration !== this.#rootGeneration[id]) return `hart ${id} has a recycled root table in satp`;
      const found = this.#checkActiveMm(id, i32[(base + HART_CURRENT) >>> 2], i32);
      if (found !== "") return found;
    }
    return "";
  }

  checkAtEnd(): string {
    return "";
  }

  #checkActiveMm(id: number, task: number, i32: Int32Array<ArrayBufferLike>): string {
    if (task === 0) return "";
    const mm = i32[(task + TASK_ACTIVE_MM) >>> 2];
    if (mm !== this.#mm[id]) this.#changed();
    if (mm === 0) {
      this.#mm[id] = 0;
      return "";
    }
    const generation = i32[(mm + MM_GENERATION) >>> 2];
    if (mm !== this.#mm[id]) {
      this.#mm[id] = mm;
      this.#mmGeneration[id] = generation;
    }
    if (generation === this.#mmGeneration[id] || this.#nmisLook) return "";
    return `an NMI on hart ${id} would read a freed mm in active_mm of the current task`;
  }
}
