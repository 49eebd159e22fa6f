// Pending signals. A set of them is two words of bits and a list of records with what each sender said: one per
// standard signal, as many as were sent of a real-time one. A thread has a set of its own, the process one for whoever
// comes first. All of it under SIGHAND_LOCK. (Linux: struct sigpending, kernel/signal.c)

import {
  HART_SIGINFO,
  POOL_SIGQUEUE,
  PROCESS_BASE,
  PROCESS_PENDING_LO,
  PSIG_BASE,
  PSIG_PROCESS_SHIFT,
  PSIG_QUEUE_HEAD,
  SIGINFO_BYTES,
  SIGQUEUE_INFO,
  SIGQUEUE_NEXT,
  SIGQUEUE_SIGNAL,
  TASK_PENDING_LO,
  TASK_QUEUE_HEAD,
} from "../../../assembly/layout.ts";
import { kmemCacheAlloc, kmemCacheFree, kmemCacheLive } from "../../memory/slab.ts";
import type { Hart } from "../../policy/hart.ts";
import { SI_KERNEL, SI_TIMER, SI_USER, siginfoCode, startSiginfo } from "./siginfo.ts";
import { SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGRTMIN, SIGSEGV, SIGSYS, SIGTRAP } from "./signal-numbers.ts";

/** Bits of the low word. (SYNCHRONOUS_MASK) */
const SYNCHRONOUS_LO = [SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS].reduce((set, n) => set | (1 << (n - 1)), 0);

/** The signal record of a process. */
export function psigOf(process: number): number {
  return PSIG_BASE + ((process - PROCESS_BASE) >>> PSIG_PROCESS_SHIFT);
}

/** Offset of the word of `signal` in a set, and its bit there. */
export function wordOf(signal: number): number {
  return ((signal - 1) >>> 5) * 4;
}

export function bitOf(signal: number): number {
  return 1 << ((signal - 1) & 31);
}

/**
 * Adds `signal`, with what HART_SIGINFO says, to the set of `task` (or of `process`, if `task` is 0). False: it is a
 * real-time signal of sigqueue(3) and `limit` records are in use already. Requires: SIGHAND_LOCK.
 */
export function queueSignal(hart: Hart, task: number, process: number, signal: number, limit: number): boolean {
  const { shared } = hart;
  const word = (task !== 0 ? task + TASK_PENDING_LO : process + PROCESS_PENDING_LO) + wordOf(signal);
  const isPending = (shared.get(word) & bitOf(signal)) !== 0;
  const code = siginfoCode(hart);
  // It already is what a second one would make it; but a timer waits until its own signal was taken.
  if (isPending && signal < SIGRTMIN && code !== SI_TIMER) return true;
  if (signal !== SIGKILL) {
    const record = allocRecord(hart, signal, code, limit);
    if (record !== 0) append(hart, task !== 0 ? task + TASK_QUEUE_HEAD : psigOf(process) + PSIG_QUEUE_HEAD, record);
    // Without a record the signal comes all the same, but nothing is known of its sender.
    else if (signal >= SIGRTMIN && code !== SI_USER && code !== SI_KERNEL) return false;
  }
  shared.set(word, shared.get(word) | bitOf(signal));
  return true;
}

/** The kernel's own standard signals do not count against the limit. (__send_signal_locked) */
function allocRecord(hart: Hart, signal: number, code: number, limit: number): number {
  const { shared } = hart;
  const overridesLimit = (signal < SIGRTMIN && code >= 0) || code === SI_TIMER;
  if (!overridesLimit && kmemCacheLive(shared, POOL_SIGQUEUE) >= limit) return 0;
  const record = kmemCacheAlloc(hart, POOL_SIGQUEUE);
  if (record === 0) return 0;
  shared.set(record + SIGQUEUE_SIGNAL, signal);
  hart.core.copyBytes(record + SIGQUEUE_INFO, hart.base + HART_SIGINFO, SIGINFO_BYTES);
  return record;
}

function append(hart: Hart, queue: number, record: number): void {
  const { shared } = hart;
  const tail = shared.get(queue + 4);
  shared.set(record + SIGQUEUE_NEXT, 0);
  if (tail === 0) shared.set(queue, record);
  else shared.set(tail + SIGQUEUE_NEXT, record);
  shared.set(queue + 4, record);
}

/**
 * Takes the next signal outside of `blockedLo` and `blockedHi` from the set of `task`, or of `process` if `task` is 0:
 * its number, its siginfo in HART_SIGINFO; 0 if there is none. Requires: SIGHAND_LOCK.
 */
export function takeSignal(hart: Hart, task: number, process: number, blockedLo: number, blockedHi: number): number {
  const { shared } = hart;
  const set = task !== 0 ? task + TASK_PENDING_LO : process + PROCESS_PENDING_LO;
  const signal = nextSignal(shared.get(set) & ~blockedLo, shared.get(set + 4) & ~blockedHi);
  if (signal === 0) return 0;
  collect(hart, set, task !== 0 ? task + TASK_QUEUE_HEAD : psigOf(process) + PSIG_QUEUE_HEAD, signal);
  return signal;
}

/** What an instruction caused comes first, then the lowest number. */
export function nextSignal(lo: number, hi: number): number {
  const synchronous = lo & SYNCHRONOUS_LO;
  const first = synchronous !== 0 ? synchronous : lo;
  if (first !== 0) return 32 - Math.clz32(first & -first);
  return hi === 0 ? 0 : 64 - Math.clz32(hi & -hi);
}

/** The oldest record of `signal` into HART_SIGINFO; its bit goes with the last one. (collect_signal) */
function collect(hart: Hart, set: number, queue: number, signal: number): void {
  const { shared } = hart;
  let found = 0;
  let before = 0;
  let another = false;
  for (let record = shared.get(queue), last = 0; record !== 0; record = shared.get(record + SIGQUEUE_NEXT)) {
    if (shared.get(record + SIGQUEUE_SIGNAL) === signal) {
      another = found !== 0;
      if (another) break;
      found = record;
      before = last;
    }
    last = record;
  }
  if (!another) shared.set(set + wordOf(signal), shared.get(set + wordOf(signal)) & ~bitOf(signal));
  if (found === 0) {
    startSiginfo(hart, signal, SI_USER);
    return;
  }
  unlinkAfter(hart, queue, before, found);
  hart.core.copyBytes(hart.base + HART_SIGINFO, found + SIGQUEUE_INFO, SIGINFO_BYTES);
  kmemCacheFree(hart, POOL_SIGQUEUE, found);
}

function unlinkAfter(hart: Hart, queue: number, before: number, record: number): void {
  const { shared } = hart;
  const next = shared.get(record + SIGQUEUE_NEXT);
  if (before === 0) shared.set(queue, next);
  else shared.set(before + SIGQUEUE_NEXT, next);
  if (next === 0) shared.set(queue + 4, before);
}

/**
 * Forgets the pending signals of `maskLo`, `maskHi` in the set of `task`, or of `process` if `task` is 0. Requires:
 * SIGHAND_LOCK. (flush_sigqueue_mask)
 */
export function flushSignals(hart: Hart, task: number, process: number, maskLo: number, maskHi: number): void {
  const { shared } = hart;
  const set = task !== 0 ? task + TASK_PENDING_LO : process + PROCESS_PENDING_LO;
  if (((shared.get(set) & maskLo) | (shared.get(set + 4) & maskHi)) === 0) return;
  shared.set(set, shared.get(set) & ~maskLo);
  shared.set(set + 4, shared.get(set + 4) & ~maskHi);
  const queue = task !== 0 ? task + TASK_QUEUE_HEAD : psigOf(process) + PSIG_QUEUE_HEAD;
  let before = 0;
  for (let record = shared.get(queue); record !== 0; ) {
    const next = shared.get(record + SIGQUEUE_NEXT);
    const signal = shared.get(record + SIGQUEUE_SIGNAL);
    if (((signal <= 32 ? maskLo : maskHi) & bitOf(signal)) !== 0) {
      unlinkAfter(hart, queue, before, record);
      kmemCacheFree(hart, POOL_SIGQUEUE, record);
    } else {
      before = record;
    }
    record = next;
  }
}
