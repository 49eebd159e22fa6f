// A schedule as a table with a column per hart: what each did, one access a line, and what the word was afterwards.

import { nameOf } from "../check/names.ts";
import {
  POINT_ACQUIRE,
  POINT_BARRIER,
  POINT_GUEST,
  POINT_IDLE,
  POINT_IPI,
  POINT_ONCE_LOAD,
  POINT_ONCE_STORE,
  POINT_RELEASE,
  POINT_RMW,
  POINT_RMW_ACQUIRE,
  POINT_RMW_RELAXED,
  POINT_RMW_RELEASE,
  POINT_WAIT,
} from "../memory/schedule.ts";
import type { SharedMemory } from "../memory/shared.ts";

const WORDS: Readonly<Record<number, string>> = {
  [POINT_ONCE_LOAD]: "load",
  [POINT_ONCE_STORE]: "store",
  [POINT_ACQUIRE]: "load.acq",
  [POINT_RELEASE]: "store.rel",
  [POINT_RMW]: "rmw",
  [POINT_RMW_RELAXED]: "rmw.rlx",
  [POINT_RMW_ACQUIRE]: "rmw.acq",
  [POINT_RMW_RELEASE]: "rmw.rel",
  [POINT_BARRIER]: "mb",
  [POINT_WAIT]: "wait",
  [POINT_IDLE]: "rest",
  [POINT_GUEST]: "guest",
  [POINT_IPI]: "ipi",
};

const COLUMN = 44;
/** Long schedules show their last steps: there the bug is. */
const LINES_MAX = 120;

interface Step {
  readonly hart: number;
  readonly what: string;
  value: string;
}

export class TraceTable {
  readonly #shared: SharedMemory;
  readonly #harts: number;
  readonly #steps: Step[] = [];
  #open = 0;

  constructor(shared: SharedMemory, harts: number) {
    this.#shared = shared;
    this.#harts = harts;
  }

  /** The hart is about to make this access. */
  record(hart: number, kind: number, address: number): void {
    this.#close();
    this.#open = kind === POINT_GUEST || kind === POINT_IPI ? 0 : address;
    const where = kind === POINT_GUEST ? `va 0x${address.toString(16)}` : nameOf(address);
    this.#steps.push({ hart, what: `${WORDS[kind] ?? "?"} ${where}`, value: "" });
  }

  lines(): string[] {
    this.#close();
    const first = Math.max(0, this.#steps.length - LINES_MAX);
    const heads = Array.from({ length: this.#harts }, (_, hart) => `hart ${hart}`.padEnd(COLUMN));
    const lines = [`step  ${heads.join("")}`.trimEnd()];
    if (first > 0) lines.push(`      (${first} steps before)`);
    for (let i = first; i < this.#steps.length; i++) {
      const { hart, what, value } = this.#steps[i];
      lines.push(`${String(i).padStart(4)}  ${"".padEnd(COLUMN * hart)}${what}${value}`);
    }
    return lines;
  }

  #close(): void {
    const last = this.#steps.at(-1);
    if (last === undefined || this.#open === 0) return;
    last.value = ` = ${this.#shared.i32[this.#open >>> 2]}`;
    this.#open = 0;
  }
}
