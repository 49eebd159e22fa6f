// Tracepoints: what a hart does, as records in its own ring, which the main thread empties into a file while the
// machine runs (host/observe/trace-pump.ts). Names are Linux's (include/trace/events) where Linux has the event.
//
// An event that is not traced costs a load and a branch. A record is written by its hart alone and published by the
// store of RING_TAIL; RING_HEAD is the main thread's. When the ring is full the event is lost, and counted: a machine
// must not wait for whoever reads its trace. Only in the deterministic driver it does, baton in hand, because there the
// trace is part of what repeats.

import {
  HART_IRQ_DEPTH,
  HART_IRQ_OFF_DEPTH,
  HART_LOCK_COUNT,
  HART_NEED_RESCHED,
  MACHINE_BASE,
  MACHINE_STOP,
  RING_DATA,
  RING_HEAD,
  RING_TAIL,
  STOP_NONE,
  TASK_COMM,
  TASK_PID,
  TRACE_ARGS,
  TRACE_BASE,
  TRACE_BYTES,
  TRACE_DATA_BYTES,
  TRACE_HARDIRQ,
  TRACE_IRQS_OFF,
  TRACE_KIND,
  TRACE_LOCKS_SHIFT,
  TRACE_LOST,
  TRACE_NEED_RESCHED,
  TRACE_PID_MASK,
  TRACE_RING_BYTES,
  TRACE_TASK,
  TRACE_TIME,
  TRACE_VALUE_SHIFT,
} from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";
import { SCHEDULE_POINTS } from "./schedule.ts";

// Events: bits of MACHINE_TRACE_EVENTS. Their arguments are written where they are formatted, observe/trace-events.ts.
export const TRACE_SCHED_SWITCH = 0;
export const TRACE_SCHED_WAKEUP = 1;
export const TRACE_SCHED_MIGRATE_TASK = 2;
export const TRACE_SCHED_PROCESS_FORK = 3;
export const TRACE_SCHED_PROCESS_EXIT = 4;
export const TRACE_TASK_RENAME = 5;
export const TRACE_SYS_ENTER = 6;
export const TRACE_SYS_EXIT = 7;
export const TRACE_PAGE_FAULT_USER = 8;
export const TRACE_PAGE_FAULT_KERNEL = 9;
export const TRACE_MM_FAULT = 10;
export const TRACE_MMAP_LOCK_START_LOCKING = 11;
export const TRACE_MMAP_LOCK_ACQUIRE_RETURNED = 12;
export const TRACE_MMAP_LOCK_RELEASED = 13;
export const TRACE_CONTENTION_BEGIN = 14;
export const TRACE_CONTENTION_END = 15;
export const TRACE_TLB_FLUSH = 16;
export const TRACE_IPI_RAISE = 17;
export const TRACE_IPI_ENTRY = 18;
export const TRACE_IPI_EXIT = 19;
export const TRACE_RCU_GRACE_PERIOD = 20;
export const TRACE_RCU_CALLBACK = 21;
export const TRACE_RCU_INVOKE_CALLBACK = 22;
export const TRACE_MM_PAGE_ALLOC = 23;
export const TRACE_MM_PAGE_FREE = 24;
export const TRACE_CPU_IDLE = 25;
export const TRACE_SIGNAL_GENERATE = 26;
export const TRACE_SIGNAL_DELIVER = 27;
export const TRACE_MM_VMSCAN_DIRECT_RECLAIM_BEGIN = 28;
export const TRACE_MM_VMSCAN_DIRECT_RECLAIM_END = 29;
export const TRACE_MM_VMSCAN_LRU_SHRINK_INACTIVE = 30;
export const TRACE_MM_VMSCAN_WRITE_FOLIO = 31; // the last bit
/** Not events of their own: the name of the task of the records behind it, and how many records are missing. */
export const TRACE_COMM = 62;
export const TRACE_LOST_EVENTS = 63;

/** Why a TLB is flushed (Linux: enum tlb_flush_reason). */
export const TLB_REMOTE_SHOOTDOWN = 1;
export const TLB_LOCAL_MM_SHOOTDOWN = 3;
export const TLB_REMOTE_SEND_IPI = 4;

/** Which kind of lock a hart waits for. */
export const CONTENTION_SPIN = 0;
export const CONTENTION_READ = 1;
export const CONTENTION_WRITE = 2;

/** cpu_idle: the one state there is, and that the hart runs again (PWR_EVENT_EXIT). */
export const IDLE_PARKED = 1;
export const IDLE_EXIT = -1;

/** An event brings up to two records of the ring's own with it. */
const ROOM_BYTES = 3 * TRACE_BYTES;
/** How long a deterministic hart sleeps before it looks at MACHINE_STOP again. */
const BLOCK_MS = 50;
const COMM_WORDS = 4;

export function traceRing(hartId: number): number {
  return TRACE_BASE + hartId * TRACE_RING_BYTES;
}

/** The record at `position` of the ring, as RING_HEAD and RING_TAIL count. */
export function traceRecord(hartId: number, position: number): number {
  return traceRing(hartId) + RING_DATA + (position & (TRACE_DATA_BYTES - 1));
}

export function isTraced(hart: HartLocal, event: number): boolean {
  return (hart.traceEvents & (1 << event)) !== 0;
}

/** `event` with up to five words that say more, if it is traced. */
export function trace(hart: HartLocal, event: number, a = 0, b = 0, c = 0, d = 0, e = 0): void {
  if ((hart.traceEvents & (1 << event)) !== 0) writeWords(hart, event, a, b, c, d, e);
}

/** An event about another task than the one that runs: its name, its tid and two words, if it is traced. */
export function traceTask(hart: HartLocal, event: number, task: number, a = 0, b = 0): void {
  if ((hart.traceEvents & (1 << event)) !== 0) writeTask(hart, event, task, a, b);
}

/** The current task has another name now. */
export function traceRename(hart: HartLocal): void {
  traceTask(hart, TRACE_TASK_RENAME, hart.current);
  hart.tracedTask = 0;
}

/** An event with `count` words from the shared memory at `source`, and a number of its own. Only if it is traced. */
export function traceCopy(hart: HartLocal, event: number, value: number, source: number, count: number): void {
  const record = begin(hart, event | (value << TRACE_VALUE_SHIFT));
  if (record === 0) return;
  const { i32 } = hart.shared;
  for (let word = 0; word < count; word++) i32[((record + TRACE_ARGS) >>> 2) + word] = i32[(source >>> 2) + word];
  publish(hart);
}

function writeWords(hart: HartLocal, event: number, a: number, b: number, c: number, d: number, e: number): void {
  const record = begin(hart, event);
  if (record === 0) return;
  const { i32 } = hart.shared;
  const args = (record + TRACE_ARGS) >>> 2;
  i32[args] = a;
  i32[args + 1] = b;
  i32[args + 2] = c;
  i32[args + 3] = d;
  i32[args + 4] = e;
  publish(hart);
}

function writeTask(hart: HartLocal, event: number, task: number, a: number, b: number): void {
  const record = begin(hart, event);
  if (record === 0) return;
  const { i32 } = hart.shared;
  const args = (record + TRACE_ARGS) >>> 2;
  copyComm(i32, args, task);
  i32[args + COMM_WORDS] = i32[(task + TASK_PID) >>> 2];
  i32[args + COMM_WORDS + 1] = a;
  i32[args + COMM_WORDS + 2] = b;
  publish(hart);
}

function copyComm(i32: Int32Array<ArrayBufferLike>, index: number, task: number): void {
  for (let word = 0; word < COMM_WORDS; word++) i32[index + word] = i32[((task + TASK_COMM) >>> 2) + word];
}

/** Address of a record with its head filled in, or 0: there is no room. Before it the ring says what it must. */
function begin(hart: HartLocal, kind: number): number {
  // In which order harts leave a machine that has stopped does not repeat.
  if (SCHEDULE_POINTS && isStopped(hart)) return 0;
  if (!hasRoom(hart)) {
    hart.traceLost++;
    hart.shared.set(traceRing(hart.id) + TRACE_LOST, hart.shared.get(traceRing(hart.id) + TRACE_LOST) + 1);
    return 0;
  }
  const { current, shared } = hart;
  const now = hart.clock.now();
  if (hart.traceLost !== 0) {
    shared.i32[(claim(hart, TRACE_LOST_EVENTS, now) + TRACE_ARGS) >>> 2] = hart.traceLost;
    publish(hart);
    hart.traceLost = 0;
    hart.tracedTask = 0;
  }
  if (hart.tracedTask !== current && current !== 0) {
    copyComm(shared.i32, (claim(hart, TRACE_COMM, now) + TRACE_ARGS) >>> 2, current);
    publish(hart);
    hart.tracedTask = current;
  }
  return claim(hart, kind, now);
}

function claim(hart: HartLocal, kind: number, now: number): number {
  const { shared, base, current } = hart;
  const ring = traceRing(hart.id);
  const record = traceRecord(hart.id, shared.get(ring + RING_TAIL));
  const pid = current === 0 ? 0 : shared.i32[(current + TASK_PID) >>> 2];
  let task = pid & TRACE_PID_MASK;
  if (shared.i32[(base + HART_IRQ_OFF_DEPTH) >>> 2] !== 0) task |= TRACE_IRQS_OFF;
  if (shared.i32[(base + HART_NEED_RESCHED) >>> 2] !== 0) task |= TRACE_NEED_RESCHED;
  if (shared.i32[(base + HART_IRQ_DEPTH) >>> 2] !== 0) task |= TRACE_HARDIRQ;
  task |= Math.min(shared.i32[(base + HART_LOCK_COUNT) >>> 2], 15) << TRACE_LOCKS_SHIFT;
  shared.setF64(record + TRACE_TIME, now);
  shared.i32[(record + TRACE_KIND) >>> 2] = kind;
  shared.i32[(record + TRACE_TASK) >>> 2] = task;
  return record;
}

function publish(hart: HartLocal): void {
  const tail = (traceRing(hart.id) + RING_TAIL) >>> 2;
  Atomics.store(hart.shared.i32, tail, (hart.shared.i32[tail] + TRACE_BYTES) | 0);
}

function hasRoom(hart: HartLocal): boolean {
  const { shared } = hart;
  const ring = traceRing(hart.id);
  for (;;) {
    const head = Atomics.load(shared.i32, (ring + RING_HEAD) >>> 2);
    const used = (shared.i32[(ring + RING_TAIL) >>> 2] - head) >>> 0;
    if (used + ROOM_BYTES <= TRACE_DATA_BYTES) return true;
    if (!SCHEDULE_POINTS || shared.scheduler === null) return false;
    if (isStopped(hart)) return false;
    Atomics.wait(shared.i32, (ring + RING_HEAD) >>> 2, head, BLOCK_MS);
  }
}

function isStopped({ shared }: HartLocal): boolean {
  return Atomics.load(shared.i32, (MACHINE_BASE + MACHINE_STOP) >>> 2) !== STOP_NONE;
}
