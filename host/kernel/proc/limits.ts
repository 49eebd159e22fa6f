// /proc/PID/limits. (fs/proc/base.c, proc_pid_limits)

import type { Hart } from "../../policy/hart.ts";
import { hardLimit, softLimit } from "../process/process.ts";
import { RLIM_INFINITY_F64 } from "../uapi.ts";

/** Name and unit, in the order of RLIMIT_*. */
const LIMITS: readonly (readonly [string, string])[] = [
  ["Max cpu time", "seconds"],
  ["Max file size", "bytes"],
  ["Max data size", "bytes"],
  ["Max stack size", "bytes"],
  ["Max core file size", "bytes"],
  ["Max resident set", "bytes"],
  ["Max processes", "processes"],
  ["Max open files", "files"],
  ["Max locked memory", "bytes"],
  ["Max address space", "bytes"],
  ["Max file locks", "locks"],
  ["Max pending signals", "signals"],
  ["Max msgqueue size", "bytes"],
  ["Max nice priority", ""],
  ["Max realtime priority", ""],
  ["Max realtime timeout", "us"],
];

/** Requires: TASKLIST_LOCK. */
export function limitsTextLocked(hart: Hart, process: number): string {
  const head = `${row("Limit", "Soft Limit", "Hard Limit")}Units     \n`;
  const rows = LIMITS.map(([name, unit], resource) => {
    const soft = shown(softLimit(hart.shared, process, resource));
    const hard = shown(hardLimit(hart.shared, process, resource));
    return `${row(name, soft, hard)}${unit === "" ? "" : unit.padEnd(10)}\n`;
  });
  return head + rows.join("");
}

function row(name: string, soft: string, hard: string): string {
  return `${name.padEnd(25)} ${soft.padEnd(20)} ${hard.padEnd(20)} `;
}

function shown(limit: number): string {
  return limit >= RLIM_INFINITY_F64 ? "unlimited" : `${limit}`;
}
