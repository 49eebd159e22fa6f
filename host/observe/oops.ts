// The oops: what the machine says when the kernel itself is wrong. Workers never return to their event loop while the
// machine runs, so the text goes through shared memory; the first report wins.

import { OOPS_BASE, OOPS_BYTES, OOPS_LENGTH, OOPS_STATE, OOPS_TEXT } from "../../assembly/layout.ts";
import type { SharedMemory } from "../memory/shared.ts";

const OOPS_NONE = 0;
const OOPS_BEING_WRITTEN = 1;
const OOPS_COMPLETE = 2;

/** Stores `text` as the machine's oops unless there is one already; true if it was stored. */
export function writeOops(shared: SharedMemory, text: string): boolean {
  const state = (OOPS_BASE + OOPS_STATE) >>> 2;
  if (Atomics.compareExchange(shared.i32, state, OOPS_NONE, OOPS_BEING_WRITTEN) !== OOPS_NONE) return false;
  const bytes = new TextEncoder().encode(text).subarray(0, OOPS_BYTES - OOPS_TEXT);
  shared.u8.set(bytes, OOPS_BASE + OOPS_TEXT);
  shared.set(OOPS_BASE + OOPS_LENGTH, bytes.length);
  Atomics.store(shared.i32, state, OOPS_COMPLETE);
  return true;
}

/** The text of the oops, or "" if there is none or its writer died before it was complete. */
export function readOops(shared: SharedMemory): string {
  if (Atomics.load(shared.i32, (OOPS_BASE + OOPS_STATE) >>> 2) !== OOPS_COMPLETE) return "";
  const start = OOPS_BASE + OOPS_TEXT;
  // TextDecoder refuses views of shared memory, hence the copy.
  return new TextDecoder().decode(shared.u8.slice(start, start + shared.get(OOPS_BASE + OOPS_LENGTH)));
}
