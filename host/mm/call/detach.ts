// shmdt: takes out of an address space what one shmat has put there, or what is left of it. (Linux: ksys_shmdt)

import { VMA_FILE, VMA_MAPPING, VMA_PGOFF } from "../../../assembly/layout.ts";
import { EINVAL } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { mappingBytes } from "../mapping/mapping.ts";
import { relieveVmaPools } from "../vma/pool-pressure.ts";
import { vmaEnd, vmaStart } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { unmapRange } from "./munmap.ts";
import { pageAlign, toVpn } from "./range.ts";

/**
 * Unmaps the parts of the file at `vpn` that lie where one mapping of it from there would have put them; `isSegment`
 * says which files count. 0 or -errno. May wait for flushes.
 */
export function detachFile(hart: Hart, mm: number, vpn: number, isSegment: (file: number) => boolean): number {
  const { shared } = hart;
  relieveVmaPools(hart);
  mmapWriteLock(hart, mm);
  let result = -EINVAL;
  let file = 0;
  let end = Number.POSITIVE_INFINITY;
  for (let vma = vmaFind(hart, mm, vpn); vma !== 0 && vmaEnd(hart, vma) <= end; ) {
    const [start, last] = [vmaStart(hart, vma), vmaEnd(hart, vma)];
    const itsFile = shared.get(vma + VMA_FILE);
    const isPart = itsFile !== 0 && (file === 0 ? isSegment(itsFile) : itsFile === file);
    if (isPart && start - vpn === shared.get(vma + VMA_PGOFF)) {
      if (file === 0) end = vpn + toVpn(pageAlign(mappingBytes(hart, shared.get(vma + VMA_MAPPING))));
      file = itsFile;
      result = unmapRange(hart, mm, start, last, false);
      if (result !== 0) break;
    }
    vma = vmaFind(hart, mm, last);
    hart.pollIrq();
  }
  mmapWriteUnlock(hart, mm);
  return result;
}
