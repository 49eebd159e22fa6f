// The text of an oops: what went wrong and where in the kernel, then the task that the hart ran, its registers and its
// address space. Whatever is broken may be what is read here, so each part is bounded, and a part that cannot be read
// says so.

import {
  HART_CAUSE,
  HART_PC,
  HART_TVAL,
  HART_X,
  PAGE_SHIFT,
  PROCESS_TGID,
  TASK_MM,
  TASK_PID,
  TASK_PROCESS,
  VM_EXEC,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
} from "../../assembly/layout.ts";
import { X_NAMES } from "../isa/registers.ts";
import { commOf } from "../kernel/process/task.ts";
import { KernelBug } from "../memory/errors.ts";
import type { HartLocal } from "../memory/hart-local.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../mm/vma/vma.ts";
import { vmaFind } from "../mm/vma/vma-map.ts";
import { lastEvents } from "../observe/trace-text.ts";

const VMA_LINES_MAX = 64;
const TRACE_LINES_MAX = 16;
const REGISTERS_PER_LINE = 4;

/** For a hart that was thrown out of the kernel by `error`. Takes no lock. */
export function oopsReport(hart: HartLocal, error: unknown): string {
  const pc = hart.shared.u64[(hart.base + HART_PC) >>> 3];
  return [
    `kernel bug on hart ${hart.id}, pc 0x${pc.toString(16)}: ${messageOf(error)}`,
    ...detailLines(error),
    ...stackLines(error),
    ...part("task", () => taskLines(hart)),
    ...part("registers", () => registerLines(hart)),
    ...part("vmas", () => vmaLines(hart)),
    ...part("trace", () => traceLines(hart)),
  ].join("\n");
}

/** Before there is a hart, or if even the report fails. */
export function oopsLine(hartId: number, error: unknown): string {
  return [`kernel bug on hart ${hartId}: ${messageOf(error)}`, ...detailLines(error), ...stackLines(error)].join("\n");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function detailLines(error: unknown): string[] {
  return error instanceof KernelBug ? Object.entries(error.details).map(([key, value]) => `  ${key} ${value}`) : [];
}

function stackLines(error: unknown): string[] {
  return error instanceof Error && error.stack !== undefined ? error.stack.split("\n").slice(1) : [];
}

function part(name: string, lines: () => string[]): string[] {
  try {
    return lines();
  } catch (error) {
    return [`  ${name}: cannot be read: ${messageOf(error)}`];
  }
}

function taskLines({ shared, current }: HartLocal): string[] {
  if (current === 0) return ["  task: none yet"];
  const process = shared.get(current + TASK_PROCESS);
  const tgid = process === 0 ? 0 : shared.get(process + PROCESS_TGID);
  return [
    `  task: pid ${shared.get(current + TASK_PID)}, tgid ${tgid}, comm ${JSON.stringify(commOf(shared, current))}`,
  ];
}

/** Of the guest, as it last trapped. */
function registerLines({ shared, base }: HartLocal): string[] {
  const u64 = (field: number) => shared.u64[(base + field) >>> 3].toString(16).padStart(16, "0");
  const names = ["pc", ...X_NAMES.slice(1)];
  const values = [u64(HART_PC), ...X_NAMES.slice(1).map((_, index) => u64(HART_X + (index + 1) * 8))];
  const cells = names.map((name, index) => `${name.padStart(4)} ${values[index]}`);
  const lines = [`  last trap: cause ${shared.get(base + HART_CAUSE)}, tval ${u64(HART_TVAL)}`];
  for (let at = 0; at < cells.length; at += REGISTERS_PER_LINE) {
    lines.push(` ${cells.slice(at, at + REGISTERS_PER_LINE).join(" ")}`);
  }
  return lines;
}

function vmaLines(hart: HartLocal): string[] {
  const mm = hart.current === 0 ? 0 : hart.shared.get(hart.current + TASK_MM);
  if (mm === 0) return ["  vmas: none, a kernel task"];
  const lines = [`  vmas of mm 0x${mm.toString(16)}:`];
  for (let vpn = 0, vma = vmaFind(hart, mm, 0); vma !== 0; vma = vmaFind(hart, mm, vpn)) {
    if (lines.length > VMA_LINES_MAX) return [...lines, "    and more"];
    const end = vmaEnd(hart, vma);
    lines.push(`    ${address(vmaStart(hart, vma))}-${address(end)} ${permissions(vmaFlags(hart, vma))}`);
    if (end <= vpn) return [...lines, "    and then out of order"];
    vpn = end;
  }
  return lines;
}

/** Only of a machine that is traced: the others keep no events. */
function traceLines({ shared, id, traceEvents }: HartLocal): string[] {
  return traceEvents === 0 ? [] : ["  last events:", ...lastEvents(shared, id, TRACE_LINES_MAX)];
}

function address(vpn: number): string {
  return (vpn * 2 ** PAGE_SHIFT).toString(16).padStart(10, "0");
}

function permissions(flags: number): string {
  const letters = [
    [VM_READ, "r"],
    [VM_WRITE, "w"],
    [VM_EXEC, "x"],
  ] as const;
  return `${letters.map(([flag, letter]) => (flags & flag ? letter : "-")).join("")}${flags & VM_SHARED ? "s" : "p"}`;
}
