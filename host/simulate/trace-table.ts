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
  /** How many accesses it stands for. */
  count: number;
}

/** Accesses that no other hart looks at, in a row. */
const PRIVATE = "(of its own)";

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
  record(hart: number, kind: number, address: number, isShared: boolean): void {
    this.#close();
    const last = this.#steps.at(-1);
    if (!isShared && last?.hart === hart && last.what === PRIVATE) {
      last.count++;
      return;
    }
    if (isShared && kind !== POINT_GUEST && kind !== POINT_IPI) this.#open = address;
    const where = kind === POINT_GUEST ? `va 0x${address.toString(16)}` : nameOf(address);
    const what = isShared ? `${WORDS[kind] ?? "?"} ${where}` : PRIVATE;
    this.#steps.push({ hart, what, value: "", count: 1 });
  }

  lines(): string[] {
    this.#close();
    const first = Math.max(0, this.#steps.length - LINES_MAX);
    const heads = Array.from({ length: this.#harts }, (_, hart) => `hart ${hart}`.padEnd(COLUMN));
    const lines = [`step  ${heads.join("")}`.trimEnd()];
    if (first > 0) lines.push(`      (${first} lines before)`);
    let step = 0;
    for (let i = 0; i < this.#steps.length; i++) {
      const { hart, what, value, count } = this.#steps[i];
      const text = what === PRIVATE ? `${count} of its own` : `${what}${value}`;
      if (i >= first) lines.push(`${String(step).padStart(4)}  ${"".padEnd(COLUMN * hart)}${text}`);
      step += count;
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
