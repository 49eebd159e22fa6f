// The console's other end, on the main thread: carries the guest's output to a sink and input into the guest. It never
// holds more than the rings do: a record leaves the ring only when the sink has taken it, so a stalled terminal fills
// the ring and the writing task waits; input is asked for only when the guest wants some and has room.

import {
  CONSOLE_INPUT_EOF,
  CONSOLE_INPUT_WANTED,
  CONSOLE_OUTPUT_CLOSED,
  CONSOLE_RECORD_HEADER_BYTES,
  CONSOLE_ROOM_WANTED,
  CONSOLE_STDERR_CLOSED,
  DOORBELL_CONSOLE,
  MACHINE_BASE,
  MACHINE_CONSOLE_COLUMNS,
  MACHINE_CONSOLE_FLAGS,
  MACHINE_CONSOLE_PULSE,
  MACHINE_CONSOLE_ROWS,
  MACHINE_OPTIONS,
  OPTION_DETERMINISTIC,
  RING_HEAD,
  RING_TAIL,
} from "../../assembly/layout.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { CONSOLE_IN, CONSOLE_OUT } from "./console.ts";
import { ringFromHost } from "./power.ts";
import { ringAddress, ringFree, ringHead, ringTail, setRingHead, setRingTail } from "./ring.ts";

/** Takes output; the promise is the sink's "I can take more". Throws or rejects when the stream is closed. */
export type ConsoleSink = (fd: 1 | 2, bytes: Uint8Array) => void | Promise<void>;

const FLAGS = (MACHINE_BASE + MACHINE_CONSOLE_FLAGS) >>> 2;
const PULSE = (MACHINE_BASE + MACHINE_CONSOLE_PULSE) >>> 2;

/** The longest sleep, in case a pulse is lost with the worker that was about to give it. */
const PULSE_WAIT_MS = 200;

/** Resolves when MACHINE_CONSOLE_PULSE differs from `seen`, or after a while. */
export async function nextPulse(shared: SharedMemory, seen: number, waitMs = PULSE_WAIT_MS): Promise<void> {
  const wait = Atomics.waitAsync(shared.i32, PULSE, seen, waitMs);
  if (wait.async) await wait.value;
}

export function currentPulse(shared: SharedMemory): number {
  return Atomics.load(shared.i32, PULSE);
}

export class ConsolePump {
  readonly #shared: SharedMemory;
  readonly #sink: ConsoleSink;
  readonly #onInputWanted: () => void;
  /** Harts of the deterministic driver block for the main thread; a doorbell would tell them how fast the host is. */
  readonly #rings: boolean;
  #inputWanted = false;
  #finishing = false;
  #inputQueue: Promise<void> = Promise.resolve();

  constructor(shared: SharedMemory, sink: ConsoleSink, onInputWanted: () => void) {
    this.#shared = shared;
    this.#sink = sink;
    this.#onInputWanted = onInputWanted;
    this.#rings = (shared.get(MACHINE_BASE + MACHINE_OPTIONS) & OPTION_DETERMINISTIC) === 0;
  }

  /** Carries output until finish() has been called and the ring is empty. */
  async run(): Promise<void> {
    for (;;) {
      const pulse = currentPulse(this.#shared);
      const finishing = this.#finishing;
      await this.#drain();
      this.#lookForInputWish();
      if (finishing) return;
      await nextPulse(this.#shared, pulse);
    }
  }

  /** The harts have stopped: what is in the ring is the last of the output. The caller gives a pulse. */
  finish(): void {
    this.#finishing = true;
  }

  /** Resolves when all of `bytes` is in the ring, or the machine is over. Writes keep their order. */
  writeInput(bytes: Uint8Array): Promise<void> {
    this.#inputQueue = this.#inputQueue.then(() => this.#putInput(bytes));
    return this.#inputQueue;
  }

  /** No more input will come, after what has been written. */
  endInput(): Promise<void> {
    this.#inputQueue = this.#inputQueue.then(() => this.#setEof());
    return this.#inputQueue;
  }

  resize(columns: number, rows: number): void {
    Atomics.store(this.#shared.i32, (MACHINE_BASE + MACHINE_CONSOLE_COLUMNS) >>> 2, columns);
    Atomics.store(this.#shared.i32, (MACHINE_BASE + MACHINE_CONSOLE_ROWS) >>> 2, rows);
    this.#ring();
  }

  async #drain(): Promise<void> {
    const shared = this.#shared;
    for (;;) {
      const head = ringHead(shared, CONSOLE_OUT);
      const batch = this.#takeBatch(head);
      if (batch === null) return;
      await this.#deliver(batch.fd, batch.bytes);
      setRingHead(shared, CONSOLE_OUT, head + batch.ringBytes);
      Atomics.notify(shared.i32, (CONSOLE_OUT.base + RING_HEAD) >>> 2);
      // Room first, then the flag; the writer sets the flag first and then looks for room.
      const flags = Atomics.and(shared.i32, FLAGS, ~CONSOLE_ROOM_WANTED);
      if ((flags & CONSOLE_ROOM_WANTED) !== 0) this.#ring();
    }
  }

  async #deliver(fd: 1 | 2, bytes: Uint8Array): Promise<void> {
    const closed = fd === 1 ? CONSOLE_OUTPUT_CLOSED : CONSOLE_STDERR_CLOSED;
    if ((Atomics.load(this.#shared.i32, FLAGS) & closed) !== 0) return;
    try {
      await this.#sink(fd, bytes);
    } catch {
      // EPIPE, or a full disk: the guest's next write gives EPIPE.
      Atomics.or(this.#shared.i32, FLAGS, closed);
    }
  }

  /** The bytes of all records from `head` on that go to the same stream, or null. */
  #takeBatch(head: number): { fd: 1 | 2; bytes: Uint8Array; ringBytes: number } | null {
    const shared = this.#shared;
    const used = (ringTail(shared, CONSOLE_OUT) - head) >>> 0;
    if (used === 0) return null;
    const bytes = new Uint8Array(used);
    const fd = this.#byteAt(head) === 2 ? 2 : 1;
    let ringBytes = 0;
    let length = 0;
    while (ringBytes < used && (this.#byteAt(head + ringBytes) === 2) === (fd === 2)) {
      const at = head + ringBytes;
      const recordBytes = this.#byteAt(at + 1) | (this.#byteAt(at + 2) << 8);
      this.#copyOut(bytes, length, at + CONSOLE_RECORD_HEADER_BYTES, recordBytes);
      length += recordBytes;
      ringBytes += CONSOLE_RECORD_HEADER_BYTES + recordBytes;
    }
    return { fd, bytes: bytes.subarray(0, length), ringBytes };
  }

  #byteAt(position: number): number {
    return this.#shared.u8[ringAddress(CONSOLE_OUT, position)];
  }

  #copyOut(target: Uint8Array, at: number, position: number, bytes: number): void {
    const { u8 } = this.#shared;
    const start = ringAddress(CONSOLE_OUT, position);
    const first = Math.min(bytes, CONSOLE_OUT.dataBytes - (position & (CONSOLE_OUT.dataBytes - 1)));
    target.set(u8.subarray(start, start + first), at);
    const wrapped = ringAddress(CONSOLE_OUT, 0);
    if (first < bytes) target.set(u8.subarray(wrapped, wrapped + bytes - first), at + first);
  }

  #lookForInputWish(): void {
    if (this.#inputWanted || (Atomics.load(this.#shared.i32, FLAGS) & CONSOLE_INPUT_WANTED) === 0) return;
    this.#inputWanted = true;
    this.#onInputWanted();
  }

  async #putInput(bytes: Uint8Array): Promise<void> {
    const shared = this.#shared;
    for (let done = 0; done < bytes.length && !this.#finishing; ) {
      const pulse = currentPulse(shared);
      const room = Math.min(ringFree(shared, CONSOLE_IN), bytes.length - done);
      if (room === 0) {
        await nextPulse(shared, pulse);
        continue;
      }
      const tail = ringTail(shared, CONSOLE_IN);
      for (let i = 0; i < room; i++) shared.u8[ringAddress(CONSOLE_IN, tail + i)] = bytes[done + i];
      setRingTail(shared, CONSOLE_IN, tail + room);
      done += room;
      this.#announceInput();
    }
  }

  async #setEof(): Promise<void> {
    Atomics.or(this.#shared.i32, FLAGS, CONSOLE_INPUT_EOF);
    this.#announceInput();
  }

  #announceInput(): void {
    Atomics.notify(this.#shared.i32, (CONSOLE_IN.base + RING_TAIL) >>> 2);
    this.#ring();
  }

  #ring(): void {
    if (this.#rings) ringFromHost(this.#shared, 0, DOORBELL_CONSOLE);
  }
}
