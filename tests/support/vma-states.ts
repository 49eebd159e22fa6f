// Every vma record of a machine at rest: attached if and only if it is in the map of its mm, and nobody in it.

import {
  POOL_BASE,
  POOL_BYTES,
  POOL_FRESH,
  POOL_VMA,
  VMA_DETACHED,
  VMA_END,
  VMA_REFCNT,
  VMA_RWSEM,
} from "../../assembly/layout.ts";
import { kmemCacheObject } from "../../host/memory/slab.ts";
import { vmaFind } from "../../host/mm/vma/vma-map.ts";
import { dumpVma } from "../../host/policy/vma-lock/dump.ts";
import type { MmMachine } from "../mm/harness.ts";

/** Addresses of the vmas in the map, in order. */
export function vmasOf({ hart }: MmMachine, mm: number): number[] {
  const found: number[] = [];
  for (let vma = vmaFind(hart, mm, 0); vma !== 0; vma = vmaFind(hart, mm, hart.shared.get(vma + VMA_END))) {
    found.push(vma);
  }
  return found;
}

/** One line for each record that is not as it should be: in a map of `mms` and attached, or neither. */
export function wrongStates(machine: MmMachine, mms: readonly number[]): string[] {
  const { hart, shared } = machine;
  const mapped = new Set(mms.flatMap((mm) => vmasOf(machine, mm)));
  const { vmaLock } = hart.policies;
  const counts = vmaLock.name.startsWith("refcount");
  const wrong: string[] = [];
  for (let index = 0; index < shared.get(POOL_BASE + POOL_VMA * POOL_BYTES + POOL_FRESH); index++) {
    const vma = kmemCacheObject(POOL_VMA, index);
    const isIn = mapped.has(vma);
    const rest = counts
      ? shared.get(vma + VMA_REFCNT) === (isIn ? 1 : 0)
      : shared.get(vma + VMA_DETACHED) === (isIn ? 0 : 1) && shared.get(vma + VMA_RWSEM) === 0;
    if (!rest || vmaLock.isAttached(hart, vma) !== isIn) wrong.push(dumpVma(hart, vma));
  }
  return wrong;
}
