// Faulting pages in ahead of their use: MAP_POPULATE, mlock, MADV_POPULATE_*. (Linux: populate_vma_page_range in
// mm/gup.c)

import { ACCESS_LOAD, ACCESS_STORE, VM_LOCKONFAULT, VM_SHARED, VM_WRITE } from "../../../assembly/layout.ts";
import { UserFaultWait } from "../../memory/errors.ts";
import { rcuQuiescent } from "../../memory/rcu.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { makeRoom } from "../reclaim/make-room.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { faultInVma } from "./fault.ts";
import { FAULT_OK, FAULT_OOM, FAULT_RETRY, FAULT_USERFAULT } from "./fault-outcome.ts";
import { finishFaultIo } from "./file-fault.ts";

/** Pages that are populated between two looks at signals. */
const POPULATE_PAGES = 16;

/** populateRange: no vma covers the page. Not a FAULT_*, because a fault could never say so without an address. */
export const POPULATE_NO_VMA = -1;
/** populateRange: a signal is pending; what was populated stays. (Linux: -EINTR of faultin_page) */
export const POPULATE_INTERRUPTED = -2;

/**
 * Faults in the vpns [start, end) by `access`, or by what each vma suggests if that is null. Returns FAULT_OK, or why
 * it stopped: FAULT_* or POPULATE_*. Takes mmap_lock for read, chunk by chunk.
 */
export function populateRange(hart: Hart, mm: number, start: number, end: number, access: number | null): number {
  for (let vpn = start; vpn < end; vpn += POPULATE_PAGES) {
    mmapReadLock(hart, mm);
    const outcome = populateChunk(hart, mm, vpn, Math.min(end, vpn + POPULATE_PAGES), access);
    mmapReadUnlock(hart, mm);
    if (outcome === FAULT_USERFAULT) throw UserFaultWait.thrown;
    if (outcome === FAULT_RETRY) {
      const finished = finishFaultIo(hart);
      if (finished === FAULT_OOM && !makeRoom(hart)) return FAULT_OOM;
      if (finished !== FAULT_OK && finished !== FAULT_OOM) return finished;
      vpn -= POPULATE_PAGES; // the chunk again: what it has populated costs one look a page
    } else if (outcome === FAULT_OOM && makeRoom(hart)) {
      vpn -= POPULATE_PAGES;
    } else if (outcome !== FAULT_OK) return outcome;
    hart.pollIrq();
    rcuQuiescent(hart); // a range may take seconds
    if (signalPending(hart)) return POPULATE_INTERRUPTED;
  }
  return FAULT_OK;
}

/** Requires: mmap_lock for read. */
function populateChunk(hart: Hart, mm: number, start: number, end: number, access: number | null): number {
  for (let vpn = start; vpn < end; ) {
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0 || vmaStart(hart, vma) > vpn) return POPULATE_NO_VMA;
    const vmaPartEnd = Math.min(end, vmaEnd(hart, vma));
    if (access === null && (vmaFlags(hart, vma) & VM_LOCKONFAULT) !== 0) {
      vpn = vmaPartEnd;
      continue;
    }
    const kind = access ?? accessOf(vmaFlags(hart, vma));
    for (; vpn < vmaPartEnd; vpn++) {
      const outcome = faultInVma(hart, mm, vma, vpn, kind);
      if (outcome !== FAULT_OK) return outcome;
    }
  }
  return FAULT_OK;
}

/** Private writable pages get their own frame at once. */
function accessOf(flags: number): number {
  return (flags & (VM_WRITE | VM_SHARED)) === VM_WRITE ? ACCESS_STORE : ACCESS_LOAD;
}
