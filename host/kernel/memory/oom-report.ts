// What the OOM killer tells the user: who needed memory, what there was, every process with what it has, and who had
// to die. (Linux: dump_header, dump_tasks and __oom_kill_process in mm/oom_kill.c)

import {
  HART_BUFFER,
  HART_BUFFER_BYTES,
  MACHINE_BASE,
  MACHINE_SWAP_SLOTS,
  MM_PT_PAGES,
  MM_RSS,
  MM_SWAP,
  MM_TOTAL_VM,
  PAGE_BYTES,
  PROCESS_LEADER,
  PROCESS_LIVE,
  PROCESS_OOM_SCORE_ADJ,
  PROCESS_STATE,
  PROCESS_TGID,
  PROCESS_UIDS,
  TASK_PID,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { freeFrameCount } from "../../mm/frame/frames.ts";
import { ramFrameCount } from "../../mm/frame/page.ts";
import { swapFreeSlots } from "../../mm/reclaim/swap-map.ts";
import { rssOf } from "../../mm/rss.ts";
import type { Hart } from "../../policy/hart.ts";
import { writeKernelLine } from "../kernel-line.ts";
import { commOf, forEachProcessLocked } from "../process/task.ts";
import { mmOfLocked } from "./oom.ts";

const TABLE_HEAD = "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name";

/** All but the last line. Requires: TASKLIST_LOCK. */
export function oomReportLocked(hart: Hart, victim: number): string[] {
  const { shared, current } = hart;
  const comm = commOf(shared, current);
  const adjust = shared.loadOnce(shared.get(current + TASK_PROCESS) + PROCESS_OOM_SCORE_ADJ);
  const slots = shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS);
  const lines = [
    `${comm} invoked oom-killer: order=0, oom_score_adj=${adjust}`,
    `CPU: ${hart.id} PID: ${shared.get(current + TASK_PID)} Comm: ${comm}`,
    "Mem-Info:",
    `${ramFrameCount(shared)} pages RAM, ${freeFrameCount(shared)} free`,
    `Free swap  = ${kilobytes(swapFreeSlots(shared))}kB, total swap = ${kilobytes(slots)}kB`,
    "Tasks state (memory values in pages):",
    TABLE_HEAD,
  ];
  forEachProcessLocked(hart, (process) => {
    if (shared.get(process + PROCESS_STATE) !== PROCESS_LIVE) return;
    const mm = mmOfLocked(shared, process);
    if (mm !== 0) lines.push(row(hart, process, mm));
  });
  const { name, pid, uid } = who(hart, victim);
  lines.push(`oom-kill:constraint=CONSTRAINT_NONE,global_oom,task=${name},pid=${pid},uid=${uid}`);
  return lines;
}

/** Requires: TASKLIST_LOCK. */
export function killedLine(hart: Hart, victim: number, mm: number): string {
  const { shared } = hart;
  const { name, pid, uid } = who(hart, victim);
  const size = (field: number) => `${kilobytes(Math.max(shared.loadOnce(mm + field), 0))}kB`;
  const rss = rssOf(hart, mm);
  const sizes = [
    `total-vm:${size(MM_TOTAL_VM)}`,
    `anon-rss:${kilobytes(rss.anon)}kB`,
    `file-rss:${kilobytes(rss.file)}kB`,
    `shmem-rss:${kilobytes(rss.shmem)}kB`,
  ];
  const adjust = shared.loadOnce(victim + PROCESS_OOM_SCORE_ADJ);
  const rest = `UID:${uid} pgtables:${size(MM_PT_PAGES)} oom_score_adj:${adjust}`;
  return `Out of memory: Killed process ${pid} (${name}) ${sizes.join(", ")}, ${rest}`;
}

/** The call that ran out of memory may be in the middle of using HART_BUFFER. No lock held. */
export function writeReport(hart: Hart, lines: readonly string[]): void {
  const start = hart.base + HART_BUFFER;
  const saved = hart.shared.u8.slice(start, start + HART_BUFFER_BYTES);
  for (const line of lines) writeKernelLine(hart, line);
  hart.shared.u8.set(saved, start);
}

function row(hart: Hart, process: number, mm: number): string {
  const { shared } = hart;
  const { name, pid, uid } = who(hart, process);
  const pages = (field: number) => Math.max(shared.loadOnce(mm + field), 0);
  const columns: readonly (readonly [value: number, width: number])[] = [
    [uid, 5],
    [pid, 5],
    [pages(MM_TOTAL_VM), 8],
    [pages(MM_RSS), 8],
    [pages(MM_PT_PAGES) * PAGE_BYTES, 8],
    [pages(MM_SWAP), 8],
    [shared.loadOnce(process + PROCESS_OOM_SCORE_ADJ), 13],
  ];
  const numbers = columns.map(([value, width]) => String(value).padStart(width)).join(" ");
  return `[${String(pid).padStart(7)}] ${numbers} ${name}`;
}

function who({ shared }: Hart, process: number): { name: string; pid: number; uid: number } {
  return {
    name: commOf(shared, shared.get(process + PROCESS_LEADER)),
    pid: shared.get(process + PROCESS_TGID),
    uid: shared.loadOnce(process + PROCESS_UIDS) >>> 0,
  };
}

function kilobytes(pages: number): number {
  return (pages * PAGE_BYTES) / 1024;
}
