// Character devices by number, and the nodes of /dev. A driver is a kind of file (file-kinds.ts).

import {
  FILE_KIND_CONSOLE,
  FILE_KIND_FULL,
  FILE_KIND_NULL,
  FILE_KIND_RANDOM,
  FILE_KIND_ZERO,
} from "../../../assembly/layout.ts";
import { ENXIO } from "../../memory/errno.ts";

const MINOR_LOW_BITS = 8;
const MINOR_LOW_MASK = 0xff;
const MAJOR_MASK = 0xfff;

interface CharDevice {
  readonly name: string;
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  /** FILE_KIND_* */
  readonly kind: number;
}

/** Documentation/admin-guide/devices.txt of Linux. */
export const CHAR_DEVICES: readonly CharDevice[] = [
  { name: "null", major: 1, minor: 3, mode: 0o666, kind: FILE_KIND_NULL },
  { name: "zero", major: 1, minor: 5, mode: 0o666, kind: FILE_KIND_ZERO },
  { name: "full", major: 1, minor: 7, mode: 0o666, kind: FILE_KIND_FULL },
  { name: "random", major: 1, minor: 8, mode: 0o666, kind: FILE_KIND_RANDOM },
  { name: "urandom", major: 1, minor: 9, mode: 0o666, kind: FILE_KIND_RANDOM },
  { name: "tty", major: 5, minor: 0, mode: 0o666, kind: FILE_KIND_CONSOLE },
  { name: "console", major: 5, minor: 1, mode: 0o620, kind: FILE_KIND_CONSOLE },
];

/** A device number as in struct stat (new_encode_dev). */
export function deviceNumber(major: number, minor: number): number {
  return (minor & MINOR_LOW_MASK) | (major << MINOR_LOW_BITS) | ((minor & ~MINOR_LOW_MASK) << 12);
}

export function majorOf(device: number): number {
  return (device >>> MINOR_LOW_BITS) & MAJOR_MASK;
}

export function minorOf(device: number): number {
  return (device & MINOR_LOW_MASK) | ((device >>> 12) & ~MINOR_LOW_MASK);
}

/** FILE_KIND_* of the device, or -ENXIO. */
export function deviceKind(device: number): number {
  const found = CHAR_DEVICES.find(({ major, minor }) => deviceNumber(major, minor) === device);
  return found === undefined ? -ENXIO : found.kind;
}

/** /dev/tty */
export const DEVICE_TTY = deviceNumber(5, 0);
