// khugepaged: a kernel thread that looks at areas which want huge pages and collapses what has become of them in single
// pages: they were there before the advice, or no run was free. It takes its time. (Linux: mm/khugepaged.c)

import {
  MACHINE_BASE,
  MACHINE_KHUGEPAGED_FOUND,
  MACHINE_KHUGEPAGED_FULL_SCANS,
  MACHINE_KHUGEPAGED_LEFT,
  MACHINE_KHUGEPAGED_MM,
  MACHINE_KHUGEPAGED_PAGES_TO_SCAN,
  MACHINE_KHUGEPAGED_QUEUE,
  MACHINE_KHUGEPAGED_SCAN_SLEEP_MS,
  MACHINE_KHUGEPAGED_VPN,
  MACHINE_KHUGEPAGED_WORK,
  MM_BASE,
  MM_BYTES,
  MM_KHUGEPAGED,
  POOL_BASE,
  POOL_BYTES,
  POOL_FRESH,
  POOL_MM,
  RUN_FRAMES,
  WAITQ_LOCK,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { collapse, mayCollapse } from "../../mm/huge/collapse.ts";
import { wantsHuge } from "../../mm/huge/thp.ts";
import { mmapReadLock, mmapReadUnlock } from "../../mm/lock.ts";
import { mmgetNotZero, mmput } from "../../mm/mm.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../../mm/vma/vma.ts";
import { vmaFind } from "../../mm/vma/vma-map.ts";
import type { Hart } from "../../policy/hart.ts";
import type { StepResult } from "../sched/kthread.ts";
import { finishWait, sleepOnTimer, waitqAdd, waitqWakeOne } from "../sched/wait.ts";
import { armTimer } from "../time/timer.ts";

const QUEUE = MACHINE_BASE + MACHINE_KHUGEPAGED_QUEUE;
const WORK = MACHINE_BASE + MACHINE_KHUGEPAGED_WORK;
const AT_MM = MACHINE_BASE + MACHINE_KHUGEPAGED_MM;
const AT_VPN = MACHINE_BASE + MACHINE_KHUGEPAGED_VPN;
const LEFT = MACHINE_BASE + MACHINE_KHUGEPAGED_LEFT;
const FOUND = MACHINE_BASE + MACHINE_KHUGEPAGED_FOUND;

/** Records of mms, or vmas, looked at in one step. */
const LOOKS = 64;

/** One step: a leaf, a few records, a nap, or to sleep until somebody wants huge pages. */
export function khugepagedStep(hart: Hart): StepResult {
  const { shared } = hart;
  finishWait(hart);
  for (let looked = 0; looked < LOOKS; looked++) {
    const index = shared.get(AT_MM);
    if (index >= shared.loadOnce(POOL_BASE + POOL_MM * POOL_BYTES + POOL_FRESH)) return endRound(hart);
    const mm = MM_BASE + index * MM_BYTES;
    if (shared.loadOnce(mm + MM_KHUGEPAGED) !== 0 && mmgetNotZero(hart, mm)) {
      shared.set(FOUND, 1);
      const isThrough = scanMm(hart, mm);
      mmput(hart, mm);
      if (isThrough) goTo(hart, index + 1);
      return shared.get(LEFT) > 0 ? "again" : nap(hart);
    }
    goTo(hart, index + 1);
  }
  return "again";
}

/** An area has come to want huge pages. */
export function wakeKhugepaged(hart: Hart): void {
  hart.shared.storeRelease(WORK, 1);
  spinLock(hart, QUEUE + WAITQ_LOCK);
  waitqWakeOne(hart, QUEUE);
  spinUnlock(hart, QUEUE + WAITQ_LOCK);
}

/** Looks at the next 2 MiB of the mm that may want to be a leaf; true if there are none. Requires: a user of the mm. */
function scanMm(hart: Hart, mm: number): boolean {
  const { shared } = hart;
  let base = -1;
  mmapReadLock(hart, mm);
  let vma = vmaFind(hart, mm, shared.get(AT_VPN));
  for (let looked = 0; vma !== 0 && base < 0 && looked < LOOKS; looked++) {
    base = nextLeaf(hart, vma, shared.get(AT_VPN));
    shared.set(AT_VPN, base < 0 ? vmaEnd(hart, vma) : base + RUN_FRAMES);
    if (base < 0) vma = vmaFind(hart, mm, vmaEnd(hart, vma));
  }
  mmapReadUnlock(hart, mm);
  if (base >= 0) {
    collapse(hart, mm, base, true);
    shared.set(LEFT, shared.get(LEFT) - 1);
  }
  return vma === 0;
}

/** First vpn of the first 2 MiB of the vma from `vpn` up, or -1. Requires: mmap_lock. */
function nextLeaf(hart: Hart, vma: number, vpn: number): number {
  if (!wantsHuge(hart.shared, vmaFlags(hart, vma)) || !mayCollapse(hart, vma)) return -1;
  const base = (Math.max(vpn, vmaStart(hart, vma)) + RUN_FRAMES - 1) & -RUN_FRAMES;
  return base + RUN_FRAMES <= vmaEnd(hart, vma) ? base : -1;
}

function goTo(hart: Hart, index: number): void {
  hart.shared.set(AT_MM, index);
  hart.shared.set(AT_VPN, 0);
}

/** All mms have been looked at. */
function endRound(hart: Hart): StepResult {
  const { shared } = hart;
  goTo(hart, 0);
  const found = shared.get(FOUND) !== 0;
  shared.set(FOUND, 0);
  shared.fetchAdd(MACHINE_BASE + MACHINE_KHUGEPAGED_FULL_SCANS, 1);
  if (found) return nap(hart);
  spinLock(hart, QUEUE + WAITQ_LOCK);
  // Whoever wants it after this finds it on the queue; who did before may have been passed by.
  const stays = shared.exchange(WORK, 0) !== 0;
  if (!stays) waitqAdd(hart, QUEUE);
  spinUnlock(hart, QUEUE + WAITQ_LOCK);
  shared.set(LEFT, leavesBetweenNaps(hart));
  return stays ? "again" : "wait";
}

function nap(hart: Hart): StepResult {
  hart.shared.set(LEFT, leavesBetweenNaps(hart));
  sleepOnTimer(hart);
  const milliseconds = hart.shared.loadOnce(MACHINE_BASE + MACHINE_KHUGEPAGED_SCAN_SLEEP_MS);
  armTimer(hart, hart.clock.now() + milliseconds * 1e6);
  return "wait";
}

function leavesBetweenNaps({ shared }: Hart): number {
  return Math.ceil(shared.loadOnce(MACHINE_BASE + MACHINE_KHUGEPAGED_PAGES_TO_SCAN) / RUN_FRAMES);
}
