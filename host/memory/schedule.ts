// The hook of the deterministic driver. The build defines __SCHEDULE_POINTS__ as true or false for each worker
// bundle, so in the threaded driver every `if (SCHEDULE_POINTS)` and what it guards is gone from the code.

declare const __SCHEDULE_POINTS__: boolean | undefined;

/** True only in the worker bundle of the deterministic driver. */
export const SCHEDULE_POINTS: boolean = typeof __SCHEDULE_POINTS__ !== "undefined" && __SCHEDULE_POINTS__;

// Kinds of schedule points, in the words of the memory model: what an access promises to others.
export const POINT_ONCE_LOAD = 1;
export const POINT_ONCE_STORE = 2;
export const POINT_ACQUIRE = 3;
export const POINT_RELEASE = 4;
export const POINT_RMW = 5;
export const POINT_BARRIER = 6;
export const POINT_WAIT = 7; // a hart-wait: nothing to do until the word changes
export const POINT_IDLE = 8; // no runnable task
export const POINT_GUEST = 9; // return from guest code
export const POINT_IPI = 10;

/** What the deterministic driver does at a schedule point: it may let another hart run first. */
export interface Scheduler {
  /** One access by the calling hart to the shared word at `address`. */
  point(kind: number, address: number): void;
  /** The calling hart cannot go on before the word at `address` differs from `expected`, or `deadlineNs` passes. */
  wait(kind: number, address: number, expected: number, deadlineNs: number): void;
  /** The calling hart has just retired this many guest instructions: the deterministic clock advances. */
  retired(instructions: number): void;
}
