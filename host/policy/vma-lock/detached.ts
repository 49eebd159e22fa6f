// Attached or detached: whether a vma is in the map of its mm, as VMA_DETACHED says it. For policies whose lock word
// does not say so itself. (Linux 6.4: vma_mark_detached)

import { VMA_DETACHED } from "../../../assembly/layout.ts";
import { WARN_VMA_REATTACH, WARN_VMA_REDETACH, warnOnce } from "../../memory/warn.ts";
import type { Hart } from "../hart.ts";
import { dumpVma } from "./dump.ts";

export function setAttached(hart: Hart, _mm: number, vma: number): boolean {
  const wasDetached = hart.shared.get(vma + VMA_DETACHED) === 1;
  hart.shared.storeRelease(vma + VMA_DETACHED, 0);
  return wasDetached || warnOnce(hart, WARN_VMA_REATTACH, `attached twice: ${dumpVma(hart, vma)}`);
}

export function setDetached(hart: Hart, _mm: number, vma: number): boolean {
  const wasAttached = hart.shared.get(vma + VMA_DETACHED) === 0;
  hart.shared.storeRelease(vma + VMA_DETACHED, 1);
  return wasAttached || warnOnce(hart, WARN_VMA_REDETACH, `detached twice: ${dumpVma(hart, vma)}`);
}

export function isAttached(hart: Hart, vma: number): boolean {
  return hart.shared.loadOnce(vma + VMA_DETACHED) === 0;
}
