// The hooks of the deterministic drivers: the baton driver (host/machine/deterministic.ts) and the explorer
// (host/simulate/). The build defines __SCHEDULE_POINTS__ as true or false for each worker bundle, so in the threaded
// driver every `if (SCHEDULE_POINTS)` and what it guards is gone from the code.

declare const __SCHEDULE_POINTS__: boolean | undefined;

/** True only in the worker bundles of the deterministic drivers. */
export const SCHEDULE_POINTS: boolean = typeof __SCHEDULE_POINTS__ !== "undefined" && __SCHEDULE_POINTS__;

// Kinds of schedule points, in the words of the memory model: what an access promises to others.
export const POINT_ONCE_LOAD = 1;
export const POINT_ONCE_STORE = 2;
export const POINT_ACQUIRE = 3;
export const POINT_RELEASE = 4;
export const POINT_RMW = 5; // a full barrier on both sides
export const POINT_BARRIER = 6;
export const POINT_WAIT = 7; // a hart-wait: nothing to do until the word changes
export const POINT_IDLE = 8; // no runnable task
export const POINT_GUEST = 9; // return from guest code
export const POINT_IPI = 10;
export const POINT_RMW_RELAXED = 11; // atomic, and ordered with nothing
export const POINT_RMW_ACQUIRE = 12;
export const POINT_RMW_RELEASE = 13;
export const POINT_RCU = 14; // begin or end of a read section, call_rcu
export const POINT_NMI = 15; // a non-maskable interrupt comes

/** What a deterministic driver does at a schedule point: it may let another hart run first. */
export interface Scheduler {
  /**
   * One access by the calling hart to the shared word at `address`. True: the caller must call suspend() before it
   * makes the access (the explorer; the baton driver hands over inside the call and returns false).
   */
  point(kind: number, address: number): boolean;
  /**
   * The calling hart cannot go on before the word at `address` differs from `expected`, or `deadlineNs` passes. The
   * caller calls suspend() next.
   */
  wait(kind: number, address: number, expected: number, deadlineNs: number): void;
  /** A frame or record is about to be allocated: true makes the allocation fail. */
  allocationFails(): boolean;
  /** The calling hart rings these DOORBELL_* bits at another: true if the driver sets them, later. */
  ringsLate(target: number, bits: number): boolean;
  /** The calling hart has just retired this many guest instructions: the deterministic clock advances. */
  retired(instructions: number): void;
}

/**
 * Where a hart stops and another goes on. In the explorer's bundle the build turns this call into `yield`, and every
 * function that may reach it into a generator (host/build/generators.ts); everywhere else it does nothing.
 */
export function suspend(): void {}

/** Weakens accesses as the architecture may (host/simulate/memory-model.ts): addresses in bytes, words of 32 bit. */
export interface MemoryModel {
  /** Plain: an owner's or a lock holder's. It sees its own stores; it is no schedule point. */
  get(address: number): number;
  set(address: number, value: number): void;
  load(kind: number, address: number): number;
  store(kind: number, address: number, value: number): void;
  /** Before a read-modify-write or barrier: what must be visible by then is. */
  before(kind: number, address: number): void;
  /** After it: what it saw bounds what later loads may still miss. */
  after(kind: number, address: number): void;
  /** Makes visible what this hart has stored: everything, or what its page-table walker must see. */
  commitAll(): void;
  commitTables(): void;
}

/** Told of events that are no access, before others can see them: host/check/. */
export interface Observer {
  /** A plain or shared access to the word at `address`. */
  access(hart: number, address: number): void;
  /** The MMU walks the root table in HART_SATP_ROOT from now on. */
  satpLoaded(hart: number): void;
  /** A guest access to `va`, or an NMI's, is about to be translated. */
  guestAccess(hart: number, va: number): void;
  /** A lock word is about to be waited for or taken; was taken; is about to be dropped. */
  lockWanted(hart: number, address: number): void;
  lockTaken(hart: number, address: number): void;
  lockDropped(hart: number, address: number): void;
  /** The hart may go to sleep here, or wait for a grace period. */
  mightSleep(hart: number, what: string): void;
  allocated(pool: number, slot: number): void;
  freed(pool: number, slot: number): void;
  frameFreed(hart: number, pfn: number): void;
  /** The hart may use `vma` for page `vpn` of `mm` from now on; is about to give it back (vma-lock policies). */
  vmaReadTaken(hart: number, mm: number, vma: number, vpn: number): void;
  vmaReadDropped(hart: number, vma: number): void;
  /** The hart looks at the range of a vma on which it has a lock. */
  vmaRangeRead(hart: number, vma: number): void;
  /** A flush of `pages` pages (0: all) from `vpn` below that root table has returned. */
  flushEnds(root: number, vpn: number, pages: number): void;
}
