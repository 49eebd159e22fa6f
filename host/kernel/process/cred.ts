// Who a process acts for. It begins as root and may become somebody else; what root alone may do is asked here. Threads
// have the same credentials (the C library sees to that on Linux, too). (Linux: kernel/cred.c)

import { CRED_BYTES, PROCESS_GIDS, PROCESS_UIDS, TASK_PROCESS } from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";

// words of PROCESS_UIDS and PROCESS_GIDS
export const ID_REAL = 0;
export const ID_EFFECTIVE = 4;
export const ID_SAVED = 8;
export const ID_FS = 12;

export const USERS = PROCESS_UIDS;
export const GROUPS = PROCESS_GIDS;

/** One of the current process's ids: `kind` is USERS or GROUPS, `which` ID_*. */
export function currentId(hart: Hart, kind: number, which: number): number {
  return hart.shared.loadOnce(hart.shared.get(hart.current + TASK_PROCESS) + kind + which) >>> 0;
}

export function setCurrentId(hart: Hart, kind: number, which: number, id: number): void {
  hart.shared.storeOnce(hart.shared.get(hart.current + TASK_PROCESS) + kind + which, id | 0);
}

/** May the current process do what needs a capability? */
export function isCapable(hart: Hart): boolean {
  return currentId(hart, USERS, ID_EFFECTIVE) === 0;
}

/** A child begins as its parent is. */
export function copyCredentials(hart: Hart, process: number, from: number): void {
  hart.core.copyBytes(process + PROCESS_UIDS, from + PROCESS_UIDS, CRED_BYTES);
}
