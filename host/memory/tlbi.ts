// Broadcast invalidation, as hardware: tlbi() posts a request to every hart and goes on; tlbsync() waits until all of
// them are done. A hart completes requests by itself, at its next poll, interrupts off or not, and runs no code of the
// kernel for it: so nothing can be asked of it besides, and until tlbsync() it may still use what it has.
//
// The requests of a hart lie in its own ring; a slot is used again only after all harts have been waited for. A parked
// hart completes by FLUSH_ON_RESUME.

import {
  COUNTER_TLBI_BROADCAST,
  COUNTER_TLBSYNC_WAIT,
  CPUMASK_WORDS,
  DOORBELL_TLBI,
  TLBI_ACK,
  TLBI_BASE,
  TLBI_BYTES,
  TLBI_PENDING,
  TLBI_REQUEST_BYTES,
  TLBI_RING,
  TLBI_RING_COUNT,
  TLBI_SEQ,
  TLBI_SYNCED,
} from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";
import { copyRunningOthers, deferFlush, ringDoorbell } from "./ipi.ts";
import { park } from "./park.ts";

/** How long the requester sleeps before it looks whether a hart has gone to sleep with the request unseen. */
const LOOK_AGAIN_NS = 100_000;

/**
 * Invalidates `pages` pages from `vpn` under `asid` on every other hart (pages = 0: the whole ASID, non-leaf entries
 * too). Returns at once unless the ring is full; the caller's own TLB is its own business.
 */
export function tlbi(hart: HartLocal, vpn: number, pages: number, asid: number): void {
  const { shared } = hart;
  const block = TLBI_BASE + hart.id * TLBI_BYTES;
  const seq = shared.get(block + TLBI_SEQ);
  if (((seq - shared.get(block + TLBI_SYNCED)) | 0) >= TLBI_RING_COUNT) tlbsync(hart);
  const request = block + TLBI_RING + (seq & (TLBI_RING_COUNT - 1)) * TLBI_REQUEST_BYTES;
  shared.set(request, vpn);
  shared.set(request + 4, pages);
  shared.set(request + 8, asid);
  shared.storeRelease(block + TLBI_SEQ, (seq + 1) | 0);
  hart.count(COUNTER_TLBI_BROADCAST);
  const targets = hart.flushMask;
  if (!copyRunningOthers(hart, targets)) return;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    for (let bits = targets[word]; bits !== 0; bits &= bits - 1) {
      const target = word * 32 + (31 - Math.clz32(bits & -bits));
      // The read-modify-write orders our PTE stores before the look at its state, and before its next walk.
      shared.fetchOr(pendingWord(target, hart.id), 1 << (hart.id & 31));
      if (deferFlush(hart, target)) continue;
      hart.tlbiWaiting[word] |= bits & -bits;
      ringDoorbell(hart, target, DOORBELL_TLBI);
    }
  }
}

/** Waits until every hart has completed what this one has posted. */
export function tlbsync(hart: HartLocal): void {
  const { shared } = hart;
  const block = TLBI_BASE + hart.id * TLBI_BYTES;
  const seq = shared.get(block + TLBI_SEQ);
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    for (let bits = hart.tlbiWaiting[word]; bits !== 0; bits &= bits - 1) {
      awaitCompletion(hart, word * 32 + (31 - Math.clz32(bits & -bits)), seq);
    }
    hart.tlbiWaiting[word] = 0;
  }
  shared.set(block + TLBI_SYNCED, seq);
}

/** The hart's own hardware: completes what others have posted. */
export function serveTlbi(hart: HartLocal): void {
  const { shared } = hart;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const pending = TLBI_BASE + hart.id * TLBI_BYTES + TLBI_PENDING + word * 4;
    if (shared.loadOnce(pending) === 0) continue;
    for (let bits = shared.exchange(pending, 0); bits !== 0; bits &= bits - 1) {
      completeRequests(hart, word * 32 + (31 - Math.clz32(bits & -bits)));
    }
  }
}

function completeRequests(hart: HartLocal, source: number): void {
  const { shared } = hart;
  const block = TLBI_BASE + source * TLBI_BYTES;
  const ack = TLBI_BASE + hart.id * TLBI_BYTES + TLBI_ACK + source * 4;
  const seq = shared.loadAcquire(block + TLBI_SEQ);
  const done = shared.get(ack);
  // Older ones than the ring holds were completed by FLUSH_ON_RESUME.
  const count = Math.min((seq - done) | 0, TLBI_RING_COUNT);
  for (let i = (seq - count) | 0; i !== seq; i = (i + 1) | 0) {
    const request = block + TLBI_RING + (i & (TLBI_RING_COUNT - 1)) * TLBI_REQUEST_BYTES;
    const pages = shared.get(request + 4);
    const asid = shared.get(request + 8);
    if (pages === 0) hart.core.flushAsid(asid);
    else hart.core.flushRange(shared.get(request), pages, asid);
  }
  shared.storeRelease(ack, seq);
  shared.notify(ack, 1);
}

function awaitCompletion(hart: HartLocal, target: number, seq: number): void {
  const { shared } = hart;
  const ack = TLBI_BASE + target * TLBI_BYTES + TLBI_ACK + hart.id * 4;
  for (let spin = 0; ; spin++) {
    const value = shared.loadAcquire(ack);
    if (((value - seq) | 0) >= 0) return;
    if (deferFlush(hart, target)) return; // it went to sleep before it saw the request
    hart.count(COUNTER_TLBSYNC_WAIT);
    hart.pollIrq();
    if (spin >= hart.spinCount) park(hart, ack, value, hart.clock.now() + LOOK_AGAIN_NS);
  }
}

function pendingWord(target: number, source: number): number {
  return TLBI_BASE + target * TLBI_BYTES + TLBI_PENDING + (source >>> 5) * 4;
}
