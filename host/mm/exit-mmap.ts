// The end of an address space: everything but the root table goes. (Linux: exit_mmap)

import { MM_LOCKED_VM, MM_MAP_COUNT, MM_VMA_ROOT, USER_VPN_END, VMA_END } from "../../assembly/layout.ts";
import { D_M7, MUTATIONS } from "../memory/mutation.ts";
import type { Hart } from "../policy/hart.ts";
import { noteUnlocked } from "./accounting.ts";
import { mmapWriteLock, mmapWriteUnlock } from "./lock.ts";
import { commitPages } from "./overcommit.ts";
import { rmapUnlink } from "./rmap/rmap-link.ts";
import { flushRss } from "./rss.ts";
import { gatherBegin, gatherFinish, gatherWholeMm } from "./table/gather.ts";
import { freeEmptyTables, zapRange } from "./table/zap.ts";
import { isAccountable, vmaFlags, vmaPutBacking, vmaStart } from "./vma/vma.ts";
import { vmaFind, vmaFindBelow } from "./vma/vma-map.ts";
import { retireVmaMap } from "./vma/vma-map-nodes.ts";

/** Requires: mm_users is 0, so no task runs in it and nobody can start to. May wait. */
export function exitMmap(hart: Hart, mm: number): void {
  const { shared } = hart;
  const { vmaLock } = hart.policies;
  mmapWriteLock(hart, mm);
  if (shared.get(mm + MM_LOCKED_VM) !== 0) noteUnlocked(hart);
  gatherBegin(hart, mm);
  const first = vmaFind(hart, mm, 0);
  if (first !== 0) {
    const last = vmaFindBelow(hart, mm, USER_VPN_END);
    zapRange(hart, mm, vmaStart(hart, first), shared.get(last + VMA_END));
  }
  for (let vma = first; vma !== 0; ) {
    const end = shared.get(vma + VMA_END);
    if (isAccountable(vmaFlags(hart, vma))) commitPages(hart, vmaStart(hart, vma) - end);
    vmaLock.startWrite(hart, mm, vma);
    // No fault of this mm can come, but one of another mm may have found the record of what it takes for its own vma.
    if (!(MUTATIONS && hart.mutation === D_M7)) vmaLock.detach(hart, mm, vma);
    rmapUnlink(hart, vma);
    vmaPutBacking(hart, vma);
    vmaLock.free(hart, vma);
    vma = vmaFind(hart, mm, end);
    hart.pollIrq();
  }
  retireVmaMap(hart, shared.get(mm + MM_VMA_ROOT));
  shared.storeRelease(mm + MM_VMA_ROOT, 0);
  shared.set(mm + MM_MAP_COUNT, 0);
  // No reverse map leads here any more: the tables can go.
  freeEmptyTables(hart, mm, 0, USER_VPN_END);
  gatherWholeMm(hart);
  gatherFinish(hart);
  flushRss(hart);
  mmapWriteUnlock(hart, mm);
}
