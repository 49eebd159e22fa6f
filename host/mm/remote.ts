// Reading and writing an address space that is not the current task's (Linux: access_remote_vm). No translation of this
// hart helps, so each page is looked up in the tables and copied under their lock: it can not be freed meanwhile.

import { ACCESS_LOAD, ACCESS_STORE, PAGE_BYTES, PTE_A, PTE_D, PTE_V, PTE_W } from "../../assembly/layout.ts";
import type { Hart } from "../policy/hart.ts";
import { handleMmFault } from "./fault/fault.ts";
import { FAULT_OK } from "./fault/fault-outcome.ts";
import { frameAddress } from "./frame/page.ts";
import { mmapReadLock, mmapReadUnlock } from "./lock.ts";
import { findHuge, findPte, tablePageOf } from "./table/page-table.ts";
import { isHugePte, ptePfn, smallPte } from "./table/pte.ts";
import { lockPte, lockTable, unlockPte, unlockTable } from "./table/pte-lock.ts";
import { TASK_BYTES_USER } from "./uapi.ts";

/** Copies `bytes` bytes at `va` of `mm` to `address`; how many before the first page that can not be had. */
export function readRemote(hart: Hart, mm: number, va: number, address: number, bytes: number): number {
  return transfer(hart, mm, va, address, bytes, ACCESS_LOAD);
}

/** Copies `bytes` bytes at `address` to `va` of `mm`, where the program itself could write them. */
export function writeRemote(hart: Hart, mm: number, va: number, address: number, bytes: number): number {
  return transfer(hart, mm, va, address, bytes, ACCESS_STORE);
}

function transfer(hart: Hart, mm: number, va: number, address: number, bytes: number, access: number): number {
  let done = 0;
  if (!(va >= 0 && va < TASK_BYTES_USER)) return 0;
  const end = Math.min(bytes, TASK_BYTES_USER - va);
  while (done < end) {
    const at = va + done;
    const piece = Math.min(end - done, PAGE_BYTES - (at % PAGE_BYTES));
    if (!copyPiece(hart, mm, at, address + done, piece, access)) {
      if (handleMmFault(hart, mm, at, access) !== FAULT_OK) break;
      if (!copyPiece(hart, mm, at, address + done, piece, access)) break;
    }
    done += piece;
    hart.pollIrq();
  }
  return done;
}

/** False: the page is not there, or not for this access. */
function copyPiece(hart: Hart, mm: number, va: number, address: number, bytes: number, access: number): boolean {
  mmapReadLock(hart, mm);
  const vpn = Math.floor(va / PAGE_BYTES);
  const small = findPte(hart, mm, vpn);
  const slot = small === 0 ? findHuge(hart, mm, vpn) : small;
  let found = false;
  if (slot !== 0) {
    if (small !== 0) lockPte(hart, slot);
    else lockTable(hart, tablePageOf(slot));
    const entry = hart.shared.loadOnce(slot);
    const pte = small === 0 && isHugePte(entry) ? smallPte(entry, vpn) : small === 0 ? 0 : entry;
    const needed = access === ACCESS_STORE ? PTE_V | PTE_W : PTE_V;
    found = (pte & needed) === needed;
    const there = frameAddress(ptePfn(pte)) + (va % PAGE_BYTES);
    if (found && access === ACCESS_STORE) {
      hart.shared.fetchOr(slot, PTE_A | PTE_D);
      hart.core.copyBytes(there, address, bytes);
    } else if (found) {
      hart.core.copyBytes(address, there, bytes);
    }
    if (small !== 0) unlockPte(hart, slot);
    else unlockTable(hart, tablePageOf(slot));
  }
  mmapReadUnlock(hart, mm);
  return found;
}
