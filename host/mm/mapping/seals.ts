// Seals of a memfd: promises about its contents that nobody can take back. (Linux: mm/memfd.c)

import { MAPPING_FLAGS } from "../../../assembly/layout.ts";
import { EBUSY, EINVAL, EPERM } from "../../memory/errno.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { F_SEAL_EXEC, F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE } from "../uapi.ts";
import { isWritablyMapped } from "./unmap-mapping.ts";

const SEALS_ALL = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | F_SEAL_EXEC;

/** F_GET_SEALS. A file that can not be sealed has F_SEAL_SEAL from the start. */
export function getSeals(hart: HartLocal, mapping: number): number {
  return hart.shared.loadAcquire(mapping + MAPPING_FLAGS) & SEALS_ALL;
}

/**
 * F_ADD_SEALS: 0 or -errno. The caller has seen that the file is open for writing. Who maps the file at this moment
 * may still get a writable mapping, where Linux counts them before it looks at the seals.
 */
export function addSeals(hart: HartLocal, mapping: number, seals: number): number {
  if ((seals & ~SEALS_ALL) !== 0) return -EINVAL;
  const old = getSeals(hart, mapping);
  if ((old & F_SEAL_SEAL) !== 0) return -EPERM;
  if ((seals & F_SEAL_WRITE) !== 0 && (old & F_SEAL_WRITE) === 0 && isWritablyMapped(hart, mapping)) return -EBUSY;
  hart.shared.fetchOr(mapping + MAPPING_FLAGS, seals);
  return 0;
}
