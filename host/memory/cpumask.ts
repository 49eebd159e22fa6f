// Sets of harts: CPUMASK_WORDS words in shared memory, bit i of word i/32 for each hart.

import { CPUMASK_WORDS } from "../../assembly/layout.ts";
import type { HartLocal } from "./hart-local.ts";

export function cpumaskSet(hart: HartLocal, mask: number, id: number): void {
  hart.shared.fetchOr(mask + (id >>> 5) * 4, 1 << (id & 31));
}

/** Ordered with nothing. */
export function cpumaskSetRelaxed(hart: HartLocal, mask: number, id: number): void {
  hart.shared.fetchOrRelaxed(mask + (id >>> 5) * 4, 1 << (id & 31));
}

export function cpumaskClear(hart: HartLocal, mask: number, id: number): void {
  hart.shared.fetchAnd(mask + (id >>> 5) * 4, ~(1 << (id & 31)));
}

export function cpumaskTest(hart: HartLocal, mask: number, id: number): boolean {
  return (hart.shared.loadOnce(mask + (id >>> 5) * 4) & (1 << (id & 31))) !== 0;
}

/** Copies the mask word by word into `copy`; true if it names a hart other than the caller. */
export function cpumaskCopyOthers(hart: HartLocal, mask: number, copy: Int32Array): boolean {
  let any = 0;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    let bits = hart.shared.loadOnce(mask + word * 4);
    if (word === hart.id >>> 5) bits &= ~(1 << (hart.id & 31));
    copy[word] = bits;
    any |= bits;
  }
  return any !== 0;
}

/** Harts in a copied mask. */
export function maskCount(copy: Int32Array): number {
  let total = 0;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    for (let bits = copy[word]; bits !== 0; bits &= bits - 1) total++;
  }
  return total;
}
