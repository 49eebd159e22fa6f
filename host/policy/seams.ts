// The questions that memory-management policies answer. One seam asks one question; its comment is its contract.
// Policies import only memory/ and layout; what else they need is handed in when they are made (MmFrame).

import type { Hart } from "./hart.ts";

/**
 * Who keeps a borrowed mm alive? A kernel thread or the idle task has no user mappings and runs on the root table of
 * whatever ran before it (active_mm). All calls run with interrupts off on `hart`, except lastUser and lastRef.
 */
export interface LazyTlb {
  readonly name: string;
  /** The last flush of a dying mm goes out as an interrupt, and whoever gets it stops borrowing the mm. */
  readonly unlazyAtFlush: boolean;
  /** A flush may skip a hart that says HART_IS_LAZY: before it runs user code again the frame calls catchUp. */
  readonly skipsFlush: boolean;
  /** finish() is a full barrier whenever a task with user memory takes over from a borrower (membarrier needs one). */
  readonly finishIsBarrier: boolean;
  /** active_mm is not kept: it is whatever the hart has loaded. */
  readonly activeIsLoaded: boolean;
  /** user -> kernel: `mm` stays loaded; called before the previous task's own reference can go. */
  grab(hart: Hart, mm: number): void;
  /** user -> kernel: true if `mm` is not to be borrowed: the frame loads init_mm, and grab is called with that. */
  refuses(mm: number): boolean;
  /** kernel -> user begins: whatever is loaded next, and put, come later. */
  resume(hart: Hart): void;
  /** kernel -> user: `mm` was borrowed and is no longer loaded (or is now used properly), nor is it active_mm. */
  put(hart: Hart, mm: number): void;
  /** This hart borrows init_mm from now on, not `mm`. Returns an mm whose reference the caller must drop, or 0. */
  unlazy(hart: Hart, mm: number, initMm: number): number;
  /** After the switch: an mm of which the caller must drop one mm_count reference (mmdrop), or 0. */
  finish(hart: Hart): number;
  /** mm_users fell to 0 and the address space is empty; the root table still exists. May wait. */
  lastUser(hart: Hart, mm: number): void;
  /** mm_count fell to 0: after this returns the root table is freed. May wait. */
  lastRef(hart: Hart, mm: number): void;
}

/** Which harts must drop which translations of an mm, and how are they told? */
export interface TlbFlush {
  readonly name: string;
  /** Flushes run code on the harts that they reach, so that these can stop borrowing the mm as well. */
  readonly runsRemoteCode: boolean;
  /** pteChanged and beforeUnlock are called; else the range that changed is flushed as one, later. */
  readonly perPte: boolean;
  /** Translations of an mm stay in use after another one is loaded: its cpumask never forgets a hart. */
  readonly keepsTranslations: boolean;
  /** flushLater puts work off: settle() must be called before an mm is changed otherwise. */
  readonly defers: boolean;
  /**
   * Returns when no hart can use an old translation of `pages` pages from `vpn` (pages = 0: the whole mm). The PTEs
   * are already changed. `freedTables`: page-table pages are about to be freed, so non-leaf entries must go as well.
   * Waits; the caller may hold mmap_lock or a page-table lock, interrupts are on.
   */
  flush(hart: Hart, mm: number, vpn: number, pages: number, freedTables: boolean): void;
  /** The same for global pages of the kernel half, on every hart. */
  flushKernel(hart: Hart, vpn: number, pages: number): void;
  /** perPte: the entry for `vpn` was cleared or lost rights. Under its page-table lock. */
  pteChanged(hart: Hart, mm: number, vpn: number): void;
  /** perPte: the page-table lock is about to be dropped. */
  beforeUnlock(hart: Hart, mm: number): void;
  /** Reclaim: the entry for `vpn` was cleared under its page-table lock; its page stays until flushPending. */
  flushLater(hart: Hart, mm: number, vpn: number): void;
  /** Returns when everything that this hart has put off is flushed. */
  flushPending(hart: Hart): void;
  /** defers: somebody may have put off flushes of `mm`; returns when none is left that the caller could miss. */
  settle(hart: Hart, mm: number): void;
  /**
   * The receiver's half: an IPI_FLUSH arrived. Interrupt context: no lock, no allocation. pages = 0: everything of the
   * mm, non-leaf entries too; mm = 0: everything.
   */
  onIpi(hart: Hart, mm: number, vpn: number, pages: number, generation: number): void;
  /**
   * This hart loads `next`: its cpumask bit is set, its root is in HART_SATP_ROOT. Chooses HART_SATP_ASID, calls
   * core.loadSatp, and drops what may be stale. Interrupts are off.
   */
  switchTo(hart: Hart, next: number): void;
  /** Flushes of the loaded `mm` may have skipped this hart: does what is missing. Interrupts are off. */
  catchUp(hart: Hart, mm: number): void;
}

/**
 * How exact is the set of harts that use an mm (MM_CPUMASK)? Whoever has it loaded is in it, except under a policy that
 * says it models a defect. Interrupts are off.
 */
export interface Cpumask {
  readonly name: string;
  /** A borrower is out of the set although active_mm still names the mm: it is to stop having it loaded at once. */
  readonly leavesEarly: boolean;
  /** Puts the hart into the set; a full barrier, before the first walk of the mm. */
  enter(hart: Hart, mm: number): void;
  /** The hart has another mm loaded, and nothing here names `mm` any more. */
  leave(hart: Hart, mm: number): void;
  /** A flush reached this hart for nothing: it has another mm loaded. */
  useless(hart: Hart, mm: number): void;
}

/**
 * What does a fault lock? Whoever changes a vma, or its place in the map, holds mmap_lock for write and has the vma
 * write-locked; whoever has it read-locked may rely on all of it, and on the page tables below it, without mmap_lock.
 */
export interface VmaLock {
  readonly name: string;
  /** Faults try startRead before they take mmap_lock. */
  readonly locksVmas: boolean;
  /** Faults may look at vmas and page tables with no lock at all: tables are freed after a grace period. */
  readonly speculates: boolean;
  /** A record from the pool becomes a vma, detached; a copy of `source`, unless that is 0. False: no memory. */
  init(hart: Hart, vma: number, source: number): boolean;
  /** The vma of page `vpn`, read-locked, or 0: take mmap_lock. Never waits. No lock held. */
  startRead(hart: Hart, mm: number, vpn: number): number;
  /** Read-locks a vma that the caller holds by mmap_lock for read, which it may drop then. False: too many readers. */
  startReadLocked(hart: Hart, mm: number, vma: number): boolean;
  endRead(hart: Hart, vma: number): void;
  /** Write-locks the vma until mmap_lock is dropped or downgraded. Hart-wait. Requires: mmap_lock for write. */
  startWrite(hart: Hart, mm: number, vma: number): void;
  /** The vma is about to be in the map; false, with a warning, if it was before. Requires: write-locked. */
  attach(hart: Hart, mm: number, vma: number): boolean;
  /** It is in the map no more, and nobody holds it once this returns; false if it was not. Requires: write-locked. */
  detach(hart: Hart, mm: number, vma: number): boolean;
  isAttached(hart: Hart, vma: number): boolean;
  /** The record of a detached vma goes back to the pool, as soon as that is safe. */
  free(hart: Hart, vma: number): void;
}

export interface Policies {
  readonly lazyTlb: LazyTlb;
  readonly tlbFlush: TlbFlush;
  readonly cpumask: Cpumask;
  readonly vmaLock: VmaLock;
}

/** What policies are handed of the layers above them. */
export interface MmFrame {
  /** If the hart borrows `mm`, it borrows init_mm from now on. True if it did. */
  unlazyMm(hart: Hart, mm: number): boolean;
  /** Drops an mm_count reference. May wait, and free. */
  dropMm(hart: Hart, mm: number): void;
  /** The vma in whose range the map has `vpn`, or 0. In an RCU read section, or with mmap_lock. */
  walkVmas(hart: Hart, mm: number, vpn: number): number;
  /** The record of a vma goes back to its pool: now, or after a grace period. */
  freeVma(hart: Hart, vma: number): void;
  freeVmaLater(hart: Hart, vma: number): void;
}

/** Seams by their name on the command line. */
export type SeamName = "lazy-tlb" | "tlb-flush" | "cpumask" | "vma-lock";

/** One policy as the registry, and a module from outside, describe it. */
export interface PolicyEntry {
  readonly seam: SeamName;
  readonly name: string;
  /** What it does, in a line. */
  readonly line: string;
  /** The debate or kernel that it comes from. */
  readonly debate: string;
  make(frame: MmFrame): LazyTlb | TlbFlush | Cpumask | VmaLock;
}
