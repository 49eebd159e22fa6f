// fork's half of mm: a copy of an address space that shares the private pages with the original until one of the two
// writes. (Linux: dup_mm and dup_mmap in kernel/fork.c, copy_page_range in mm/memory.c)
//
//   parent   PTE rw ──► frame, 1 reference      PTE r- ──┐
//                                         ──►            ├─► frame, 2 references: the next store copies, or, when the
//   child    (none)                             PTE r- ──┘   other has gone by then, takes the frame over (anon.ts)
//
// The parent's rights are taken away entry by entry and flushed once, before anybody can run in the child.

import {
  MM_ARG_END,
  MM_ARG_START,
  MM_BRK,
  MM_BRK_START,
  MM_END_CODE,
  MM_ENTRY,
  MM_ENV_END,
  MM_ENV_START,
  MM_KHUGEPAGED,
  MM_MEMBARRIER,
  MM_MMAP_BASE,
  MM_STACK_TOP,
  MM_START_CODE,
  MM_SWAP,
  MM_VDSO,
  PTE_A,
  PTE_W,
  VM_DONTCOPY,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_SHARED,
  VM_UFFD_WP,
  VM_WIPEONFORK,
} from "../../assembly/layout.ts";
import { D_M18, MUTATIONS } from "../memory/mutation.ts";
import type { Hart } from "../policy/hart.ts";
import { sharePage } from "./fault/anon.ts";
import { pageOf } from "./frame/page.ts";
import { DUP_NO_MEMORY, dupHuge } from "./huge/huge-entries.ts";
import { mmapWriteLock, mmapWriteUnlock } from "./lock.ts";
import { mmAlloc, mmput } from "./mm.ts";
import { enoughMemory } from "./overcommit.ts";
import { makeRoomIfShort } from "./reclaim/make-room.ts";
import { swapDup } from "./reclaim/swap-map.ts";
import { anonVmaFork } from "./rmap/anon-vma.ts";
import { addRss, addRssKind, flushRss } from "./rss.ts";
import { gatherBegin, gatherFinish, gatherPte, gatherUnlock } from "./table/gather.ts";
import { allocPte, findHuge, findPte } from "./table/page-table.ts";
import { clearUffdWp, isMarker, isSwapPte, PTE_BYTES, ptePfn } from "./table/pte.ts";
import { chunkEnd, lockTwoPtes, unlockTwoPtes } from "./table/pte-lock.ts";
import { areEmpty, setNewPte } from "./table/set-pte.ts";
import { skipMissingTable } from "./table/zap.ts";
import { EventBatch, UFFD_EVENT_FORK } from "./userfaultfd/userfaultfd-events.ts";
import { relieveVmaPools } from "./vma/pool-pressure.ts";
import { isAccountable, VM_UFFD, vmaEnd, vmaFlags, vmaStart } from "./vma/vma.ts";
import { vmaFind } from "./vma/vma-map.ts";
import { VmaTransaction } from "./vma/vma-transaction.ts";

const FIELDS_COPIED = [
  MM_BRK_START,
  MM_BRK,
  MM_MMAP_BASE,
  MM_STACK_TOP,
  MM_ARG_START,
  MM_ARG_END,
  MM_ENV_START,
  MM_ENV_END,
  MM_ENTRY,
  MM_VDSO,
  MM_START_CODE,
  MM_END_CODE,
];

/** A copy of the address space `parent` with one user, or 0: out of memory, and nothing has changed. Waits. */
export function dupMm(hart: Hart, parent: number): number {
  hart.framesRanOut = false;
  for (;;) {
    const child = tryDupMm(hart, parent);
    if (child !== 0 || !makeRoomIfShort(hart)) return child;
  }
}

function tryDupMm(hart: Hart, parent: number): number {
  relieveVmaPools(hart);
  const child = mmAlloc(hart);
  if (child === 0) return 0;
  anonVmaFork(hart, parent, child);
  mmapWriteLock(hart, parent);
  mmapWriteLock(hart, child); // nobody else knows it yet: never contended
  // MM_FLAGS stays 0: MCL_FUTURE is not inherited.
  for (const field of FIELDS_COPIED) hart.shared.setF64(child + field, hart.shared.getF64(parent + field));
  hart.shared.set(child + MM_KHUGEPAGED, hart.shared.loadOnce(parent + MM_KHUGEPAGED));
  hart.shared.set(child + MM_MEMBARRIER, hart.shared.loadOnce(parent + MM_MEMBARRIER));
  const events = new EventBatch(hart);
  gatherBegin(hart, parent);
  const done = dupVmas(hart, parent, child, events) && dupPages(hart, parent, child, events);
  gatherFinish(hart);
  flushRss(hart);
  if (done) events.post(0, 0);
  mmapWriteUnlock(hart, child);
  mmapWriteUnlock(hart, parent);
  if (done) return child;
  mmput(hart, child); // pages copied so far lose their second reference: the parent's next store takes them over
  events.cancel();
  return 0;
}

/** Requires: both mmap_locks for write. */
function dupVmas(hart: Hart, parent: number, child: number, events: EventBatch): boolean {
  const copy = new VmaTransaction(hart, child);
  let done = true;
  let promised = 0;
  for (let vma = vmaFind(hart, parent, 0); done && vma !== 0; vma = vmaFind(hart, parent, vmaEnd(hart, vma))) {
    const flags = vmaFlags(hart, vma);
    // Also what is not copied: a fault may not change what is shared while it is being shared.
    if (!(MUTATIONS && hart.mutation === D_M18)) hart.policies.vmaLock.startWrite(hart, parent, vma);
    if ((flags & VM_DONTCOPY) === 0) {
      promised += isAccountable(flags) ? vmaEnd(hart, vma) - vmaStart(hart, vma) : 0;
      done =
        enoughMemory(hart, parent, promised) &&
        events.add(vma, UFFD_EVENT_FORK, child) &&
        dupVma(hart, copy, vma, flags & ~(VM_LOCKED | VM_LOCKONFAULT), events.childOf(vma));
    }
    hart.pollIrq();
  }
  if (done) copy.commit();
  else copy.abort();
  return done;
}

/** The copy is registered with a userfaultfd of its own, if somebody asked to hear of forks. (dup_userfaultfd) */
function dupVma(hart: Hart, copy: VmaTransaction, vma: number, flags: number, uffd: number): boolean {
  const own = uffd === 0 ? flags & ~VM_UFFD : flags;
  return copy.carve(vma, vmaStart(hart, vma), vmaEnd(hart, vma), own, uffd);
}

/** Requires: both mmap_locks for write, an open gather of the parent. */
function dupPages(hart: Hart, parent: number, child: number, events: EventBatch): boolean {
  for (let vma = vmaFind(hart, parent, 0); vma !== 0; vma = vmaFind(hart, parent, vmaEnd(hart, vma))) {
    const flags = vmaFlags(hart, vma);
    const keepsMarks = events.childOf(vma) !== 0;
    if ((flags & (VM_DONTCOPY | VM_WIPEONFORK)) !== 0) continue;
    // A shared mapping's pages come from its object when the child faults: without userfaultfd's marks.
    if ((flags & VM_SHARED) !== 0 && !(keepsMarks && (flags & VM_UFFD_WP) !== 0)) continue;
    if (!dupRange(hart, parent, child, vmaStart(hart, vma), vmaEnd(hart, vma), keepsMarks)) return false;
  }
  return true;
}

/** (Linux: copy_page_range) */
function dupRange(hart: Hart, parent: number, child: number, start: number, end: number, keepsMarks: boolean): boolean {
  for (let vpn = start; vpn < end; ) {
    const source = findPte(hart, parent, vpn);
    if (source === 0) {
      const isHuge = findHuge(hart, parent, vpn) !== 0;
      vpn = isHuge ? dupHuge(hart, parent, child, vpn, end) : skipMissingTable(hart, parent, vpn);
      if (vpn === DUP_NO_MEMORY) return false;
      hart.pollIrq();
      continue;
    }
    const next = chunkEnd(vpn, end);
    if (!areEmpty(hart, source, next - vpn)) {
      const target = allocPte(hart, child, vpn);
      if (target === 0) return false;
      dupChunk(hart, child, source, target, vpn, next, keepsMarks);
    }
    vpn = next;
    hart.pollIrq();
  }
  return true;
}

/** Entries of one lock to the same place of the other table. */
function dupChunk(
  hart: Hart,
  child: number,
  source: number,
  target: number,
  start: number,
  end: number,
  keepsMarks: boolean,
): void {
  let resident = 0;
  let swapped = 0;
  lockTwoPtes(hart, source, target);
  for (let vpn = start, at = 0; vpn < end; vpn++, at += PTE_BYTES) {
    const pte = writeProtect(hart, source + at, vpn);
    if (pte === 0) continue;
    const copy = keepsMarks ? pte : clearUffdWp(pte);
    if (isMarker(pte)) {
      if (copy !== 0) setNewPte(hart, target + at, copy);
      continue;
    }
    if (isSwapPte(pte)) {
      swapDup(hart, ptePfn(pte));
      setNewPte(hart, target + at, copy);
      swapped++;
      continue;
    }
    if (sharePage(hart, ptePfn(pte))) {
      addRssKind(hart, child, pageOf(ptePfn(pte)), 1);
      resident++;
    }
    setNewPte(hart, target + at, copy & ~PTE_A);
  }
  gatherUnlock(hart);
  unlockTwoPtes(hart, source, target);
  addRss(hart, child, resident);
  if (swapped !== 0) hart.shared.fetchAdd(child + MM_SWAP, swapped);
}

/** Takes W from an entry of the parent; returns what it is now. A walker may set A or D in between. */
function writeProtect(hart: Hart, address: number, vpn: number): number {
  const { shared } = hart;
  for (;;) {
    const old = shared.loadOnce(address);
    if ((old & PTE_W) === 0) return old;
    if (shared.compareExchange(address, old, old & ~PTE_W) !== old) continue;
    gatherPte(hart, vpn);
    return old & ~PTE_W;
  }
}
