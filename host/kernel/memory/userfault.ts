// A fault in an area that is registered with userfaultfd: the task waits until a monitor has given it the page. In
// guest code that is all; the instruction is then executed again. In a user copy of a system call the copy throws
// UserFaultWait, so that the call unwinds, and is made again from its ecall. (Linux: handle_userfault)

import {
  ACCESS_STORE,
  HART_TVAL,
  PAGE_BYTES,
  PF_EXITING,
  TASK_FLAGS,
  TASK_INTERRUPTIBLE,
  TASK_MM,
  TASK_RESTART_CALL,
  TASK_RUNNING,
  TASK_STATE,
  TASK_USERFAULT,
  TASK_WAIT_KEY_HI,
  TASK_WAIT_KEY_LO,
  TASK_WAIT_QUEUE,
  TASK_WAIT_RESULT,
  UFFD_FEATURES,
  UFFD_FLAGS,
  UFFD_PENDING,
  UFFD_READERS,
  VM_UFFD_MINOR,
  VM_UFFD_WP,
  VMA_MM,
  VMA_UFFD,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { toVpn } from "../../mm/call/range.ts";
import { FAULT_BUS, FAULT_OK, FAULT_USERFAULT } from "../../mm/fault/fault-outcome.ts";
import { isUffdWp, isVacant } from "../../mm/table/pte.ts";
import type { Hart } from "../../policy/hart.ts";
import { wakePollers } from "../file/poll-wait.ts";
import { loadU64 } from "../registers.ts";
import { finishWait, waitqAdd, waitqWakeOne } from "../sched/wait.ts";
import {
  KEY_OFFSET_SHIFT,
  UFFD_FEATURE_SIGBUS,
  UFFD_PAGEFAULT_FLAG_MINOR,
  UFFD_PAGEFAULT_FLAG_WP,
  UFFD_PAGEFAULT_FLAG_WRITE,
  UFFD_USER_MODE_ONLY,
} from "./userfaultfd-uapi.ts";

/** HartLocal.userFault. The monitor fills the entry first and wakes afterwards, under the queue's lock. */
export function userFault(
  local: HartLocal,
  vma: number,
  vpn: number,
  pteAddress: number,
  kind: number,
  access: number,
): number {
  const hart = local as Hart;
  const { shared, current } = hart;
  const context = shared.get(vma + VMA_UFFD);
  if (!mayWait(hart, vma, context)) return FAULT_BUS;
  rememberResult(hart);
  const pte = shared.loadOnce(pteAddress);
  const isStill = kind === VM_UFFD_WP ? isUffdWp(pte) : isVacant(pte);
  if (!isStill) return FAULT_OK;
  const flags = (access === ACCESS_STORE ? UFFD_PAGEFAULT_FLAG_WRITE : 0) | flagOf(kind);
  const queue = context + UFFD_PENDING;
  spinLock(hart, queue + WAITQ_LOCK);
  shared.set(current + TASK_WAIT_KEY_LO, vpn);
  shared.set(current + TASK_WAIT_KEY_HI, flags | (offsetInPage(hart, vpn) << KEY_OFFSET_SHIFT));
  waitqAdd(hart, queue);
  shared.storeRelease(current + TASK_STATE, hart.userFaultState);
  spinUnlock(hart, queue + WAITQ_LOCK);
  // A and D may have changed, but then the walker found the entry good for something.
  if (shared.loadAcquire(pteAddress) !== pte) {
    finishWait(hart);
    return FAULT_OK;
  }
  wakeReader(hart, context);
  return FAULT_USERFAULT;
}

/** The call in progress goes on: what a waker said to it before its copy waited holds again. */
export function endUserFault(hart: Hart): void {
  const { shared, current } = hart;
  finishWait(hart);
  shared.set(current + TASK_WAIT_RESULT, shared.get(current + TASK_USERFAULT) - 1);
  shared.set(current + TASK_USERFAULT, 0);
}

function flagOf(kind: number): number {
  if (kind === VM_UFFD_WP) return UFFD_PAGEFAULT_FLAG_WP;
  return kind === VM_UFFD_MINOR ? UFFD_PAGEFAULT_FLAG_MINOR : 0;
}

/** Which byte of the page: known if the access itself has trapped, and not for what is faulted in ahead. */
function offsetInPage(hart: Hart, vpn: number): number {
  const va = loadU64(hart, hart.base + HART_TVAL);
  return toVpn(va) === vpn ? va % PAGE_BYTES : 0;
}

function mayWait(hart: Hart, vma: number, context: number): boolean {
  const { shared, current } = hart;
  if (hart.userFaultState === TASK_RUNNING) return false;
  // Another address space's pages are looked at by /proc and process_vm_readv: they take what is there.
  if (shared.get(vma + VMA_MM) !== shared.get(current + TASK_MM)) return false;
  if ((shared.get(current + TASK_FLAGS) & PF_EXITING) !== 0) return false;
  if ((shared.loadOnce(context + UFFD_FEATURES) & UFFD_FEATURE_SIGBUS) !== 0) return false;
  const isGuest = hart.userFaultState === TASK_INTERRUPTIBLE;
  return isGuest || (shared.get(context + UFFD_FLAGS) & UFFD_USER_MODE_ONLY) === 0;
}

/** A call may stand on a queue of its own while it copies, or have been taken off it by a waker. */
export function rememberResult(hart: Hart): void {
  const { shared, current } = hart;
  if (shared.loadAcquire(current + TASK_WAIT_QUEUE) !== 0) finishWait(hart);
  if (shared.get(current + TASK_RESTART_CALL) === 0) return;
  shared.set(current + TASK_USERFAULT, 1 + shared.get(current + TASK_WAIT_RESULT));
}

/** Something is there to be read. */
export function wakeReader(hart: Hart, context: number): void {
  const readers = context + UFFD_READERS;
  spinLock(hart, readers + WAITQ_LOCK); // held by a reader from its look to its sleep
  waitqWakeOne(hart, readers);
  spinUnlock(hart, readers + WAITQ_LOCK);
  wakePollers(hart);
}
