// The main thread's end of the trace rings: takes what the harts have written, in the order of time, and gives it to a
// sink as lines of text.
//
// Rings are looked at every few milliseconds instead of being announced by the harts, which are the ones that must not
// be disturbed. A look takes the records that are older than the look itself, so that a hart that writes meanwhile does
// not get in front of another. In the deterministic driver, where that would depend on the host, it takes those older
// than the newest: virtual time goes in one direction for all harts, so nothing can be missing between them.

import {
  MACHINE_BASE,
  MACHINE_HART_COUNT,
  MACHINE_OPTIONS,
  OPTION_DETERMINISTIC,
  RING_HEAD,
  RING_TAIL,
  TRACE_ARGS,
  TRACE_BYTES,
  TRACE_LOST,
  TRACE_TIME,
} from "../../assembly/layout.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { TRACE_COMM, TRACE_LOST_EVENTS, traceRecord, traceRing } from "../memory/trace.ts";
import { commOfRecord, eventOf, formatLost, formatRecord, TRACE_HEADING } from "./trace-text.ts";

/** Where a trace goes. */
export interface TraceSink {
  /** Resolves when `text` has been taken; rejects if it never will be: then nothing more is written. */
  write(text: string): Promise<void>;
  /** Nothing more will come: a reader that has stalled is given up soon. */
  hurry(): void;
}

export interface TraceReport {
  /** Events for which there was no room in a ring, or no taker. */
  readonly lost: number;
  /** Why nothing more could be written, or "". */
  readonly error: string;
}

const LOOK_EVERY_MS = 5;
/** Records between two calls of the sink. */
const CHUNK_RECORDS = 4096;

export class TracePump {
  readonly #shared: SharedMemory;
  readonly #sink: TraceSink;
  readonly #nowNs: () => number;
  readonly #isDeterministic: boolean;
  readonly #harts: number;
  /** Names of the tasks, by hart: of the records that come next. */
  readonly #names: string[];
  /** For each ring: what this look has read, and how far it goes. */
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  #finishing = false;
  #wake: () => void = () => {};
  #discarded = 0;
  #error = "";

  /** `nowNs` reads the machine's clock. */
  constructor(shared: SharedMemory, sink: TraceSink, nowNs: () => number) {
    this.#shared = shared;
    this.#sink = sink;
    this.#nowNs = nowNs;
    this.#isDeterministic = (shared.get(MACHINE_BASE + MACHINE_OPTIONS) & OPTION_DETERMINISTIC) !== 0;
    this.#harts = shared.get(MACHINE_BASE + MACHINE_HART_COUNT);
    this.#names = Array.from({ length: this.#harts }, () => "<...>");
    this.#heads = Int32Array.from({ length: this.#harts }, (_, id) => shared.get(traceRing(id) + RING_HEAD));
    this.#tails = new Int32Array(this.#harts);
  }

  /** Carries events until finish() has been called and the rings are empty. */
  async run(): Promise<TraceReport> {
    await this.#give(TRACE_HEADING);
    for (;;) {
      const finishing = this.#finishing;
      const isMore = await this.#look(finishing);
      if (finishing && !isMore) break;
      if (!isMore) await this.#pause();
    }
    return { lost: this.#lost(), error: this.#error };
  }

  /** The harts have stopped. */
  finish(): void {
    this.#finishing = true;
    this.#sink.hurry();
    this.#wake();
  }

  /** Writes what the rings hold, up to a chunk of it; true if there is more. */
  async #look(takesAll: boolean): Promise<boolean> {
    // The clock before the rings: what is newer may have an older neighbour on its way.
    const now = this.#nowNs();
    for (let id = 0; id < this.#harts; id++) {
      this.#tails[id] = Atomics.load(this.#shared.i32, (traceRing(id) + RING_TAIL) >>> 2);
    }
    const before = takesAll ? Number.POSITIVE_INFINITY : this.#isDeterministic ? this.#newest() : now;
    const lines: string[] = [];
    let records = 0;
    while (records < CHUNK_RECORDS) {
      const id = this.#oldest(before);
      if (id < 0) break;
      records++;
      const line = this.#take(id);
      if (line !== "") lines.push(line);
    }
    if (lines.length > 0) await this.#give(`${lines.join("\n")}\n`);
    // Only now, so that a reader that stalls fills the rings, and not this process.
    this.#free();
    return records === CHUNK_RECORDS;
  }

  /** The ring whose next record is the oldest, if it is older than `before`; else -1. */
  #oldest(before: number): number {
    let oldest = before;
    let found = -1;
    for (let id = 0; id < this.#harts; id++) {
      if (this.#heads[id] === this.#tails[id]) continue;
      const time = this.#timeAt(id, this.#heads[id]);
      if (time >= oldest) continue;
      oldest = time;
      found = id;
    }
    return found;
  }

  #newest(): number {
    let newest = 0;
    for (let id = 0; id < this.#harts; id++) {
      if (this.#heads[id] === this.#tails[id]) continue;
      newest = Math.max(newest, this.#timeAt(id, this.#tails[id] - TRACE_BYTES));
    }
    return newest;
  }

  /** The next record of a ring as a line, or "" if it only says whose the next ones are. */
  #take(id: number): string {
    const shared = this.#shared;
    const record = traceRecord(id, this.#heads[id]);
    this.#heads[id] += TRACE_BYTES; // an Int32Array wraps as the ring does
    switch (eventOf(shared, record)) {
      case TRACE_COMM:
        this.#names[id] = commOfRecord(shared, record);
        return "";
      case TRACE_LOST_EVENTS:
        this.#names[id] = "<...>";
        return formatLost(id, shared.i32[(record + TRACE_ARGS) >>> 2]);
      default:
        if (this.#error !== "") this.#discarded++;
        return formatRecord(shared, record, id, this.#names[id]);
    }
  }

  /** After a failure the rings are emptied all the same: a hart may wait for room. */
  async #give(text: string): Promise<void> {
    if (this.#error !== "") return;
    try {
      await this.#sink.write(text);
    } catch (error) {
      this.#error = (error as Error).message;
    }
  }

  #free(): void {
    for (let id = 0; id < this.#harts; id++) {
      const head = (traceRing(id) + RING_HEAD) >>> 2;
      if (this.#shared.i32[head] === this.#heads[id]) continue;
      Atomics.store(this.#shared.i32, head, this.#heads[id]);
      Atomics.notify(this.#shared.i32, head);
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_EVERY_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#finishing) this.#wake();
    });
  }

  #timeAt(id: number, position: number): number {
    return this.#shared.getF64(traceRecord(id, position) + TRACE_TIME);
  }

  #lost(): number {
    let lost = this.#discarded;
    for (let id = 0; id < this.#harts; id++) lost += this.#shared.get(traceRing(id) + TRACE_LOST);
    return lost;
  }
}
