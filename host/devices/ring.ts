// Byte rings in shared memory between the harts and the main thread. HEAD is advanced by the consumer, TAIL by the
// producer; both count bytes for ever and wrap at 2^32, so the ring is empty when they are equal.
//
// The other end is the main thread, which is no hart and never holds the baton, so these loads and stores are no
// schedule points: they use Atomics directly.

import { RING_DATA, RING_HEAD, RING_TAIL } from "../../assembly/layout.ts";
import type { SharedMemory } from "../memory/shared.ts";

/** Moves bytes inside the shared memory; on a hart this is the core's memory.copy. */
export type CopyBytes = (destination: number, source: number, bytes: number) => void;

export interface Ring {
  /** Address of the ring's header. */
  readonly base: number;
  /** Capacity; a power of two. */
  readonly dataBytes: number;
}

export function ringHead(shared: SharedMemory, ring: Ring): number {
  return Atomics.load(shared.i32, (ring.base + RING_HEAD) >>> 2);
}

export function ringTail(shared: SharedMemory, ring: Ring): number {
  return Atomics.load(shared.i32, (ring.base + RING_TAIL) >>> 2);
}

/** The consumer has read everything up to `head`. */
export function setRingHead(shared: SharedMemory, ring: Ring, head: number): void {
  Atomics.store(shared.i32, (ring.base + RING_HEAD) >>> 2, head);
}

/** The producer has written everything up to `tail`. */
export function setRingTail(shared: SharedMemory, ring: Ring, tail: number): void {
  Atomics.store(shared.i32, (ring.base + RING_TAIL) >>> 2, tail);
}

export function ringUsed(shared: SharedMemory, ring: Ring): number {
  return (ringTail(shared, ring) - ringHead(shared, ring)) >>> 0;
}

export function ringFree(shared: SharedMemory, ring: Ring): number {
  return ring.dataBytes - ringUsed(shared, ring);
}

/** Address of the byte at position `position` (a head or tail count). */
export function ringAddress(ring: Ring, position: number): number {
  return ring.base + RING_DATA + (position & (ring.dataBytes - 1));
}

/** Copies `bytes` from `source` into the ring at `position`, in two pieces at the wrap. The caller checked the room. */
export function ringStore(copy: CopyBytes, ring: Ring, position: number, source: number, bytes: number): void {
  const first = Math.min(bytes, ring.dataBytes - (position & (ring.dataBytes - 1)));
  copy(ringAddress(ring, position), source, first);
  if (first < bytes) copy(ringAddress(ring, position + first), source + first, bytes - first);
}

/** Copies `bytes` from the ring at `position` to `destination`. The caller checked that they are there. */
export function ringLoad(copy: CopyBytes, ring: Ring, position: number, destination: number, bytes: number): void {
  const first = Math.min(bytes, ring.dataBytes - (position & (ring.dataBytes - 1)));
  copy(destination, ringAddress(ring, position), first);
  if (first < bytes) copy(destination + first, ringAddress(ring, position + first), bytes - first);
}
