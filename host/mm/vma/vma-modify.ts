// Joining and splitting of vmas, drawn with one letter per vma:
//
//   addVma      AAAA....BBBB  a new area like both     -> AAAAAAAAAAAA
//   modifyVma   AAAAAAAAAAAA  the middle gets flags N  -> AAAANNNNAAAA
//               AAAANNNNBBBB  N gets the flags of A    -> AAAAAAAABBBB, or AAAAAAAAAAAA if B is like A
//
// (Linux: vma_merge_new_range, vma_modify in mm/vma.c.) Requires, all: mmap_lock for write.

import { MM_MAP_COUNT, VMA_FILE, VMA_MAPPING, VMA_UFFD } from "../../../assembly/layout.ts";
import { ENOMEM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { MAX_MAP_COUNT } from "../uapi.ts";
import { vmaContinuesAt, vmaEnd, vmaFlags, vmaPgoffAt, vmaStart, vmaUffd } from "./vma.ts";
import { vmaFind, vmaFindBelow } from "./vma-map.ts";
import { settle, setVmaFlags, VmaTransaction } from "./vma-transaction.ts";

/** Covers the hole [start, end) by a new vma, or by neighbours that have the same attributes. 0 or -ENOMEM. */
export function addVma(
  hart: Hart,
  mm: number,
  start: number,
  end: number,
  flags: number,
  mapping: number,
  file: number,
  pgoff: number,
  uffd = 0,
): number {
  const below = mergeableBelow(hart, mm, start, flags, mapping, file, pgoff, uffd);
  const above = mergeableAbove(hart, mm, end, flags, mapping, file, pgoff + (end - start), uffd);
  const change = new VmaTransaction(hart, mm);
  let done: boolean;
  if (below !== 0 && above !== 0) {
    done = change.remove(above) && change.resize(below, vmaStart(hart, below), vmaEnd(hart, above));
  } else if (below !== 0) {
    done = change.resize(below, vmaStart(hart, below), end);
  } else if (above !== 0) {
    done = change.resize(above, start, vmaEnd(hart, above));
  } else {
    done = change.insert(start, end, flags, mapping, file, pgoff, uffd);
  }
  return settle(change, done, ENOMEM);
}

/**
 * Gives [start, end), a part of `vma`, the new `flags`, and `uffd` to be registered with, joining and splitting as
 * needed. 0 or -ENOMEM.
 */
export function modifyVma(
  hart: Hart,
  mm: number,
  vma: number,
  start: number,
  end: number,
  flags: number,
  uffd: number = vmaUffd(hart, vma, flags),
): number {
  if (vmaFlags(hart, vma) === flags && hart.shared.get(vma + VMA_UFFD) === uffd) return 0;
  const isHead = start === vmaStart(hart, vma);
  const isTail = end === vmaEnd(hart, vma);
  const mapping = hart.shared.get(vma + VMA_MAPPING);
  const file = hart.shared.get(vma + VMA_FILE);
  const below = isHead ? mergeableBelow(hart, mm, start, flags, mapping, file, vmaPgoffAt(hart, vma, start), uffd) : 0;
  const above = isTail ? mergeableAbove(hart, mm, end, flags, mapping, file, vmaPgoffAt(hart, vma, end), uffd) : 0;
  if (isHead && isTail && below === 0 && above === 0) {
    setVmaFlags(hart, mm, vma, flags, uffd);
    return 0;
  }
  const splits = (isHead || below !== 0 ? 0 : 1) + (isTail || above !== 0 ? 0 : 1);
  const joins = below !== 0 || above !== 0;
  if (!joins && hart.shared.get(mm + MM_MAP_COUNT) + splits > MAX_MAP_COUNT) return -ENOMEM;
  const change = new VmaTransaction(hart, mm);
  const room = makeRoom(hart, change, vma, start, end);
  const done = room && fillRoom(hart, change, vma, start, end, flags, uffd, below, above);
  return settle(change, done, ENOMEM);
}

/** Takes [start, end) out of `vma`. */
function makeRoom(hart: Hart, change: VmaTransaction, vma: number, start: number, end: number): boolean {
  const first = vmaStart(hart, vma);
  const last = vmaEnd(hart, vma);
  if (first === start && last === end) return change.remove(vma);
  if (first === start) return change.resize(vma, end, last);
  if (last === end) return change.resize(vma, first, start);
  return change.resize(vma, first, start) && change.carve(vma, end, last, vmaFlags(hart, vma));
}

/** Puts what was taken out of `vma` into its neighbours, or into a vma of its own. */
function fillRoom(
  hart: Hart,
  change: VmaTransaction,
  vma: number,
  start: number,
  end: number,
  flags: number,
  uffd: number,
  below: number,
  above: number,
): boolean {
  if (below !== 0 && above !== 0) {
    return change.remove(above) && change.resize(below, vmaStart(hart, below), vmaEnd(hart, above));
  }
  if (below !== 0) return change.resize(below, vmaStart(hart, below), end);
  if (above !== 0) return change.resize(above, start, vmaEnd(hart, above));
  return change.carve(vma, start, end, flags, uffd);
}

function mergeableBelow(
  hart: Hart,
  mm: number,
  start: number,
  flags: number,
  mapping: number,
  file: number,
  pgoff: number,
  uffd: number,
): number {
  const below = vmaFindBelow(hart, mm, start);
  if (below === 0 || vmaEnd(hart, below) !== start) return 0;
  return vmaContinuesAt(hart, below, start, flags, mapping, file, pgoff, uffd) ? below : 0;
}

function mergeableAbove(
  hart: Hart,
  mm: number,
  end: number,
  flags: number,
  mapping: number,
  file: number,
  pgoff: number,
  uffd: number,
): number {
  const above = vmaFind(hart, mm, end);
  if (above === 0 || vmaStart(hart, above) !== end) return 0;
  return vmaContinuesAt(hart, above, end, flags, mapping, file, pgoff, uffd) ? above : 0;
}
