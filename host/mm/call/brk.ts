// brk: the heap, one private mapping that grows and shrinks at its end. (Linux: mm/mmap.c, brk and do_brk_flags)

import {
  MM_BRK,
  MM_BRK_START,
  MM_FLAGS,
  MM_MAP_COUNT,
  PAGE_BYTES,
  VM_LOCKED,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYWRITE,
  VM_READ,
  VM_WRITE,
} from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { mayExpandVm } from "../accounting.ts";
import { populateRange } from "../fault/populate.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../lock.ts";
import { enoughMemory } from "../overcommit.ts";
import { mayLockPages, rlimitBytes } from "../rlimit.ts";
import { MAX_MAP_COUNT, RLIMIT_DATA, TASK_BYTES_USER } from "../uapi.ts";
import { relieveVmaPools } from "../vma/pool-pressure.ts";
import { vmaStartGap } from "../vma/vma.ts";
import { vmaFind } from "../vma/vma-map.ts";
import { addVma } from "../vma/vma-modify.ts";
import { unmapRange } from "./munmap.ts";
import { pageAlign, toVpn } from "./range.ts";

const HEAP_FLAGS = VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;

/** brk(2): the break after the call, which is the old one when the wish can not be granted. */
export function doBrk(hart: Hart, mm: number, wish: number): number {
  const { shared } = hart;
  relieveVmaPools(hart);
  mmapWriteLock(hart, mm);
  const old = shared.getF64(mm + MM_BRK);
  const granted = wish <= TASK_BYTES_USER && moveBrk(hart, mm, old, wish);
  if (granted) shared.setF64(mm + MM_BRK, wish);
  const locked = (shared.get(mm + MM_FLAGS) & VM_LOCKED) !== 0;
  mmapWriteUnlock(hart, mm);
  if (!granted) return old;
  if (locked && wish > old) populateRange(hart, mm, toVpn(pageAlign(old)), toVpn(pageAlign(wish)), null);
  return wish;
}

/** Requires: mmap_lock for write. */
function moveBrk(hart: Hart, mm: number, old: number, wish: number): boolean {
  const start = hart.shared.getF64(mm + MM_BRK_START);
  if (wish < start || wish - start > rlimitBytes(hart, RLIMIT_DATA)) return false;
  const oldEnd = toVpn(pageAlign(old));
  const newEnd = toVpn(pageAlign(wish));
  if (newEnd === oldEnd) return true;
  if (newEnd < oldEnd) return unmapRange(hart, mm, newEnd, oldEnd) === 0;
  // One page and a stack's guard gap stay free between the heap and what lies above it.
  const above = vmaFind(hart, mm, oldEnd);
  if (above !== 0 && newEnd + 1 > vmaStartGap(hart, above)) return false;
  return growHeap(hart, mm, oldEnd, newEnd);
}

function growHeap(hart: Hart, mm: number, start: number, end: number): boolean {
  if (end * PAGE_BYTES > TASK_BYTES_USER) return false;
  const flags = HEAP_FLAGS | hart.shared.get(mm + MM_FLAGS);
  if ((flags & VM_LOCKED) !== 0 && !mayLockPages(hart, mm, end - start)) return false;
  if (!mayExpandVm(hart, mm, flags, end - start)) return false;
  if (hart.shared.get(mm + MM_MAP_COUNT) > MAX_MAP_COUNT) return false;
  if (!enoughMemory(hart, mm, end - start)) return false;
  return addVma(hart, mm, start, end, flags, 0, 0, start) === 0;
}
