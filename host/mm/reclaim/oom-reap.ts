// The memory of a process that the OOM killer has chosen, before it has got round to dying: on the hart that needs the
// memory, while threads of the victim may still run. They must not go on with pages that have lost their bytes, so
// from here on faults of this address space fail. (Linux: __oom_reap_task_mm and MMF_UNSTABLE in mm/oom_kill.c)

import { MM_OOM_REAPED, VM_SHARED } from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapReadLock, mmapReadUnlock } from "../lock.ts";
import { flushRss } from "../rss.ts";
import { gatherBegin, gatherFinish } from "../table/gather.ts";
import { zapRange } from "../table/zap.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";

/** Takes all private pages. Requires: mm_users held, no lock. */
export function oomReap(hart: Hart, mm: number): void {
  mmapReadLock(hart, mm);
  // A fault that does not see it fills an entry before the PTL reaches it below, or sees it under the PTL.
  hart.shared.storeRelease(mm + MM_OOM_REAPED, 1);
  for (let vma = vmaFind(hart, mm, 0); vma !== 0; vma = vmaFind(hart, mm, vmaEnd(hart, vma))) {
    if ((vmaFlags(hart, vma) & VM_SHARED) !== 0) continue;
    gatherBegin(hart, mm);
    zapRange(hart, mm, vmaStart(hart, vma), vmaEnd(hart, vma));
    gatherFinish(hart);
  }
  flushRss(hart);
  mmapReadUnlock(hart, mm);
}
