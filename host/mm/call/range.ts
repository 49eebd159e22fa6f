// User addresses and lengths as system calls receive them: any number from 0 to 2^64, exact below 2^53.

import { PAGE_BYTES } from "../../../assembly/layout.ts";
import { TASK_BYTES_USER } from "../uapi.ts";

/** Lengths from here on wrap to 0 when they are rounded up to pages in 64 bits. */
const PAGE_ALIGN_WRAPS = 2 ** 64 - PAGE_BYTES;

export function isPageAligned(address: number): boolean {
  return address % PAGE_BYTES === 0;
}

/** Rounds up to pages as 64-bit arithmetic does: the largest lengths become 0. */
export function pageAlign(bytes: number): number {
  if (bytes > PAGE_ALIGN_WRAPS) return 0;
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
}

/** The page of a user address (or of the end of user space). */
export function toVpn(address: number): number {
  return Math.floor(address / PAGE_BYTES);
}

/** access_ok: does [address, address + bytes) lie in user space? */
export function isUserRange(address: number, bytes: number): boolean {
  return bytes <= TASK_BYTES_USER && address <= TASK_BYTES_USER - bytes;
}
