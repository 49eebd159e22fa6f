// Reading an address space that is not the current task's (Linux: access_remote_vm). No translation of this hart helps,
// so each page is looked up in the tables and copied under their lock: it can not be freed meanwhile.

import { ACCESS_LOAD, PAGE_BYTES, PTE_V } from "../../assembly/layout.ts";
import type { Hart } from "../policy/hart.ts";
import { FAULT_OK, handleMmFault } from "./fault.ts";
import { frameAddress } from "./frames.ts";
import { mmapReadLock, mmapReadUnlock } from "./lock.ts";
import { findHuge, findPte, lockTable, tablePageOf, unlockTable } from "./page-table.ts";
import { isHugePte, ptePfn, smallPte } from "./pte.ts";

/** Copies `bytes` bytes at `va` of `mm` to `address`; how many before the first page that can not be had. */
export function readRemote(hart: Hart, mm: number, va: number, address: number, bytes: number): number {
  let done = 0;
  while (done < bytes) {
    const at = va + done;
    const piece = Math.min(bytes - done, PAGE_BYTES - (at % PAGE_BYTES));
    if (!readPage(hart, mm, at, address + done, piece)) {
      if (handleMmFault(hart, mm, at, ACCESS_LOAD) !== FAULT_OK) break;
      if (!readPage(hart, mm, at, address + done, piece)) break;
    }
    done += piece;
    hart.pollIrq();
  }
  return done;
}

/** False: the page is not there. */
function readPage(hart: Hart, mm: number, va: number, address: number, bytes: number): boolean {
  mmapReadLock(hart, mm);
  const vpn = Math.floor(va / PAGE_BYTES);
  const small = findPte(hart, mm, vpn);
  const slot = small === 0 ? findHuge(hart, mm, vpn) : small;
  let found = false;
  if (slot !== 0) {
    const table = tablePageOf(slot);
    lockTable(hart, table);
    const entry = hart.shared.loadOnce(slot);
    const pte = small === 0 && isHugePte(entry) ? smallPte(entry, vpn) : small === 0 ? 0 : entry;
    found = (pte & PTE_V) !== 0;
    if (found) hart.core.copyBytes(address, frameAddress(ptePfn(pte)) + (va % PAGE_BYTES), bytes);
    unlockTable(hart, table);
  }
  mmapReadUnlock(hart, mm);
  return found;
}
