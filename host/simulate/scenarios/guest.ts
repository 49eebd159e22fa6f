// Guest code of a scenario: single loads and stores, each a schedule point, with interrupts served between them as
// between instructions. They go through the hart's own TLB and walker, and their data through the memory model.

import { ACCESS_LOAD, ACCESS_STORE, HART_RUN_STATE, RUN_KERNEL, RUN_USER, TASK_MM } from "../../../assembly/layout.ts";
import type { KernelHart } from "../../kernel/kernel-hart.ts";
import { POINT_GUEST, POINT_ONCE_LOAD, POINT_ONCE_STORE, suspend } from "../../memory/schedule.ts";
import { handleMmFault } from "../../mm/fault/fault.ts";

/** The access faulted and was not resolved. */
export const FAULTED = null;

export function enterUser(hart: KernelHart): void {
  hart.shared.storeOnce(hart.base + HART_RUN_STATE, RUN_USER);
}

export function leaveUser(hart: KernelHart): void {
  hart.shared.storeOnce(hart.base + HART_RUN_STATE, RUN_KERNEL);
}

/** The word at `va`, or FAULTED. In user mode. */
export function guestLoad(hart: KernelHart, va: number): number | null {
  const address = guestAddress(hart, va, ACCESS_LOAD);
  if (address === 0) return FAULTED;
  const { shared } = hart;
  return shared.model === null ? shared.i32[address >>> 2] : shared.model.load(POINT_ONCE_LOAD, address);
}

/** False if it faulted. In user mode. */
export function guestStore(hart: KernelHart, va: number, value: number): boolean {
  const address = guestAddress(hart, va, ACCESS_STORE);
  if (address === 0) return false;
  const { shared } = hart;
  if (shared.model === null) shared.i32[address >>> 2] = value;
  else shared.model.store(POINT_ONCE_STORE, address, value);
  return true;
}

/**
 * Loads `va`, with the page fault that it may take handled by the kernel: a value, or FAULTED where nothing is mapped.
 */
export function guestLoadOrFault(hart: KernelHart, va: number): number | null {
  for (;;) {
    const value = guestLoad(hart, va);
    if (value !== FAULTED || !pageFault(hart, va, ACCESS_LOAD)) return value;
  }
}

/** Stores with page faults handled; false where the store is not allowed. */
export function guestStoreOrFault(hart: KernelHart, va: number, value: number): boolean {
  for (;;) {
    if (guestStore(hart, va, value)) return true;
    if (!pageFault(hart, va, ACCESS_STORE)) return false;
  }
}

/** From user mode and back. True if the access may be tried again. */
function pageFault(hart: KernelHart, va: number, access: number): boolean {
  leaveUser(hart);
  const error = handleMmFault(hart, hart.shared.get(hart.current + TASK_MM), va, access);
  enterUser(hart);
  return error === 0;
}

function guestAddress(hart: KernelHart, va: number, access: number): number {
  const { shared } = hart;
  hart.pollIrq();
  if (shared.scheduler?.point(POINT_GUEST, va)) suspend();
  shared.observer?.guestAccess(hart.id, va);
  return hart.core.userAddress(va, access);
}
