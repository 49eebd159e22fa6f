// Which areas get huge pages, and how eagerly khugepaged makes some: settings of the machine, which
// /sys/kernel/mm/transparent_hugepage shows. (Linux: mm/huge_memory.c, mm/khugepaged.c)

import {
  MACHINE_BASE,
  MACHINE_KHUGEPAGED_ALLOC_SLEEP_MS,
  MACHINE_KHUGEPAGED_DEFRAG,
  MACHINE_KHUGEPAGED_MAX_PTES_NONE,
  MACHINE_KHUGEPAGED_MAX_PTES_SHARED,
  MACHINE_KHUGEPAGED_MAX_PTES_SWAP,
  MACHINE_KHUGEPAGED_PAGES_TO_SCAN,
  MACHINE_KHUGEPAGED_SCAN_SLEEP_MS,
  MACHINE_THP_DEFRAG,
  MACHINE_THP_ENABLED,
  RUN_FRAMES,
  VM_HUGEPAGE,
  VM_NOHUGEPAGE,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";

/** MACHINE_THP_ENABLED, by number. */
export const THP_MODES = ["always", "madvise", "never"] as const;
const THP_ALWAYS = 0;
const THP_MADVISE = 1;

/** MACHINE_THP_DEFRAG, by number. Runs are never made free on behalf of a fault, whatever is chosen. */
export const DEFRAG_MODES = ["always", "defer", "defer+madvise", "madvise", "never"] as const;
const DEFRAG_NEVER = 4;

/** Before any other hart runs. */
export function initThp(shared: SharedMemory): void {
  const settings: readonly (readonly [number, number])[] = [
    [MACHINE_THP_ENABLED, THP_MADVISE],
    [MACHINE_THP_DEFRAG, DEFRAG_NEVER],
    [MACHINE_KHUGEPAGED_DEFRAG, 1],
    [MACHINE_KHUGEPAGED_PAGES_TO_SCAN, 8 * RUN_FRAMES],
    [MACHINE_KHUGEPAGED_SCAN_SLEEP_MS, 10_000],
    [MACHINE_KHUGEPAGED_ALLOC_SLEEP_MS, 60_000],
    [MACHINE_KHUGEPAGED_MAX_PTES_NONE, RUN_FRAMES - 1],
    [MACHINE_KHUGEPAGED_MAX_PTES_SWAP, RUN_FRAMES / 8],
    [MACHINE_KHUGEPAGED_MAX_PTES_SHARED, RUN_FRAMES / 2],
  ];
  for (const [field, value] of settings) shared.set(MACHINE_BASE + field, value);
}

/** Does an area with `flags` get huge pages without asking for each? (Linux: thp_vma_allowable_order) */
export function wantsHuge(shared: SharedMemory, flags: number): boolean {
  const mode = shared.loadOnce(MACHINE_BASE + MACHINE_THP_ENABLED);
  if (mode === THP_MADVISE) return (flags & VM_HUGEPAGE) !== 0;
  return mode === THP_ALWAYS && (flags & VM_NOHUGEPAGE) === 0;
}
