// siginfo_t, built in the hart's own HART_SIGINFO before a signal is sent, and found there when one was taken. Field
// offsets are those of the 64-bit layout (include/uapi/asm-generic/siginfo.h). Between building and sending nothing
// else may run on the hart: no user copy, no schedule.

import { HART_SIGINFO, PROCESS_TGID, SIGINFO_BYTES, TASK_PROCESS } from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { storeU64 } from "../registers.ts";

export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_TKILL = -6;

export const SIGINFO_SIGNO = 0;
export const SIGINFO_ERRNO = 4;
export const SIGINFO_CODE = 8;
export const SIGINFO_PID = 16; // kill, queue, child
export const SIGINFO_UID = 20;
export const SIGINFO_VALUE = 24; // u64: queue, timer
export const SIGINFO_STATUS = 24; // child
export const SIGINFO_UTIME = 32; // u64, clock ticks: child
export const SIGINFO_STIME = 40;
export const SIGINFO_ADDRESS = 16; // u64: fault
export const SIGINFO_TIMER_ID = 16; // timer
export const SIGINFO_OVERRUN = 20;

/** Zeroes the buffer and sets what every siginfo has; returns its address. */
export function startSiginfo(hart: Hart, signal: number, code: number): number {
  const info = hart.base + HART_SIGINFO;
  hart.core.zeroBytes(info, SIGINFO_BYTES);
  hart.shared.set(info + SIGINFO_SIGNO, signal);
  hart.shared.set(info + SIGINFO_CODE, code);
  return info;
}

/** From the current process (SI_USER, SI_TKILL or SI_QUEUE). Its user is root: si_uid is 0. */
export function siginfoFromCurrent(hart: Hart, signal: number, code: number): void {
  const info = startSiginfo(hart, signal, code);
  const process = hart.shared.get(hart.current + TASK_PROCESS);
  if (process !== 0) hart.shared.set(info + SIGINFO_PID, hart.shared.get(process + PROCESS_TGID));
}

/** From the kernel, without more to say (SEND_SIG_PRIV). */
export function siginfoFromKernel(hart: Hart, signal: number): void {
  startSiginfo(hart, signal, SI_KERNEL);
}

/** SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE of an instruction. */
export function siginfoFault(hart: Hart, signal: number, code: number, address: number): void {
  storeU64(hart, startSiginfo(hart, signal, code) + SIGINFO_ADDRESS, address);
}

/** SIGCHLD about process `pid`: `code` is CLD_*, `status` an exit code or a signal; times in clock ticks. */
export function siginfoChild(
  hart: Hart,
  signal: number,
  code: number,
  pid: number,
  status: number,
  utimeTicks: number,
  stimeTicks: number,
): void {
  const info = startSiginfo(hart, signal, code);
  hart.shared.set(info + SIGINFO_PID, pid);
  hart.shared.set(info + SIGINFO_STATUS, status);
  storeU64(hart, info + SIGINFO_UTIME, utimeTicks);
  storeU64(hart, info + SIGINFO_STIME, stimeTicks);
}

/** si_code of what is in the buffer. */
export function siginfoCode(hart: Hart): number {
  return hart.shared.get(hart.base + HART_SIGINFO + SIGINFO_CODE);
}
