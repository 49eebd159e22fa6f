// What the terminal's other end does to processes: keys that are signals, a new window size, room and input for those
// that wait. Called by readers, and by the hart whose doorbell the main thread rings.

import {
  MACHINE_BASE,
  MACHINE_CONSOLE_COLUMNS,
  MACHINE_CONSOLE_READERS,
  MACHINE_CONSOLE_ROWS,
  MACHINE_CONSOLE_WRITERS,
  TTY_BASE,
  TTY_COLUMNS,
  TTY_OUTPUT_STOPPED,
  TTY_ROWS,
} from "../../../assembly/layout.ts";
import { DUE_INTERRUPT, DUE_QUIT, DUE_STOP } from "../../devices/tty/input.ts";
import { ttyReceive } from "../../devices/tty/tty.ts";
import type { Hart } from "../../policy/hart.ts";
import { wakePollers } from "../file/poll-wait.ts";
import { isTerminal } from "../file/stat.ts";
import { wakeUpAll } from "../sched/wait.ts";
import { SIGINT, SIGQUIT, SIGTSTP, SIGWINCH } from "../signal/signal-numbers.ts";
import { sendSignalToGroup } from "../signal/signal-send.ts";
import { foregroundGroup } from "./tty-job-control.ts";

const OUTPUT_STOPPED = TTY_BASE + TTY_OUTPUT_STOPPED;

/** The main thread has rung DOORBELL_CONSOLE. No lock held. */
export function consoleEvent(hart: Hart): void {
  if (isTerminal(hart)) {
    receiveTyped(hart);
    noticeWindowSize(hart);
  }
  wakeUpAll(hart, MACHINE_BASE + MACHINE_CONSOLE_WRITERS);
  wakeUpAll(hart, MACHINE_BASE + MACHINE_CONSOLE_READERS);
  wakePollers(hart);
}

/** Takes what has been typed and sends the signals that it asks for. No lock held. */
export function receiveTyped(hart: Hart): void {
  const wasStopped = hart.shared.loadOnce(OUTPUT_STOPPED) !== 0;
  const due = ttyReceive(hart);
  const group = foregroundGroup(hart);
  if (due !== 0 && group !== 0) {
    if ((due & DUE_INTERRUPT) !== 0) sendSignalToGroup(hart, group, SIGINT);
    if ((due & DUE_QUIT) !== 0) sendSignalToGroup(hart, group, SIGQUIT);
    if ((due & DUE_STOP) !== 0) sendSignalToGroup(hart, group, SIGTSTP);
  }
  if (wasStopped && hart.shared.loadOnce(OUTPUT_STOPPED) === 0) {
    wakeUpAll(hart, MACHINE_BASE + MACHINE_CONSOLE_WRITERS);
  }
}

/** The terminal has another size, in characters: the foreground group is told if it is news. (Linux: tty_do_resize) */
export function resizeTerminal(hart: Hart, columns: number, rows: number): void {
  const { shared } = hart;
  if (shared.get(TTY_BASE + TTY_COLUMNS) === columns && shared.get(TTY_BASE + TTY_ROWS) === rows) return;
  shared.set(TTY_BASE + TTY_COLUMNS, columns);
  shared.set(TTY_BASE + TTY_ROWS, rows);
  const group = foregroundGroup(hart);
  if (group !== 0) sendSignalToGroup(hart, group, SIGWINCH);
}

function noticeWindowSize(hart: Hart): void {
  const { shared } = hart;
  const columns = shared.loadAcquire(MACHINE_BASE + MACHINE_CONSOLE_COLUMNS);
  resizeTerminal(hart, columns, shared.loadAcquire(MACHINE_BASE + MACHINE_CONSOLE_ROWS));
}
