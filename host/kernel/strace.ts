// --strace: one line on the guest's stderr per finished call, "[tid] name(arguments) = result". A call that waited is
// shown once, when it has its result.

import { HART_BUFFER, TASK_PID } from "../../assembly/layout.ts";
import { ENOSYS } from "../memory/errno.ts";
import { copyFromUser, strncpyFromUser } from "../mm/uaccess.ts";
import type { Hart } from "../policy/hart.ts";
import { errnoName } from "./errno-name.ts";
import { writeKernelLine } from "./kernel-line.ts";
import { argAddress, argHex, argInt, argLong, argUint } from "./registers.ts";
import { NO_RETURN, WAIT } from "./sched/wait.ts";
import { signalName } from "./signal/signal-numbers.ts";
import { formatFlags } from "./strace-flags.ts";
import { unimplementedName } from "./syscall/absent-names.ts";
import { enter } from "./syscall/enter.ts";
import { SYSCALLS } from "./syscall/table.ts";
import type { ArgumentKind, Handler, SystemCall } from "./syscall/types.ts";
import { loadTimespec } from "./time/user-time.ts";

/** How much of a string is shown. */
const TEXT_BYTES_MAX = 32;
const PATH_BYTES_MAX = 256;
const ARGUMENT_COUNT_UNKNOWN = 6;

/** Runs the call and prints it. */
export function traceSyscall(hart: Hart, number: number, handler: Handler | undefined): number {
  const tid = hart.shared.get(hart.current + TASK_PID);
  const row = SYSCALLS[number];
  // A task that ends has no user memory left afterwards, so its arguments are read first; the others' come after the
  // call, which may have filled them in, and must not disturb the bounce buffer before.
  const early = row?.name === "exit" || row?.name === "exit_group" ? formatCall(hart, number, row) : "";
  const result = handler === undefined ? -ENOSYS : enter(hart, handler);
  if (result === WAIT) return result;
  const text = early !== "" ? early : formatCall(hart, number, row);
  writeKernelLine(hart, `[${tid}] ${text} = ${formatResult(row, result)}`);
  return result;
}

function formatCall(hart: Hart, number: number, row: SystemCall | undefined): string {
  if (row !== undefined) {
    return `${row.name}(${row.arguments.map((kind, n) => formatArgument(hart, kind, n)).join(", ")})`;
  }
  const values = Array.from({ length: ARGUMENT_COUNT_UNKNOWN }, (_, n) => formatArgument(hart, "hex", n));
  return `${unimplementedName(number)}(${values.join(", ")})`;
}

function formatResult(row: SystemCall | undefined, result: number): string {
  if (result === NO_RETURN) return "?";
  if (result < 0 && result > -4096) return `-1 ${errnoName(-result)}`;
  return row?.result === "pointer" ? hex(result) : String(result);
}

function formatArgument(hart: Hart, kind: ArgumentKind, n: number): string {
  switch (kind) {
    case "int":
    case "fd":
      return String(argInt(hart, n));
    case "uint":
      return String(argUint(hart, n));
    case "long":
      return String(argLong(hart, n));
    case "size":
      return String(argAddress(hart, n));
    case "octal":
      return `0${argUint(hart, n).toString(8)}`;
    case "hex":
      return `0x${argHex(hart, n)}`;
    case "pointer":
      return argAddress(hart, n) === 0 ? "NULL" : `0x${argHex(hart, n)}`;
    case "dirfd":
      return argInt(hart, n) === -100 ? "AT_FDCWD" : String(argInt(hart, n));
    case "path":
      return formatPath(hart, argAddress(hart, n));
    case "text":
      return formatText(hart, argAddress(hart, n), argAddress(hart, n + 1));
    case "signal":
      return argInt(hart, n) > 0 ? signalName(argInt(hart, n)) : String(argInt(hart, n));
    case "timespec":
      return formatTimespec(hart, argAddress(hart, n));
    default:
      return formatFlags(kind, argUint(hart, n));
  }
}

function formatPath(hart: Hart, va: number): string {
  const buffer = hart.base + HART_BUFFER;
  const length = strncpyFromUser(hart, buffer, va, PATH_BYTES_MAX);
  return length < 0 ? hex(va) : quote(hart, buffer, length);
}

function formatText(hart: Hart, va: number, bytes: number): string {
  const buffer = hart.base + HART_BUFFER;
  const shown = Math.min(bytes, TEXT_BYTES_MAX);
  if (copyFromUser(hart, buffer, va, shown) < 0) return hex(va);
  return quote(hart, buffer, shown) + (shown < bytes ? "..." : "");
}

function formatTimespec(hart: Hart, va: number): string {
  if (va === 0) return "NULL";
  const ns = loadTimespec(hart, va);
  return ns < 0 ? hex(va) : `{${(ns / 1e9).toFixed(9)} s}`;
}

function quote(hart: Hart, address: number, bytes: number): string {
  let text = "";
  for (let i = 0; i < bytes; i++) {
    const byte = hart.shared.u8[address + i];
    if (byte === 0x0a) text += "\\n";
    else if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${text}"`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
