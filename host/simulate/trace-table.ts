// A schedule as a table with a column per hart: what each did, one access a line, and what the word was afterwards.

import { nameOf } from "../check/names.ts";
import {
  POINT_ACQUIRE,
  POINT_BARRIER,
  POINT_GUEST,
  POINT_IDLE,
  POINT_IPI,
  POINT_NMI,
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
import { isContended, isWatchedStore, userBit } from "./contention.ts";

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
  [POINT_NMI]: "NMI",
};

const COLUMN = 44;
/** Long schedules show their last steps: there the bug is. */
const LINES_MAX = 120;

interface Step {
  readonly hart: number;
  readonly kind: number;
  readonly address: number;
  /** What the word held afterwards. */
  value: number;
}

export class TraceTable {
  readonly #shared: SharedMemory;
  readonly #harts: number;
  readonly #steps: Step[] = [];
  /** Who has touched each word in this schedule: what is shown depends on nothing that other schedules have taught. */
  readonly #users = new Map<number, number>();

  constructor(shared: SharedMemory, harts: number) {
    this.#shared = shared;
    this.#harts = harts;
  }

  /** The hart is about to make this access. */
  record(hart: number, kind: number, address: number): void {
    this.#close();
    this.#steps.push({ hart, kind, address, value: 0 });
    this.#users.set(address, (this.#users.get(address) ?? 0) | userBit(hart, kind));
  }

  get steps(): number {
    return this.#steps.length;
  }

  /** FNV-1a over every step and what it left in its word. */
  hash(): string {
    this.#close();
    let hash = 0x811c9dc5;
    for (const { hart, kind, address, value } of this.#steps) {
      for (const word of [hart, kind, address, value]) hash = Math.imul(hash ^ word, 0x01000193);
    }
    return (hash >>> 0).toString(16).padStart(8, "0");
  }

  /** Accesses that no other hart looks at stand in one line, as many as there are in a row. */
  lines(): string[] {
    this.#close();
    const lines: string[] = [];
    for (let i = 0; i < this.#steps.length; ) {
      const { hart } = this.#steps[i];
      let own = 0;
      while (i + own < this.#steps.length && this.#steps[i + own].hart === hart && this.#isOwn(this.#steps[i + own]))
        own++;
      const text = own > 0 ? `${own} of its own` : describe(this.#steps[i]);
      lines.push(`${String(i).padStart(4)}  ${"".padEnd(COLUMN * hart)}${text}`);
      i += Math.max(own, 1);
    }
    const heads = Array.from({ length: this.#harts }, (_, hart) => `hart ${hart}`.padEnd(COLUMN));
    const cut = Math.max(0, lines.length - LINES_MAX);
    const before = cut > 0 ? [`      (${cut} lines before)`] : [];
    return [`step  ${heads.join("")}`.trimEnd(), ...before, ...lines.slice(cut)];
  }

  #isOwn({ kind, address }: Step): boolean {
    return (
      kind !== POINT_GUEST &&
      kind !== POINT_NMI &&
      !isContended(this.#users.get(address) ?? 0) &&
      !isWatchedStore(kind, address)
    );
  }

  #close(): void {
    const last = this.#steps.at(-1);
    if (last === undefined || !hasWord(last.kind)) return;
    last.value = this.#shared.i32[last.address >>> 2];
  }
}

function describe({ kind, address, value }: Step): string {
  if (kind === POINT_NMI) return "NMI";
  const where = kind === POINT_GUEST ? `va 0x${address.toString(16)}` : nameOf(address);
  return `${WORDS[kind] ?? "?"} ${where}${hasWord(kind) ? ` = ${value}` : ""}`;
}

function hasWord(kind: number): boolean {
  return kind !== POINT_GUEST && kind !== POINT_IPI && kind !== POINT_NMI;
}
