// The modes of the terminal: bits and control characters of struct termios (Linux: asm-generic/termbits.h), and the
// state a terminal starts in (tty_std_termios).

import {
  TERMIOS_CC,
  TERMIOS_CFLAG,
  TERMIOS_IFLAG,
  TERMIOS_ISPEED,
  TERMIOS_LFLAG,
  TERMIOS_OFLAG,
  TERMIOS_OSPEED,
  TTY_BASE,
  TTY_TERMIOS,
} from "../../../assembly/layout.ts";
import type { SharedMemory } from "../../memory/shared.ts";

// c_iflag
export const ISTRIP = 0o40;
export const INLCR = 0o100;
export const IGNCR = 0o200;
export const ICRNL = 0o400;
export const IUCLC = 0o1000;
export const IXON = 0o2000;
export const IXANY = 0o4000;
export const IMAXBEL = 0o20000;
export const IUTF8 = 0o40000;

// c_oflag
export const OPOST = 0o1;
export const ONLCR = 0o4;
export const OCRNL = 0o10;
export const ONOCR = 0o20;
export const ONLRET = 0o40;
export const TABDLY = 0o14000;
export const XTABS = 0o14000;

// c_lflag
export const ISIG = 0o1;
export const ICANON = 0o2;
export const ECHO = 0o10;
export const ECHOE = 0o20;
export const ECHOK = 0o40;
export const ECHONL = 0o100;
export const NOFLSH = 0o200;
export const TOSTOP = 0o400;
export const ECHOCTL = 0o1000;
export const ECHOKE = 0o4000;
export const IEXTEN = 0o100000;
/** Somebody else edits lines and echoes: the host's terminal under `pagewalk run`. */
export const EXTPROC = 0o200000;

// c_cc
export const VINTR = 0;
export const VQUIT = 1;
export const VERASE = 2;
export const VKILL = 3;
export const VEOF = 4;
export const VTIME = 5;
export const VMIN = 6;
export const VSTART = 8;
export const VSTOP = 9;
export const VSUSP = 10;
export const VEOL = 11;
export const VREPRINT = 12;
export const VWERASE = 14;
export const VLNEXT = 15;
export const VEOL2 = 16;
/** A control character with this value is switched off. */
export const VDISABLE = 0;

const CFLAG_DEFAULT = 0o17 | 0o60 | 0o200 | 0o2000; // B38400, CS8, CREAD, HUPCL
const SPEED_DEFAULT = 38400;
const CONTROL_DEFAULT: readonly number[] = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0];

const TERMIOS = TTY_BASE + TTY_TERMIOS;

/** Before any task runs. `external`: the host's terminal edits lines and echoes. */
export function initTermios(shared: SharedMemory, external: boolean): void {
  shared.set(TERMIOS + TERMIOS_IFLAG, ICRNL | IXON | IUTF8);
  shared.set(TERMIOS + TERMIOS_OFLAG, OPOST | ONLCR);
  shared.set(TERMIOS + TERMIOS_CFLAG, CFLAG_DEFAULT);
  const local = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  shared.set(TERMIOS + TERMIOS_LFLAG, external ? local | EXTPROC : local);
  shared.u8.set(CONTROL_DEFAULT, TERMIOS + TERMIOS_CC);
  shared.set(TERMIOS + TERMIOS_ISPEED, SPEED_DEFAULT);
  shared.set(TERMIOS + TERMIOS_OSPEED, SPEED_DEFAULT);
}

export function inputFlags(shared: SharedMemory): number {
  return shared.get(TERMIOS + TERMIOS_IFLAG);
}

export function outputFlags(shared: SharedMemory): number {
  return shared.get(TERMIOS + TERMIOS_OFLAG);
}

export function localFlags(shared: SharedMemory): number {
  return shared.get(TERMIOS + TERMIOS_LFLAG);
}

/** Control character `index` (V*). */
export function controlCharacter(shared: SharedMemory, index: number): number {
  return shared.u8[TERMIOS + TERMIOS_CC + index];
}

/** Is `byte` the control character `index`, and that one not switched off? */
export function isControl(shared: SharedMemory, byte: number, index: number): boolean {
  return byte !== VDISABLE && byte === controlCharacter(shared, index);
}

/** Does the kernel edit lines, or does whoever is at the other end? */
export function isCanonical(shared: SharedMemory): boolean {
  return (localFlags(shared) & (ICANON | EXTPROC)) === ICANON;
}
