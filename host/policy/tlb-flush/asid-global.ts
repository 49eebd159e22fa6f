// asid-global: one number per mm, the same on every hart, until they run out: then a new generation begins, and each
// hart drops everything before it loads an mm of that. A hart keeps its bit in the mask once it has run an mm, because
// its translations stay behind. (Linux: arch/riscv/mm/context.c)

import {
  ASID_COUNT,
  COUNTER_ASID_ROLLOVER,
  COUNTER_FLUSH_RANGE_PAGES,
  COUNTER_TLB_REMOTE_FLUSH,
  COUNTER_TLB_REMOTE_FLUSH_RECEIVED,
  CPUMASK_WORDS,
  HART_ASID_ACTIVE,
  HART_ASID_RESERVED,
  HART_SATP_ASID,
  MACHINE_ASID_LOCK,
  MACHINE_ASID_NEXT,
  MACHINE_ASID_PENDING,
  MACHINE_ASID_USED,
  MACHINE_ASID_VERSION,
  MACHINE_BASE,
  MM_ASID_CONTEXT,
  MM_TLB_GEN,
} from "../../../assembly/layout.ts";
import { hartBase } from "../../memory/hart-local.ts";
import { sendIpi } from "../../memory/ipi.ts";
import { B_M8, MUTATIONS } from "../../memory/mutation.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../hart.ts";
import type { TlbFlush } from "../seams.ts";
import {
  copyFlushTargets,
  flushEverything,
  flushesWholeMm,
  flushKernelByIpi,
  flushOp,
  flushPages,
  wholeRanges,
} from "./common.ts";

const LOCK = MACHINE_BASE + MACHINE_ASID_LOCK;
const VERSION = MACHINE_BASE + MACHINE_ASID_VERSION;
const ASID_MASK = 0xff;
const FIRST_VERSION = 0x100;

export const asidGlobal: TlbFlush = {
  ...wholeRanges,
  name: "asid-global",
  keepsTranslations: true,
  runsRemoteCode: true,

  flush(hart: Hart, mm: number, vpn: number, pages: number, freedTables: boolean): void {
    const { shared } = hart;
    shared.fetchAdd(mm + MM_TLB_GEN, 1); // full barrier: the PTE stores come before the read of the cpumask
    const wholeMm = flushesWholeMm(hart, pages, freedTables);
    const rangePages = wholeMm ? 0 : pages;
    hart.count(COUNTER_FLUSH_RANGE_PAGES, rangePages);
    flushAsidOf(hart, mm, vpn, rangePages);
    if (!copyFlushTargets(hart, mm, freedTables)) return;
    hart.count(COUNTER_TLB_REMOTE_FLUSH);
    sendIpi(hart, hart.flushMask, flushOp(hart, mm), mm, vpn, rangePages);
  },

  flushKernel: flushKernelByIpi,

  flushLater(hart: Hart, mm: number, vpn: number): void {
    this.flush(hart, mm, vpn, 1, false);
  },

  onIpi(hart: Hart, mm: number, vpn: number, pages: number): void {
    hart.count(COUNTER_TLB_REMOTE_FLUSH_RECEIVED);
    // Whether it is loaded or not: its translations may be here.
    if (mm === 0) flushEverything(hart);
    else flushAsidOf(hart, mm, vpn, pages);
  },

  switchTo(hart: Hart, next: number): void {
    const { shared } = hart;
    const active = hart.base + HART_ASID_ACTIVE;
    let context = shared.loadAcquire(next + MM_ASID_CONTEXT);
    const old = shared.loadOnce(active);
    let flush = false;
    // A rollover takes the active context of each hart (0) under the lock: then the short way is closed.
    const short =
      old !== 0 &&
      sameVersion(context, shared.loadAcquire(VERSION)) &&
      shared.compareExchange(active, old, context) === old;
    if (!short) {
      spinLock(hart, LOCK);
      if (!sameVersion(context, shared.get(VERSION))) context = newContextLocked(hart, next, context);
      flush = takePendingLocked(hart);
      shared.storeOnce(active, context);
      spinUnlock(hart, LOCK);
    }
    hart.set(HART_SATP_ASID, context & ASID_MASK);
    hart.core.loadSatp();
    if (flush && !(MUTATIONS && hart.mutation === B_M8)) hart.core.flushAll();
  },

  catchUp(hart: Hart): void {
    hart.core.flushAsid(hart.get(HART_SATP_ASID));
  },
};

function flushAsidOf(hart: Hart, mm: number, vpn: number, pages: number): void {
  const context = hart.shared.loadAcquire(mm + MM_ASID_CONTEXT);
  if (context === 0) return; // never loaded anywhere
  if (pages === 0) hart.core.flushAsid(context & ASID_MASK);
  else flushPages(hart, vpn, pages, context & ASID_MASK);
}

function sameVersion(context: number, version: number): boolean {
  return context !== 0 && (context & ~ASID_MASK) === version;
}

/** A number of this generation for `mm`: the one it had, if no other has it, or a free one. Requires: ASID_LOCK. */
function newContextLocked(hart: Hart, mm: number, old: number): number {
  const { shared } = hart;
  let version = shared.get(VERSION);
  if (version === 0) {
    version = FIRST_VERSION;
    shared.storeRelease(VERSION, version);
    shared.set(MACHINE_BASE + MACHINE_ASID_USED, 1); // 0 is nobody's
  }
  let asid = old & ASID_MASK;
  // A hart still runs with it: the rollover has reserved it, with the version of before.
  const reserved = old !== 0 && isReserved(hart, old);
  if (!reserved && (old === 0 || isUsed(hart, asid))) {
    asid = findFree(hart);
    if (asid === 0) {
      version = rollOverLocked(hart);
      asid = findFree(hart);
    }
  }
  markUsed(hart, asid);
  const context = version | asid;
  if (reserved) renewReserved(hart, old, context);
  shared.storeRelease(mm + MM_ASID_CONTEXT, context);
  return context;
}

/** Requires: ASID_LOCK. */
function rollOverLocked(hart: Hart): number {
  const { shared } = hart;
  const version = (shared.get(VERSION) + FIRST_VERSION) | 0;
  hart.count(COUNTER_ASID_ROLLOVER);
  shared.storeRelease(VERSION, version);
  for (let word = 0; word < 8; word++) shared.set(MACHINE_BASE + MACHINE_ASID_USED + word * 4, word === 0 ? 1 : 0);
  shared.set(MACHINE_BASE + MACHINE_ASID_NEXT, 1);
  for (let id = 0; id < hart.hartCount; id++) {
    // What a hart runs with now it keeps; 0 closes its short way until it has flushed.
    let context = shared.exchange(hartBase(id) + HART_ASID_ACTIVE, 0);
    if (context === 0) context = shared.get(hartBase(id) + HART_ASID_RESERVED);
    shared.set(hartBase(id) + HART_ASID_RESERVED, context);
    if (context !== 0) markUsed(hart, context & ASID_MASK);
  }
  for (let word = 0; word < CPUMASK_WORDS; word++) shared.set(MACHINE_BASE + MACHINE_ASID_PENDING + word * 4, -1);
  return version;
}

function isReserved(hart: Hart, context: number): boolean {
  for (let id = 0; id < hart.hartCount; id++) {
    if (hart.shared.get(hartBase(id) + HART_ASID_RESERVED) === context) return true;
  }
  return false;
}

function renewReserved(hart: Hart, old: number, context: number): void {
  for (let id = 0; id < hart.hartCount; id++) {
    const address = hartBase(id) + HART_ASID_RESERVED;
    if (hart.shared.get(address) === old) hart.shared.set(address, context);
  }
}

/** The hart has not flushed since the last rollover; it does now. Requires: ASID_LOCK. */
function takePendingLocked(hart: Hart): boolean {
  const address = MACHINE_BASE + MACHINE_ASID_PENDING + (hart.id >>> 5) * 4;
  const bit = 1 << (hart.id & 31);
  const pending = hart.shared.get(address);
  hart.shared.set(address, pending & ~bit);
  return (pending & bit) !== 0;
}

/** 0 = all are used. */
function findFree(hart: Hart): number {
  const next = MACHINE_BASE + MACHINE_ASID_NEXT;
  for (let asid = Math.max(hart.shared.get(next), 1); asid < ASID_COUNT; asid++) {
    if (isUsed(hart, asid)) continue;
    hart.shared.set(next, asid + 1);
    return asid;
  }
  return 0;
}

function isUsed(hart: Hart, asid: number): boolean {
  return (hart.shared.get(MACHINE_BASE + MACHINE_ASID_USED + (asid >>> 5) * 4) & (1 << (asid & 31))) !== 0;
}

function markUsed(hart: Hart, asid: number): void {
  const address = MACHINE_BASE + MACHINE_ASID_USED + (asid >>> 5) * 4;
  hart.shared.set(address, hart.shared.get(address) | (1 << (asid & 31)));
}
