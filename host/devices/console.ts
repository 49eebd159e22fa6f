// The console as the kernel sees it: bytes into the out ring, bytes from the in ring, both under MACHINE_CONSOLE_LOCK.
// The main thread is at the other ends (console-pump.ts) and is told by a bump of MACHINE_CONSOLE_PULSE.
//
// Nothing waits here. A call that finds the ring full or empty says so, and the system call waits on
// MACHINE_CONSOLE_WRITERS or MACHINE_CONSOLE_READERS; when the main thread has made room or brought input it rings
// DOORBELL_CONSOLE at hart 0, whose kernel wakes both queues. So that no wake-up is lost, the caller tries again with
// the lock of that queue held and joins the queue before it lets go.
//
// In the deterministic driver the host's speed must not show: there a hart blocks, baton in hand, until the main
// thread has made room or has delivered all the input that was asked for.

import {
  CONSOLE_IN_BASE,
  CONSOLE_IN_DATA_BYTES,
  CONSOLE_INPUT_EOF,
  CONSOLE_INPUT_WANTED,
  CONSOLE_IS_TTY,
  CONSOLE_OUT_BASE,
  CONSOLE_OUT_DATA_BYTES,
  CONSOLE_OUTPUT_CLOSED,
  CONSOLE_RECORD_HEADER_BYTES,
  CONSOLE_ROOM_WANTED,
  CONSOLE_STDERR_CLOSED,
  MACHINE_BASE,
  MACHINE_CONSOLE_FLAGS,
  MACHINE_CONSOLE_LOCK,
  RING_HEAD,
  RING_TAIL,
} from "../../assembly/layout.ts";
import { EPIPE } from "../memory/errno.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { SCHEDULE_POINTS } from "../memory/schedule.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { pulseHost } from "./power.ts";
import {
  type Ring,
  ringAddress,
  ringFree,
  ringHead,
  ringLoad,
  ringStore,
  ringTail,
  ringUsed,
  setRingHead,
  setRingTail,
} from "./ring.ts";

export const CONSOLE_IN: Ring = { base: CONSOLE_IN_BASE, dataBytes: CONSOLE_IN_DATA_BYTES };
export const CONSOLE_OUT: Ring = { base: CONSOLE_OUT_BASE, dataBytes: CONSOLE_OUT_DATA_BYTES };

/** consoleRead: nothing has arrived yet. */
export const CONSOLE_EMPTY = -1;

const FLAGS = MACHINE_BASE + MACHINE_CONSOLE_FLAGS;
const LOCK = MACHINE_BASE + MACHINE_CONSOLE_LOCK;

/** The header's length field has 16 bits. */
const RECORD_BYTES_MAX = 0xffff;
/** A write that does not fit as a whole is not cut into pieces smaller than this (Linux pipes: PIPE_BUF). */
const PIECE_BYTES_MIN = 4096;

/** How long a deterministic hart sleeps before it looks at MACHINE_STOP again. */
const BLOCK_MS = 50;

/**
 * Puts up to `bytes` bytes from shared-memory address `address` into the out ring for host stream `fd` (1 or 2).
 * Returns how many were taken, 0 if the ring is full, -EPIPE if the host's stream is closed.
 */
export function consoleWrite(hart: HartLocal, fd: number, address: number, bytes: number): number {
  const { shared } = hart;
  const closed = fd === 2 ? CONSOLE_STDERR_CLOSED : CONSOLE_OUTPUT_CLOSED;
  if (bytes === 0) return 0;
  spinLock(hart, LOCK);
  let taken = 0;
  for (;;) {
    if ((consoleFlags(hart) & closed) !== 0) taken = -EPIPE;
    else taken = appendRecord(hart, fd, address, bytes);
    if (taken !== 0) break;
    // Full. The flag first, then one more look: the main thread makes room first and then looks at the flag.
    const head = ringHead(shared, CONSOLE_OUT);
    Atomics.or(shared.i32, FLAGS >>> 2, CONSOLE_ROOM_WANTED);
    taken = appendRecord(hart, fd, address, bytes);
    if (taken !== 0 || !isDeterministic(hart)) break;
    blockWhile(hart, CONSOLE_OUT.base + RING_HEAD, head);
  }
  spinUnlock(hart, LOCK);
  pulseHost(shared);
  return taken;
}

/**
 * Takes up to `bytesMax` bytes of input to shared-memory address `address`. Returns how many, 0 at the end of the
 * input, CONSOLE_EMPTY if nothing has arrived yet (the main thread has then been asked to read its stdin).
 */
export function consoleRead(hart: HartLocal, address: number, bytesMax: number): number {
  const { shared } = hart;
  if (bytesMax === 0) return 0;
  spinLock(hart, LOCK);
  requestInputLocked(hart, Math.min(bytesMax, CONSOLE_IN.dataBytes));
  const taken = takeLocked(hart, address, bytesMax);
  spinUnlock(hart, LOCK);
  if (taken > 0) pulseHost(shared);
  return taken;
}

/** Like consoleRead, but of what is there: nobody is asked for more. */
export function consoleTake(hart: HartLocal, address: number, bytesMax: number): number {
  spinLock(hart, LOCK);
  const taken = takeLocked(hart, address, bytesMax);
  spinUnlock(hart, LOCK);
  if (taken > 0) pulseHost(hart.shared);
  return taken;
}

/** Requires: MACHINE_CONSOLE_LOCK. */
function takeLocked(hart: HartLocal, address: number, bytesMax: number): number {
  const { shared } = hart;
  // EOF is set after the last byte: looked at before the ring, it can not hide bytes.
  const ended = (consoleFlags(hart) & CONSOLE_INPUT_EOF) !== 0;
  const bytes = Math.min(bytesMax, ringUsed(shared, CONSOLE_IN));
  if (bytes > 0) {
    const head = ringHead(shared, CONSOLE_IN);
    ringLoad(hart.core.copyBytes, CONSOLE_IN, head, address, bytes);
    setRingHead(shared, CONSOLE_IN, head + bytes);
  }
  if (bytes === 0 && !ended) return CONSOLE_EMPTY;
  return bytes;
}

/** Asks the main thread to read its stdin, for a call that waits until a read would not (poll). */
export function requestInput(hart: HartLocal): void {
  spinLock(hart, LOCK);
  requestInputLocked(hart, 1);
  spinUnlock(hart, LOCK);
}

/** Requires: MACHINE_CONSOLE_LOCK. */
function requestInputLocked(hart: HartLocal, bytes: number): void {
  const { shared } = hart;
  if ((consoleFlags(hart) & CONSOLE_INPUT_WANTED) === 0) {
    Atomics.or(shared.i32, FLAGS >>> 2, CONSOLE_INPUT_WANTED);
    pulseHost(shared);
  }
  if (isDeterministic(hart)) awaitInput(hart, bytes);
}

/** Bytes that a read would get now (FIONREAD, poll). */
export function consoleReadable(hart: HartLocal): number {
  return ringUsed(hart.shared, CONSOLE_IN);
}

/** True if a read would not wait: input is there, or it has ended. */
export function consoleReadReady(hart: HartLocal): boolean {
  return (consoleFlags(hart) & CONSOLE_INPUT_EOF) !== 0 || consoleReadable(hart) > 0;
}

/** True if no more input will come, and what came has left the ring. */
export function consoleInputEnded(hart: HartLocal): boolean {
  return (consoleFlags(hart) & CONSOLE_INPUT_EOF) !== 0 && consoleReadable(hart) === 0;
}

/** Bytes of output that the main thread has not taken yet (TIOCOUTQ). */
export function consoleUnsent(hart: HartLocal): number {
  return ringUsed(hart.shared, CONSOLE_OUT);
}

/** CONSOLE_* bits. Written by the main thread at any time. */
export function consoleFlags(hart: HartLocal): number {
  return Atomics.load(hart.shared.i32, FLAGS >>> 2);
}

/** Requires: MACHINE_CONSOLE_LOCK. */
function appendRecord(hart: HartLocal, fd: number, address: number, bytes: number): number {
  const { shared } = hart;
  const room = ringFree(shared, CONSOLE_OUT) - CONSOLE_RECORD_HEADER_BYTES;
  const length = Math.min(bytes, RECORD_BYTES_MAX, room);
  if (length <= 0 || (length < bytes && length < PIECE_BYTES_MIN)) return 0;
  const tail = ringTail(shared, CONSOLE_OUT);
  shared.u8[ringAddress(CONSOLE_OUT, tail)] = fd;
  shared.u8[ringAddress(CONSOLE_OUT, tail + 1)] = length & 255;
  shared.u8[ringAddress(CONSOLE_OUT, tail + 2)] = length >>> 8;
  ringStore(hart.core.copyBytes, CONSOLE_OUT, tail + CONSOLE_RECORD_HEADER_BYTES, address, length);
  setRingTail(shared, CONSOLE_OUT, tail + CONSOLE_RECORD_HEADER_BYTES + length);
  return length;
}

function isDeterministic(hart: HartLocal): boolean {
  return SCHEDULE_POINTS && hart.shared.scheduler !== null;
}

/** A terminal delivers what has been typed; from a file or pipe a read gets all it asked for, whatever the pieces. */
function awaitInput(hart: HartLocal, bytesWanted: number): void {
  const bytes = (consoleFlags(hart) & CONSOLE_IS_TTY) !== 0 ? 1 : bytesWanted;
  for (;;) {
    const tail = ringTail(hart.shared, CONSOLE_IN);
    if ((consoleFlags(hart) & CONSOLE_INPUT_EOF) !== 0 || ringUsed(hart.shared, CONSOLE_IN) >= bytes) return;
    blockWhile(hart, CONSOLE_IN.base + RING_TAIL, tail);
  }
}

function blockWhile(hart: HartLocal, address: number, value: number): void {
  pulseHost(hart.shared);
  Atomics.wait(hart.shared.i32, address >>> 2, value, BLOCK_MS);
  hart.checkStop();
}
