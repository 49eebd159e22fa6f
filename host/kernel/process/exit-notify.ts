// The end of a process, as others see it: its children get another parent, its parent a zombie to wait for, and a
// process group that nobody watches any more is let go. (Linux: exit_notify, forget_original_parent, release_task in
// kernel/exit.c)

import {
  MACHINE_BASE,
  MACHINE_INIT_ENDED,
  MACHINE_INIT_STATUS,
  MACHINE_PROCESS_COUNT,
  PROCESS_CHILD_MAXRSS,
  PROCESS_CHILD_RUNTIME_NS,
  PROCESS_CHILDREN,
  PROCESS_DEAD_RUNTIME_NS,
  PROCESS_EXIT_CODE,
  PROCESS_EXIT_SIGNAL,
  PROCESS_LEADER,
  PROCESS_LIVE,
  PROCESS_MAXRSS,
  PROCESS_PARENT,
  PROCESS_PGID,
  PROCESS_REAPED,
  PROCESS_SIBLING_NEXT,
  PROCESS_STATE,
  PROCESS_TASK_RECORDS,
  PROCESS_THREADS,
  PROCESS_ZOMBIE,
  STOP_EXIT,
  STOP_FATAL_SIGNAL,
  TASK_PDEATH_SIGNAL,
  TASK_THREAD_NEXT,
} from "../../../assembly/layout.ts";
import { stopMachine } from "../../devices/power.ts";
import { unmountAll } from "../../fs/unmount.ts";
import type { Hart } from "../../policy/hart.ts";
import { wakePollers } from "../file/poll-wait.ts";
import { removeAllSegments } from "../memory/shm.ts";
import { SIGCHLD, SIGCONT, SIGHUP, SIGKILL } from "../signal/signal-numbers.ts";
import { sendSignalLocked } from "../signal/signal-send.ts";
import { startGroupExitLocked } from "./group-exit.ts";
import { notifyOfEndLocked } from "./notify-parent.ts";
import { hasStoppedJobsLocked, isBridge, isOrphanedGroupLocked } from "./process-group.ts";
import { initProcess, linkChildLocked, reaperOfLocked, unlinkChildLocked } from "./process-tree.ts";
import { detachPidLocked, forEachProcessLocked, freeTaskLater } from "./task.ts";
import { inheritCountsLocked } from "./usage-counts.ts";

/**
 * The last thread of `process` has left it. True if that was the last process after init: then the caller drops its
 * locks and powers the machine off. Requires: TASKLIST_LOCK.
 */
export function endProcessLocked(hart: Hart, process: number): boolean {
  const { shared } = hart;
  const live = shared.get(MACHINE_BASE + MACHINE_PROCESS_COUNT) - 1;
  shared.set(MACHINE_BASE + MACHINE_PROCESS_COUNT, live);
  shared.set(process + PROCESS_STATE, PROCESS_ZOMBIE);
  const init = initProcess(shared);
  if (process === init) endInitLocked(hart, process);
  else {
    forgetChildrenLocked(hart, process);
    letGroupGoLocked(hart, process, shared.get(process + PROCESS_PARENT), process);
    // After init nobody waits for anything.
    const isOver = shared.get(MACHINE_BASE + MACHINE_INIT_ENDED) !== 0;
    if (isOver || notifyOfEndLocked(hart, process)) reapLocked(hart, process);
  }
  wakePollers(hart); // a pidfd may lead to it
  return live === 0 && shared.get(MACHINE_BASE + MACHINE_INIT_ENDED) !== 0;
}

/** Takes a zombie out of the world; its record goes once no hart stands on it. Requires: TASKLIST_LOCK. */
export function reapLocked(hart: Hart, process: number): void {
  const { shared } = hart;
  const parent = shared.get(process + PROCESS_PARENT);
  const leader = shared.get(process + PROCESS_LEADER);
  unlinkChildLocked(shared, process);
  shared.set(process + PROCESS_STATE, PROCESS_REAPED);
  const ran = shared.getF64(process + PROCESS_DEAD_RUNTIME_NS) + shared.getF64(process + PROCESS_CHILD_RUNTIME_NS);
  shared.setF64(parent + PROCESS_CHILD_RUNTIME_NS, shared.getF64(parent + PROCESS_CHILD_RUNTIME_NS) + ran);
  inheritCountsLocked(shared, parent, process);
  const rss = Math.max(shared.get(process + PROCESS_MAXRSS), shared.get(process + PROCESS_CHILD_MAXRSS));
  shared.set(parent + PROCESS_CHILD_MAXRSS, Math.max(shared.get(parent + PROCESS_CHILD_MAXRSS), rss));
  detachPidLocked(hart, leader);
  wakePollers(hart);
  if (shared.get(process + PROCESS_TASK_RECORDS) === 0) freeTaskLater(hart, leader);
}

/** (forget_original_parent, reparent_leader) */
function forgetChildrenLocked(hart: Hart, father: number): void {
  const { shared } = hart;
  const reaper = reaperOfLocked(shared, father);
  for (let child = shared.get(father + PROCESS_CHILDREN); child !== 0; ) {
    const next = shared.get(child + PROCESS_SIBLING_NEXT);
    tellOfParentsDeath(hart, child);
    unlinkChildLocked(shared, child);
    linkChildLocked(shared, reaper, child);
    shared.set(child + PROCESS_EXIT_SIGNAL, SIGCHLD);
    const isZombie = shared.get(child + PROCESS_STATE) !== PROCESS_LIVE;
    if (isZombie && notifyOfEndLocked(hart, child)) reapLocked(hart, child);
    else letGroupGoLocked(hart, child, father, 0);
    child = next;
  }
}

/** PR_SET_PDEATHSIG. */
function tellOfParentsDeath(hart: Hart, process: number): void {
  const { shared } = hart;
  for (let task = shared.get(process + PROCESS_THREADS); task !== 0; task = shared.get(task + TASK_THREAD_NEXT)) {
    const signal = shared.get(task + TASK_PDEATH_SIGNAL);
    if (signal !== 0) sendSignalLocked(hart, process, signal);
  }
}

/**
 * If `parent` was the last connection of the group of `process` to its session, and the group has stopped, nobody could
 * ever make it go on: it gets SIGHUP and SIGCONT. (kill_orphaned_pgrp)
 */
function letGroupGoLocked(hart: Hart, process: number, parent: number, ignored: number): void {
  const { shared } = hart;
  if (parent === 0 || !isBridge(shared, parent, process)) return;
  const pgid = shared.get(process + PROCESS_PGID);
  if (!isOrphanedGroupLocked(hart, pgid, ignored) || !hasStoppedJobsLocked(hart, pgid)) return;
  for (const signal of [SIGHUP, SIGCONT]) {
    forEachProcessLocked(hart, (member) => {
      if (shared.get(member + PROCESS_PGID) === pgid) sendSignalLocked(hart, member, signal);
    });
  }
}

/** The end of init is the end of every other process, and then of the machine. (zap_pid_ns_processes) */
function endInitLocked(hart: Hart, init: number): void {
  const { shared } = hart;
  shared.set(MACHINE_BASE + MACHINE_INIT_STATUS, shared.get(init + PROCESS_EXIT_CODE));
  shared.set(MACHINE_BASE + MACHINE_INIT_ENDED, 1);
  forEachProcessLocked(hart, (process) => {
    if (shared.get(process + PROCESS_STATE) === PROCESS_LIVE) startGroupExitLocked(hart, process, SIGKILL);
  });
}

/** The machine ends as init did. No lock held. */
export function powerOff(hart: Hart): void {
  const { shared } = hart;
  removeAllSegments(hart);
  unmountAll(hart);
  const status = shared.get(MACHINE_BASE + MACHINE_INIT_STATUS);
  const signal = status & 0x7f;
  if (signal !== 0) stopMachine(shared, STOP_FATAL_SIGNAL, signal, hart.id);
  else stopMachine(shared, STOP_EXIT, (status >>> 8) & 0xff, hart.id);
}
