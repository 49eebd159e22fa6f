// The questions that memory-management policies answer. One seam asks one question; its comment is its contract.
// Policies import only memory/ and layout; what else they need is handed in when they are made.

import type { HartLocal } from "../memory/hart-local.ts";

/**
 * Who keeps a borrowed mm alive? A kernel thread or the idle task has no user mappings and runs on the root table of
 * whatever ran before it (active_mm). All calls run with interrupts off on `hart`, except lastUser and lastRef.
 */
export interface LazyTlb {
  readonly name: string;
  /** user -> kernel: `mm` stays loaded; called before the previous task's own reference can go. */
  grab(hart: HartLocal, mm: number): void;
  /** kernel -> user: `mm` was borrowed and is no longer loaded (or is now used properly). */
  put(hart: HartLocal, mm: number): void;
  /** After the switch: an mm of which the caller must drop one mm_count reference (mmdrop), or 0. */
  finish(hart: HartLocal): number;
  /** mm_users fell to 0 and the address space is empty; the root table still exists. May wait. */
  lastUser(hart: HartLocal, mm: number): void;
  /** mm_count fell to 0: after this returns the root table is freed. May wait. */
  lastRef(hart: HartLocal, mm: number): void;
}

/** Which harts must drop which translations of an mm, and how are they told? */
export interface TlbFlush {
  readonly name: string;
  /**
   * Returns when no hart can use an old translation of `pages` pages from `vpn` (pages = 0: the whole mm). The PTEs
   * are already changed. `freedTables`: page-table pages are about to be freed, so non-leaf entries must go as well.
   * Waits; the caller may hold mmap_lock or a page-table lock, interrupts are on.
   */
  flush(hart: HartLocal, mm: number, vpn: number, pages: number, freedTables: boolean): void;
  /** The receiver's half: an IPI_FLUSH arrived. Interrupt context: no lock, no allocation. */
  onIpi(hart: HartLocal, mm: number, vpn: number, pages: number, generation: number): void;
  /**
   * This hart loads `next` (its cpumask bit is set, its root is in satp): drop what may be stale. Interrupts are off.
   */
  switchTo(hart: HartLocal, next: number): void;
}

export interface Policies {
  readonly lazyTlb: LazyTlb;
  readonly tlbFlush: TlbFlush;
}
