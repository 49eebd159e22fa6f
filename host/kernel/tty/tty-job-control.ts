// Who may use the terminal: its session, its foreground process group, and what happens to the others. There is one
// terminal, so a process has it as controlling terminal exactly if its session is TTY_SESSION. Both words are under
// TASKLIST_LOCK. (Linux: drivers/tty/tty_jobctrl.c)

import {
  MACHINE_BASE,
  MACHINE_CONSOLE_COLUMNS,
  MACHINE_CONSOLE_ROWS,
  PROCESS_PGID,
  PROCESS_SID,
  PROCESS_TGID,
  SIGHAND_LOCK,
  TASK_PROCESS,
  TASK_SIGHAND,
  TASK_SIGMASK_LO,
  TTY_BASE,
  TTY_COLUMNS,
  TTY_PGRP,
  TTY_ROWS,
  TTY_SESSION,
} from "../../../assembly/layout.ts";
import { EINVAL, EIO, ENOTTY, EPERM, ERESTARTSYS, ESRCH } from "../../memory/errno.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { groupSessionLocked, isOrphanedGroupLocked } from "../process/process-group.ts";
import { TASKLIST_LOCK } from "../process/task.ts";
import { handlerOf } from "../signal/sighand.ts";
import { SIG_IGN, SIGCONT, SIGHUP, SIGTTIN } from "../signal/signal-numbers.ts";
import { sendSignalToGroup } from "../signal/signal-send.ts";

const SESSION = TTY_BASE + TTY_SESSION;
const FOREGROUND = TTY_BASE + TTY_PGRP;

/** True if the terminal is the controlling terminal of the current process. */
export function hasTerminal(hart: Hart): boolean {
  const session = hart.shared.loadOnce(SESSION);
  return session !== 0 && session === hart.shared.get(processOf(hart) + PROCESS_SID);
}

/** Foreground process group, 0 = none. */
export function foregroundGroup(hart: Hart): number {
  return hart.shared.loadOnce(FOREGROUND);
}

export function terminalSession(hart: Hart): number {
  return hart.shared.loadOnce(SESSION);
}

/**
 * 0 if the current process may go on; in the background its group gets `signal` (SIGTTIN, SIGTTOU) and the call starts
 * anew afterwards, or it is -EIO where that would stop nobody or for good. (Linux: __tty_check_change)
 */
export function checkForeground(hart: Hart, signal: number): number {
  const { shared } = hart;
  if (!hasTerminal(hart)) return 0;
  const group = shared.get(processOf(hart) + PROCESS_PGID);
  const foreground = foregroundGroup(hart);
  if (foreground === 0 || group === foreground) return 0;
  if (isIgnoredOrBlocked(hart, signal)) return signal === SIGTTIN ? -EIO : 0;
  spinLock(hart, TASKLIST_LOCK);
  const orphaned = isOrphanedGroupLocked(hart, group);
  spinUnlock(hart, TASKLIST_LOCK);
  if (orphaned) return -EIO;
  sendSignalToGroup(hart, group, signal);
  return -ERESTARTSYS;
}

/** TIOCSPGRP, behind the check of the foreground: 0 or -errno. */
export function setForegroundGroup(hart: Hart, group: number): number {
  if (!hasTerminal(hart)) return -ENOTTY;
  if (group < 0) return -EINVAL;
  const { shared } = hart;
  spinLock(hart, TASKLIST_LOCK);
  const session = groupSessionLocked(hart, group);
  const isOwn = session === shared.get(processOf(hart) + PROCESS_SID);
  if (isOwn) shared.storeOnce(FOREGROUND, group);
  spinUnlock(hart, TASKLIST_LOCK);
  if (session === 0) return -ESRCH;
  return isOwn ? 0 : -EPERM;
}

/** TIOCSCTTY: the terminal becomes that of the current session. `steals`: from another session too. 0 or -EPERM. */
export function acquireTerminal(hart: Hart, steals: boolean): number {
  const { shared } = hart;
  const process = processOf(hart);
  const session = shared.get(process + PROCESS_SID);
  spinLock(hart, TASKLIST_LOCK);
  const owner = shared.loadOnce(SESSION);
  const isLeader = session === shared.get(process + PROCESS_TGID);
  const allowed = isLeader && (owner === 0 || owner === session || steals);
  if (allowed && owner !== session) {
    shared.storeOnce(SESSION, session);
    shared.storeOnce(FOREGROUND, shared.get(process + PROCESS_PGID));
  }
  spinUnlock(hart, TASKLIST_LOCK);
  return allowed ? 0 : -EPERM;
}

/** Boot: the session of `process` has the terminal, and its group is in the foreground. Requires: TASKLIST_LOCK. */
export function giveTerminalLocked(shared: SharedMemory, process: number): void {
  shared.storeOnce(SESSION, shared.get(process + PROCESS_SID));
  shared.storeOnce(FOREGROUND, shared.get(process + PROCESS_PGID));
  shared.set(TTY_BASE + TTY_COLUMNS, shared.loadOnce(MACHINE_BASE + MACHINE_CONSOLE_COLUMNS));
  shared.set(TTY_BASE + TTY_ROWS, shared.loadOnce(MACHINE_BASE + MACHINE_CONSOLE_ROWS));
}

/**
 * The session leader gives up the terminal, or ends: the foreground group is hung up on. (Linux: disassociate_ctty) No
 * lock held.
 */
export function releaseTerminal(hart: Hart): void {
  const { shared } = hart;
  const process = processOf(hart);
  if (!hasTerminal(hart) || shared.get(process + PROCESS_SID) !== shared.get(process + PROCESS_TGID)) return;
  spinLock(hart, TASKLIST_LOCK);
  const foreground = foregroundGroup(hart);
  shared.storeOnce(SESSION, 0);
  shared.storeOnce(FOREGROUND, 0);
  spinUnlock(hart, TASKLIST_LOCK);
  if (foreground === 0) return;
  sendSignalToGroup(hart, foreground, SIGHUP);
  sendSignalToGroup(hart, foreground, SIGCONT);
}

function isIgnoredOrBlocked(hart: Hart, signal: number): boolean {
  const { shared, current } = hart;
  const word = ((signal - 1) >>> 5) * 4;
  if ((shared.get(current + TASK_SIGMASK_LO + word) & (1 << ((signal - 1) & 31))) !== 0) return true;
  const sighand = shared.get(current + TASK_SIGHAND);
  spinLock(hart, sighand + SIGHAND_LOCK);
  const handler = handlerOf(hart, sighand, signal);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
  return handler === SIG_IGN;
}

function processOf(hart: Hart): number {
  return hart.shared.get(hart.current + TASK_PROCESS);
}
