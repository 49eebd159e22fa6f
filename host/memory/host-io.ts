// Host input and output on a hart's own thread (files below --root, the swap store). While it lasts the hart is HOST_IO
// for everybody: quiescent for RCU, and a TLB flush is delivered to it by FLUSH_ON_RESUME. It answers no other IPI, so
// no lock may be held: whoever waits for the lock would wait for a disk.

import { FLUSH_ON_RESUME, HART_RUN_STATE, RUN_HOST_IO, RUN_KERNEL } from "../../assembly/layout.ts";
import { KernelBug } from "./errors.ts";
import type { HartLocal } from "./hart-local.ts";

/** Runs `call`, which may block on the host but touches nothing of the guest except frames that the caller pins. */
export function hostIo<T>(hart: HartLocal, call: () => T): T {
  beginHostIo(hart);
  try {
    return call();
  } finally {
    endHostIo(hart);
  }
}

/** For callers that may not allocate a closure: endHostIo follows whatever happens. */
export function beginHostIo(hart: HartLocal): void {
  if (hart.inAtomicContext()) throw new KernelBug("host I/O in atomic context");
  // Full barrier: whoever sees HOST_IO may count on FLUSH_ON_RESUME.
  hart.shared.exchange(hart.base + HART_RUN_STATE, RUN_HOST_IO);
}

export function endHostIo(hart: HartLocal): void {
  const state = hart.shared.exchange(hart.base + HART_RUN_STATE, RUN_KERNEL);
  if ((state & FLUSH_ON_RESUME) !== 0) hart.core.flushAll();
  hart.pollIrq();
}
