// The OOM killer. Memory and swap are full and nothing can be reclaimed: the process that has most of it dies, so that
// the others go on. (Linux: mm/oom_kill.c)
//
// The hart that needs memory chooses the victim, tells its threads to die, and takes its private pages at once
// (mm/reclaim/oom-reap.ts): the victim may be asleep, or wait for this very hart. What is left of it comes back as it
// exits; until then no other is chosen.

import {
  COUNTER_OOM_KILL,
  MACHINE_BASE,
  MACHINE_OOM_OWNER,
  MACHINE_SWAP_SLOTS,
  MM_PT_PAGES,
  MM_RSS,
  MM_SWAP,
  PROCESS_GROUP_EXIT,
  PROCESS_LIVE,
  PROCESS_OOM_SCORE_ADJ,
  PROCESS_OOM_VICTIM,
  PROCESS_STATE,
  PROCESS_THREADS,
  TASK_MM,
  TASK_PROCESS,
  TASK_RUNNING,
  TASK_STATE,
  TASK_THREAD_NEXT,
  TASK_VFORK_PARENT,
} from "../../../assembly/layout.ts";
import { park } from "../../memory/park.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { ramFrameCount } from "../../mm/frame/page.ts";
import { isAboveMin } from "../../mm/frame/watermark.ts";
import { mmgetNotZero, mmput } from "../../mm/mm.ts";
import { oomReap } from "../../mm/reclaim/oom-reap.ts";
import type { Hart } from "../../policy/hart.ts";
import { startGroupExitLocked } from "../process/group-exit.ts";
import { initProcess } from "../process/process-tree.ts";
import { forEachProcessLocked, TASKLIST_LOCK } from "../process/task.ts";
import { sleepOnTimer } from "../sched/wait.ts";
import { SIGKILL } from "../signal/signal-numbers.ts";
import { armTimer } from "../time/timer.ts";
import { killedLine, oomReportLocked, writeReport } from "./oom-report.ts";
import { rememberResult } from "./userfault.ts";

/** oom_score_adj of a process that is never chosen. */
export const OOM_SCORE_ADJ_MIN = -1000;
export const OOM_SCORE_ADJ_MAX = 1000;
/** badness: not to be chosen. (LONG_MIN) */
export const NEVER = Number.NEGATIVE_INFINITY;

const OWNER = MACHINE_BASE + MACHINE_OOM_OWNER;
/** How long a hart sleeps before it looks again whether there is memory by now. */
const LOOK_NS = 1_000_000;
/** How often it does so while a victim ends elsewhere. */
const LOOKS_MAX = 20;

/** What a look at all processes found. */
interface Choice {
  victim: number;
  mm: number;
  points: number;
  /** Processes that could be chosen. */
  candidates: number;
  /** Somebody was chosen before and has still to end. */
  isOnItsWay: boolean;
}

/**
 * No frame is free and none can be reclaimed. True: some may be free now. False: not before another task has run, or
 * never, or the current process is the one to die. No lock held; prints.
 */
export function outOfMemory(hart: Hart): boolean {
  const { shared, current } = hart;
  if (current === 0 || hart.inAtomicContext()) return false;
  const process = shared.get(current + TASK_PROCESS);
  if (process === 0 || shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0) return false;
  const owner = shared.compareExchange(OWNER, 0, hart.id + 1);
  if (owner !== 0) {
    look(hart, OWNER, owner);
    return true;
  }
  try {
    return isAboveMin(shared) || killOne(hart, process);
  } finally {
    shared.storeRelease(OWNER, 0);
    shared.notify(OWNER);
  }
}

/**
 * HartLocal.waitForMemory: if somebody has been chosen who has still to end, which may need this very hart, the current
 * task sleeps for a moment, and its access or its call is made again.
 */
export function waitForMemory(hart: Hart, mm: number): boolean {
  const { shared, current } = hart;
  if (hart.userFaultState === TASK_RUNNING || mm !== shared.get(current + TASK_MM)) return false;
  if (shared.loadAcquire(shared.get(current + TASK_PROCESS) + PROCESS_GROUP_EXIT) !== 0) return false;
  spinLock(hart, TASKLIST_LOCK);
  const { isOnItsWay } = chooseLocked(hart);
  spinUnlock(hart, TASKLIST_LOCK);
  if (!isOnItsWay) return false;
  rememberResult(hart);
  sleepOnTimer(hart);
  shared.storeRelease(current + TASK_STATE, hart.userFaultState);
  armTimer(hart, hart.clock.now() + LOOK_NS);
  return true;
}

/**
 * How much of memory the process would give back, in pages, and how dear it is to the user; NEVER: it is not to be
 * killed. Requires: TASKLIST_LOCK. (oom_badness)
 */
export function badnessLocked({ shared }: Hart, process: number): number {
  const mm = mmOfLocked(shared, process);
  const adjust = shared.loadOnce(process + PROCESS_OOM_SCORE_ADJ);
  if (mm === 0 || adjust === OOM_SCORE_ADJ_MIN || isInVfork(shared, process)) return NEVER;
  const pages = (field: number) => Math.max(shared.loadOnce(mm + field), 0);
  const used = pages(MM_RSS) + pages(MM_SWAP) + pages(MM_PT_PAGES);
  return used + adjust * Math.floor(totalPages(shared) / 1000);
}

/** All that can be had: of RAM and of the swap store. */
export function totalPages(shared: SharedMemory): number {
  return ramFrameCount(shared) + shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS);
}

/** The address space of some thread that still has one, or 0. (find_lock_task_mm) */
export function mmOfLocked(shared: SharedMemory, process: number): number {
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    const mm = shared.loadOnce(task + TASK_MM);
    if (mm !== 0) return mm;
  }
  return 0;
}

function killOne(hart: Hart, own: number): boolean {
  spinLock(hart, TASKLIST_LOCK);
  const { victim, mm, candidates, isOnItsWay } = chooseLocked(hart);
  // Alone it dies of its own fault, with one line (force-signal.ts).
  const isChosen = victim !== 0 && !isOnItsWay && !(victim === own && candidates === 1) && mmgetNotZero(hart, mm);
  const report = isChosen ? [...oomReportLocked(hart, victim), killedLine(hart, victim, mm)] : [];
  if (isChosen) killLocked(hart, victim, mm);
  spinUnlock(hart, TASKLIST_LOCK);
  if (isOnItsWay) return waitForVictim(hart);
  if (!isChosen) return false;
  hart.count(COUNTER_OOM_KILL);
  writeReport(hart, report);
  oomReap(hart, mm);
  mmput(hart, mm);
  return victim !== own;
}

/** Everybody who shares the memory dies with the victim. (__oom_kill_process) */
function killLocked(hart: Hart, victim: number, mm: number): void {
  hart.shared.set(victim + PROCESS_OOM_VICTIM, 1);
  startGroupExitLocked(hart, victim, SIGKILL);
  forEachProcessLocked(hart, (process) => {
    if (process !== victim && mmOfLocked(hart.shared, process) === mm) startGroupExitLocked(hart, process, SIGKILL);
  });
}

/** Requires: TASKLIST_LOCK. (select_bad_process) */
function chooseLocked(hart: Hart): Choice {
  const { shared } = hart;
  const init = initProcess(shared);
  const choice: Choice = { victim: 0, mm: 0, points: NEVER, candidates: 0, isOnItsWay: false };
  forEachProcessLocked(hart, (process) => {
    if (shared.get(process + PROCESS_STATE) !== PROCESS_LIVE) return;
    const mm = mmOfLocked(shared, process);
    if (mm !== 0 && shared.get(process + PROCESS_OOM_VICTIM) !== 0) choice.isOnItsWay = true;
    const points = badnessLocked(hart, process);
    if (points === NEVER) return;
    choice.candidates++;
    // Init's end is everybody's: it comes last, however large it is. (Linux: oom_unkillable_task; with nobody else left
    // it panics)
    const rank = process === init ? -Number.MAX_VALUE : points;
    if (rank > choice.points) Object.assign(choice, { victim: process, mm, points: rank });
  });
  return choice;
}

/** Its parent waits for it with the memory that it uses. (in_vfork) */
function isInVfork(shared: SharedMemory, process: number): boolean {
  const task = shared.get(process + PROCESS_THREADS);
  return task !== 0 && shared.get(task + TASK_VFORK_PARENT) !== 0;
}

/** The victim ends on another hart, if there is one. False: it has to be this one. */
function waitForVictim(hart: Hart): boolean {
  for (let looks = 0; looks < LOOKS_MAX && hart.hartCount > 1; looks++) {
    look(hart, OWNER, hart.id + 1);
    if (isAboveMin(hart.shared)) return true;
  }
  return false;
}

function look(hart: Hart, word: number, expected: number): void {
  park(hart, word, expected, hart.clock.now() + LOOK_NS);
  hart.pollIrq();
}
