// Typed bytes on their way to readers: mapping, signals, flow control, line editing, echo. (Linux: n_tty_receive_buf)
// It sends no signal itself, since that needs locks that come before TTY_LOCK: it says which are due.

import {
  TTY_BASE,
  TTY_INPUT,
  TTY_INPUT_BYTES,
  TTY_LITERAL_NEXT,
  TTY_OUTPUT_STOPPED,
} from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { echoTyped, erase, noteLineStart, reprintLine } from "./edit.ts";
import { echoByte, sendEcho } from "./output.ts";
import {
  appendByte,
  bufferRoom,
  editedBytes,
  finishLine,
  finishWithoutNewline,
  flushBuffer,
  readableBytes,
} from "./read-buffer.ts";
import {
  ECHO,
  ECHONL,
  EXTPROC,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  IMAXBEL,
  INLCR,
  ISIG,
  ISTRIP,
  IUCLC,
  IXANY,
  IXON,
  inputFlags,
  isCanonical,
  isControl,
  localFlags,
  NOFLSH,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VWERASE,
} from "./termios.ts";

/** What the foreground group is to be sent. */
export const DUE_INTERRUPT = 1 << 0; // SIGINT
export const DUE_QUIT = 1 << 1; // SIGQUIT
export const DUE_STOP = 1 << 2; // SIGTSTP

const BELL = 0x07;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const LITERAL_NEXT = TTY_BASE + TTY_LITERAL_NEXT;
const OUTPUT_STOPPED = TTY_BASE + TTY_OUTPUT_STOPPED;

/** How many typed bytes may be taken now. A line that is too long is cut; finished ones wait for their reader. */
export function inputRoom(shared: SharedMemory): number {
  const isUnfinished = isCanonical(shared) && readableBytes(shared) === 0;
  return isUnfinished ? TTY_INPUT_BYTES : Math.min(TTY_INPUT_BYTES, Math.max(0, bufferRoom(shared) - 1));
}

/** Takes the `bytes` bytes at TTY_INPUT and echoes them; returns DUE_* bits. Requires: TTY_LOCK. */
export function receiveBytes(hart: HartLocal, bytes: number): number {
  let due = 0;
  for (let i = 0; i < bytes; i++) due |= receiveByte(hart, hart.shared.u8[TTY_BASE + TTY_INPUT + i]);
  sendEcho(hart);
  return due;
}

function receiveByte(hart: HartLocal, typed: number): number {
  const { shared } = hart;
  if ((localFlags(shared) & EXTPROC) !== 0) {
    keep(shared, typed);
    return 0;
  }
  if (shared.get(LITERAL_NEXT) !== 0) {
    shared.set(LITERAL_NEXT, 0);
    show(hart, typed);
    keep(shared, typed);
    return 0;
  }
  const byte = mapped(shared, typed);
  if (byte < 0) return 0;
  if (controlsFlow(shared, byte)) return 0;
  const due = signalOf(shared, byte);
  if (due !== 0) {
    if ((localFlags(shared) & NOFLSH) === 0) flushBuffer(shared);
    show(hart, byte);
    return due;
  }
  if ((localFlags(shared) & ICANON) === 0 || !editLine(hart, byte)) {
    show(hart, byte);
    keep(shared, byte);
  }
  return 0;
}

/** What c_iflag makes of a byte; -1: nothing. */
function mapped(shared: SharedMemory, typed: number): number {
  const flags = inputFlags(shared);
  let byte = (flags & ISTRIP) !== 0 ? typed & 0x7f : typed;
  if ((flags & IUCLC) !== 0 && (localFlags(shared) & IEXTEN) !== 0 && byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
  if (byte === CARRIAGE_RETURN) {
    if ((flags & IGNCR) !== 0) return -1;
    return (flags & ICRNL) !== 0 ? NEWLINE : byte;
  }
  return byte === NEWLINE && (flags & INLCR) !== 0 ? CARRIAGE_RETURN : byte;
}

/** VSTOP and VSTART, and with IXANY any byte, under IXON. */
function controlsFlow(shared: SharedMemory, byte: number): boolean {
  const flags = inputFlags(shared);
  if ((flags & IXON) === 0) return false;
  const stopped = shared.loadOnce(OUTPUT_STOPPED) !== 0;
  if (isControl(shared, byte, VSTART)) shared.storeOnce(OUTPUT_STOPPED, 0);
  else if (isControl(shared, byte, VSTOP)) shared.storeOnce(OUTPUT_STOPPED, 1);
  else {
    if (stopped && (flags & IXANY) !== 0) shared.storeOnce(OUTPUT_STOPPED, 0);
    return false;
  }
  return true;
}

function signalOf(shared: SharedMemory, byte: number): number {
  if ((localFlags(shared) & ISIG) === 0) return 0;
  if (isControl(shared, byte, VINTR)) return DUE_INTERRUPT;
  if (isControl(shared, byte, VQUIT)) return DUE_QUIT;
  return isControl(shared, byte, VSUSP) ? DUE_STOP : 0;
}

/** Canonical mode: true if the byte was a command, or ended the line. */
function editLine(hart: HartLocal, byte: number): boolean {
  const { shared } = hart;
  const flags = localFlags(shared);
  for (const control of [VERASE, VKILL, VWERASE]) {
    if (!isControl(shared, byte, control) || (control === VWERASE && (flags & IEXTEN) === 0)) continue;
    erase(shared, control);
    return true;
  }
  if ((flags & IEXTEN) !== 0 && isControl(shared, byte, VLNEXT)) {
    shared.set(LITERAL_NEXT, 1);
    return true;
  }
  if ((flags & IEXTEN) !== 0 && (flags & ECHO) !== 0 && isControl(shared, byte, VREPRINT)) {
    reprintLine(shared);
    return true;
  }
  if (byte === NEWLINE) {
    if ((flags & (ECHO | ECHONL)) !== 0) echoByte(shared, NEWLINE);
    finish(shared, byte);
    return true;
  }
  if (isControl(shared, byte, VEOF)) {
    if (bufferRoom(shared) > 0) finishWithoutNewline(shared);
    return true;
  }
  if (!isControl(shared, byte, VEOL) && !isControl(shared, byte, VEOL2)) return false;
  show(hart, byte);
  finish(shared, byte);
  return true;
}

function show(hart: HartLocal, byte: number): void {
  const { shared } = hart;
  if ((localFlags(shared) & ECHO) === 0) return;
  if (editedBytes(shared) === 0) {
    sendEcho(hart); // the cursor's column is known once everything is out
    noteLineStart(shared);
  }
  echoTyped(shared, byte);
}

/** One place is kept for the end of the line. */
function keep(shared: SharedMemory, byte: number): void {
  if (bufferRoom(shared) > 1) appendByte(shared, byte);
  else if ((inputFlags(shared) & IMAXBEL) !== 0) echoByte(shared, BELL);
}

function finish(shared: SharedMemory, byte: number): void {
  if (bufferRoom(shared) > 0) finishLine(shared, byte);
}
