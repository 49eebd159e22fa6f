// Stale translations. A translation may be stale until a flush that covers it has returned, or its page is given away;
// from then on nobody may use it. So an entry of some hart's TLB is condemned
//
//   when a flush of its range returns and its PTE says something else by now (a missed hart, range, ASID), and
//   when the frame that it leads to is freed (page freed before the flush),
//
// and it is a violation if a hart uses a condemned entry, or could do so this very moment, in user mode. A hart that
// has another mm loaded, is lazy, or has promised to flush (FLUSH_ON_RESUME) may keep what it has for as long as it
// does not use it: policies flush when it comes back.
//
// Pointers in the page-walk cache are worse: a walk may happen at any time, so a freed table that a running hart still
// has there, under the ASID in satp, is a violation at once, unless it is in the middle of a switch (interrupts off).

import {
  FLUSH_ON_RESUME,
  HART_IRQ_OFF_DEPTH,
  HART_PWC,
  HART_PWC_BYTES,
  HART_RUN_STATE,
  HART_SATP_ASID,
  HART_SATP_ROOT,
  HART_TLB,
  HART_TLB_ENTRIES,
  LEVEL_COUNT,
  MM_ROOT_PFN,
  PAGE_FLAGS,
  PAGE_SHIFT,
  PG_FREE,
  PG_TABLE,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_V,
  PTE_W,
  PTE_X,
  PWC_ENTRY_BYTES,
  PWC_PTE,
  PWC_TAG,
  RUN_PARKED,
  RUN_STATE_MASK,
  RUN_USER,
  TASK_MM,
  TLB_ADDEND,
  TLB_ENTRY_BYTES,
  TLB_META,
  TLB_META_INVALID,
  TLB_TAG_ASID_MASK,
  TLB_TAG_ASID_SHIFT,
  TLB_WRITE,
  USER_VPN_END,
  VPN_BITS,
} from "../../assembly/layout.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { frameAddress, pageOf } from "../mm/frame/page.ts";

/** One entry of a hart's TLB, as the core left it. */
interface Entry {
  readonly address: number;
  readonly vpn: number;
  readonly asid: number;
  readonly pfn: number;
  readonly isWritable: boolean;
}

interface Condemned {
  readonly entry: Entry;
  readonly why: string;
}

export class TranslationChecker {
  readonly #harts: readonly HartLocal[];
  readonly #shared: SharedMemory;
  readonly #report: (text: string) => void;
  /** By address of the entry. */
  readonly #condemned = new Map<number, Condemned>();
  /** Per hart, the root that its MMU has in use, which HART_SATP_ROOT may be ahead of; 0: not known yet. */
  readonly #satpRoot: Int32Array;

  constructor(harts: readonly HartLocal[], report: (text: string) => void) {
    this.#harts = harts;
    this.#shared = harts[0].shared;
    this.#report = report;
    this.#satpRoot = new Int32Array(harts.length);
  }

  reset(): void {
    this.#condemned.clear();
  }

  satpLoaded(hart: HartLocal): void {
    this.#satpRoot[hart.id] = this.#word(hart.base + HART_SATP_ROOT);
  }

  /** The hart is about to make a guest access to `va`, in user mode or in an NMI. */
  guestAccess(hart: HartLocal, va: number): void {
    this.#checkRoot(hart);
    const vpn = Math.floor(va / (1 << PAGE_SHIFT));
    const asid = this.#word(hart.base + HART_SATP_ASID);
    this.#checkWalk(hart, vpn, asid);
    const end = this.#endOfTlb(hart);
    for (let address = hart.base + HART_TLB; address < end; address += TLB_ENTRY_BYTES) {
      if (!this.#isOfUser(address) || this.#vpnOfTag(address) !== vpn || this.#asidOfTag(address) !== asid) continue;
      const condemned = this.#stillCondemned(hart, this.#entryAt(address));
      if (condemned !== null) this.#report(`hart ${hart.id} uses a stale translation: ${condemned}`);
    }
  }

  /** User memory is the current task's, seen through the root table of its mm and not before a flush that is owed. */
  #checkRoot(hart: HartLocal): void {
    const mm = this.#word(hart.current + TASK_MM); // HART_CURRENT may still be in its store buffer
    const root = this.#satpRoot[hart.id];
    if (root !== 0 && (mm === 0 || root !== this.#word(mm + MM_ROOT_PFN))) {
      this.#report(`hart ${hart.id} reads user memory, but satp holds another mm than its current task's`);
    }
    if (this.#hasPromisedToFlush(hart)) {
      this.#report(`hart ${hart.id} reads user memory before the flush that it has promised`);
    }
  }

  /** A flush of the mm with root `root` has returned. pages = 0: all of it. */
  flushEnds(root: number, vpn: number, pages: number): void {
    for (const hart of this.#harts) {
      if (this.#word(hart.base + HART_SATP_ROOT) !== root) continue;
      const asid = this.#word(hart.base + HART_SATP_ASID);
      const end = this.#endOfTlb(hart);
      for (let address = hart.base + HART_TLB; address < end; address += TLB_ENTRY_BYTES) {
        if (!this.#isOfUser(address) || this.#asidOfTag(address) !== asid) continue;
        const entry = this.#entryAt(address);
        if (pages !== 0 && (entry.vpn < vpn || entry.vpn >= vpn + pages)) continue;
        if (!this.#agrees(root, entry)) this.#condemn(hart, entry, "a flush that covers it has returned");
      }
    }
  }

  frameFreed(pfn: number): void {
    const isTable = (this.#word(pageOf(pfn) + PAGE_FLAGS) & PG_TABLE) !== 0;
    for (const hart of this.#harts) {
      const end = this.#endOfTlb(hart);
      for (let address = hart.base + HART_TLB; address < end; address += TLB_ENTRY_BYTES) {
        if (!this.#isOfUser(address) || this.#pfnOf(address) !== pfn) continue;
        this.#condemn(hart, this.#entryAt(address), "its page has been freed");
      }
      if (isTable) this.#checkPointers(hart, pfn);
    }
  }

  #condemn(hart: HartLocal, entry: Entry, why: string): void {
    if (this.#hasPromisedToFlush(hart)) return;
    this.#condemned.set(entry.address, { entry, why });
    const inUser = (this.#word(hart.base + HART_RUN_STATE) & RUN_STATE_MASK) === RUN_USER;
    if (!inUser || this.#word(hart.base + HART_SATP_ASID) !== entry.asid) return;
    this.#report(`hart ${hart.id}, in user mode, can use a stale translation: ${describe(entry, why)}`);
  }

  /** Why the entry may not be used, or null. */
  #stillCondemned(hart: HartLocal, entry: Entry): string | null {
    const condemned = this.#condemned.get(entry.address);
    if (condemned === undefined) return null;
    const { vpn, asid, pfn, isWritable } = condemned.entry;
    const isSame = vpn === entry.vpn && asid === entry.asid && pfn === entry.pfn && isWritable === entry.isWritable;
    if (isSame && !this.#agrees(this.#word(hart.base + HART_SATP_ROOT), entry)) return describe(entry, condemned.why);
    this.#condemned.delete(entry.address);
    return null;
  }

  /** The page table still says the same, or more. */
  #agrees(root: number, { vpn, pfn, isWritable }: Entry): boolean {
    let table = root;
    for (let level = LEVEL_COUNT - 1; level >= 0; level--) {
      const index = (vpn >>> (level * VPN_BITS)) & ((1 << VPN_BITS) - 1);
      const pte = this.#word(frameAddress(table) + index * 8);
      if ((pte & PTE_V) === 0) return false;
      const next = pte >>> PTE_PPN_SHIFT;
      if ((pte & (PTE_R | PTE_W | PTE_X)) !== 0) {
        const offset = vpn & ((1 << (level * VPN_BITS)) - 1);
        return next + offset === pfn && (!isWritable || (pte & PTE_W) !== 0);
      }
      table = next;
    }
    return false;
  }

  /** The walk of this access may begin at a pointer that the page-walk cache kept. */
  #checkWalk(hart: HartLocal, vpn: number, asid: number): void {
    for (let entry = hart.base + HART_PWC; entry < hart.base + HART_PWC + HART_PWC_BYTES; entry += PWC_ENTRY_BYTES) {
      const pfn = this.#pointer(entry, asid);
      if (pfn === 0 || !this.#pointerCovers(hart, entry, vpn)) continue;
      const flags = this.#word(pageOf(pfn) + PAGE_FLAGS);
      if ((flags & PG_TABLE) !== 0 && (flags & PG_FREE) === 0) continue;
      this.#report(`hart ${hart.id} walks a freed page table, frame ${pfn}, ASID ${asid}, kept in its page-walk cache`);
    }
  }

  /** `pfn`, a table, is freed: no running hart may have a pointer to it that it could walk by now. */
  #checkPointers(hart: HartLocal, pfn: number): void {
    const state = this.#word(hart.base + HART_RUN_STATE);
    if ((state & RUN_STATE_MASK) === RUN_PARKED || this.#word(hart.base + HART_IRQ_OFF_DEPTH) !== 0) return;
    const asid = this.#word(hart.base + HART_SATP_ASID);
    for (let entry = hart.base + HART_PWC; entry < hart.base + HART_PWC + HART_PWC_BYTES; entry += PWC_ENTRY_BYTES) {
      if (this.#pointer(entry, asid) !== pfn) continue;
      const level = entry < hart.base + HART_PWC + HART_PWC_BYTES / 2 ? 1 : 0;
      this.#report(
        `a page table of level ${level} was freed while hart ${hart.id} has it in its page-walk cache, ASID ${asid}: ` +
          `a walk may begin there at any time (frame ${pfn}; flushed by address only, or the hart was skipped?)`,
      );
    }
  }

  /** Frame that the entry of the page-walk cache leads to, or 0 if it is empty or of another ASID. */
  #pointer(entry: number, asid: number): number {
    const tag = this.#word(entry + PWC_TAG);
    if (tag === -1 || ((tag >>> TLB_TAG_ASID_SHIFT) & TLB_TAG_ASID_MASK) !== asid) return 0;
    return this.#word(entry + PWC_PTE) >>> PTE_PPN_SHIFT;
  }

  #pointerCovers(hart: HartLocal, entry: number, vpn: number): boolean {
    const tableLevel = entry < hart.base + HART_PWC + HART_PWC_BYTES / 2 ? 1 : 0;
    const pages = 1 << (VPN_BITS * (tableLevel + 1));
    const first = this.#vpnOfTag(entry);
    return vpn >= first && vpn < first + pages;
  }

  #hasPromisedToFlush(hart: HartLocal): boolean {
    return (this.#word(hart.base + HART_RUN_STATE) & FLUSH_ON_RESUME) !== 0;
  }

  #endOfTlb(hart: HartLocal): number {
    return hart.base + HART_TLB + this.#word(hart.base + HART_TLB_ENTRIES) * TLB_ENTRY_BYTES;
  }

  /** The entry at this address is in use, for a user page. */
  #isOfUser(address: number): boolean {
    return this.#word(address + TLB_META) !== TLB_META_INVALID && this.#vpnOfTag(address) < USER_VPN_END;
  }

  #entryAt(address: number): Entry {
    const isWritable = this.#word(address + TLB_WRITE) !== -1;
    const [vpn, asid, pfn] = [this.#vpnOfTag(address), this.#asidOfTag(address), this.#pfnOf(address)];
    return { address, vpn, asid, pfn, isWritable };
  }

  #pfnOf(address: number): number {
    return ((this.#vpnOfTag(address) * (1 << PAGE_SHIFT) + this.#word(address + TLB_ADDEND)) >>> 0) >>> PAGE_SHIFT;
  }

  #asidOfTag(address: number): number {
    return (this.#word(address) >>> TLB_TAG_ASID_SHIFT) & TLB_TAG_ASID_MASK;
  }

  /** Page number of a 64-bit tag: of the read tag, which every user page has here. */
  #vpnOfTag(address: number): number {
    const low = this.#word(address) >>> PAGE_SHIFT;
    return (this.#word(address + 4) * (1 << (32 - PAGE_SHIFT)) + low) >>> 0;
  }

  #word(address: number): number {
    return this.#shared.i32[address >>> 2];
  }
}

function describe({ vpn, asid, pfn }: Entry, why: string): string {
  return `page 0x${vpn.toString(16)} to frame ${pfn}, ASID ${asid}; ${why}`;
}
