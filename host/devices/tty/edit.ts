// The line being edited: erasing a character, a word or all of it, in the buffer and on the screen. (Linux: eraser in
// drivers/tty/n_tty.c) Under TTY_LOCK.

import { TTY_BASE, TTY_COLUMN, TTY_LINE_COLUMN } from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";
import { echoByte } from "./output.ts";
import { dropLastByte, editedByte, editedBytes } from "./read-buffer.ts";
import {
  controlCharacter,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  IUTF8,
  inputFlags,
  localFlags,
  VERASE,
  VKILL,
  VWERASE,
} from "./termios.ts";

const BACKSPACE = 0x08;
const TAB = 0x09;
const NEWLINE = 0x0a;
const SPACE = 0x20;
const CARET = 0x5e;
const DELETE = 0x7f;
const TAB_COLUMNS = 8;

/** Shows a typed byte: control characters as ^X if ECHOCTL says so. */
export function echoTyped(shared: SharedMemory, byte: number): void {
  if (isShownWithCaret(shared, byte)) {
    echoByte(shared, CARET);
    echoByte(shared, byte ^ 0x40);
  } else {
    echoByte(shared, byte);
  }
}

/** The line begins where the cursor is: that decides how wide its tabs are. */
export function noteLineStart(shared: SharedMemory): void {
  shared.set(TTY_BASE + TTY_LINE_COLUMN, shared.get(TTY_BASE + TTY_COLUMN));
}

/** Does what VERASE, VWERASE or VKILL (`control`) asks for. */
export function erase(shared: SharedMemory, control: number): void {
  if (editedBytes(shared) === 0) return;
  const flags = localFlags(shared);
  if (control === VKILL && !erasesKilledLine(flags)) {
    while (editedBytes(shared) > 0) dropLastByte(shared);
    if ((flags & ECHO) === 0) return;
    echoTyped(shared, controlCharacter(shared, VKILL));
    if ((flags & ECHOK) !== 0) echoByte(shared, NEWLINE);
    return;
  }
  let seenWord = false;
  while (editedBytes(shared) > 0) {
    const last = editedByte(shared, editedBytes(shared) - 1);
    if (control === VWERASE) {
      if (isWordByte(last)) seenWord = true;
      else if (seenWord) return;
    }
    eraseCharacter(shared);
    if (control === VERASE) return;
  }
}

/** Takes the last character off the buffer, and off the screen. */
function eraseCharacter(shared: SharedMemory): void {
  const byte = editedByte(shared, editedBytes(shared) - 1);
  const before = lineColumns(shared);
  dropLastByte(shared);
  if ((inputFlags(shared) & IUTF8) !== 0 && (byte & 0xc0) === 0x80) {
    // Back to the first byte of the character.
    for (let more = true; more && editedBytes(shared) > 0; ) {
      more = (editedByte(shared, editedBytes(shared) - 1) & 0xc0) === 0x80;
      dropLastByte(shared);
    }
  }
  if ((localFlags(shared) & ECHO) === 0) return;
  if ((localFlags(shared) & ECHOE) === 0) {
    echoTyped(shared, controlCharacter(shared, VERASE));
    return;
  }
  const wiped = before - lineColumns(shared);
  for (let i = 0; i < wiped; i++) {
    echoByte(shared, BACKSPACE);
    if (byte === TAB) continue; // nothing is printed where a tab leads
    echoByte(shared, SPACE);
    echoByte(shared, BACKSPACE);
  }
}

/** How many columns the line being edited takes on the screen. */
function lineColumns(shared: SharedMemory): number {
  const start = shared.get(TTY_BASE + TTY_LINE_COLUMN);
  let column = start;
  for (let i = 0; i < editedBytes(shared); i++) {
    const byte = editedByte(shared, i);
    if (byte === TAB) column += TAB_COLUMNS - (column % TAB_COLUMNS);
    else if (isShownWithCaret(shared, byte)) column += 2;
    else if (byte >= SPACE && byte !== DELETE && !isContinuation(shared, byte)) column++;
  }
  return column - start;
}

/** Shows the line being edited once more, below. (VREPRINT) */
export function reprintLine(shared: SharedMemory): void {
  echoByte(shared, NEWLINE);
  for (let i = 0; i < editedBytes(shared); i++) echoTyped(shared, editedByte(shared, i));
}

function isShownWithCaret(shared: SharedMemory, byte: number): boolean {
  const isControlByte = byte < SPACE || byte === DELETE;
  return isControlByte && byte !== TAB && byte !== NEWLINE && (localFlags(shared) & ECHOCTL) !== 0;
}

function erasesKilledLine(flags: number): boolean {
  return (flags & ECHO) !== 0 && (flags & (ECHOK | ECHOKE | ECHOE)) === (ECHOK | ECHOKE | ECHOE);
}

function isContinuation(shared: SharedMemory, byte: number): boolean {
  return (inputFlags(shared) & IUTF8) !== 0 && (byte & 0xc0) === 0x80;
}

function isWordByte(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f || byte >= 0x80;
}
