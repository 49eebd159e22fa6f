// /proc/PID/status, for people: fs/proc/array.c (proc_pid_status), fs/proc/task_mmu.c (task_mem).

import {
  CPUMASK_WORDS,
  FS_UMASK,
  MM_DATA_VM,
  MM_END_CODE,
  MM_LOCKED_VM,
  MM_PT_PAGES,
  MM_RSS_HIGH,
  MM_STACK_VM,
  MM_START_CODE,
  MM_SWAP,
  MM_TOTAL_VM,
  MM_TOTAL_VM_HIGH,
  PAGE_BYTES,
  PROCESS_FLAGS,
  PROCESS_GIDS,
  PROCESS_GROUP_COUNT,
  PROCESS_GROUPS,
  PROCESS_NO_NEW_PRIVS,
  PROCESS_PARENT,
  PROCESS_PENDING_HI,
  PROCESS_PENDING_LO,
  PROCESS_PGID,
  PROCESS_SID,
  PROCESS_TGID,
  PROCESS_THREAD_COUNT,
  PROCESS_UIDS,
  TASK_CPUS_ALLOWED,
  TASK_FS,
  TASK_NIVCSW,
  TASK_NVCSW,
  TASK_PENDING_HI,
  TASK_PENDING_LO,
  TASK_PID,
  TASK_SIGHAND,
  TASK_SIGMASK_HI,
  TASK_SIGMASK_LO,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_WRITE,
} from "../../../assembly/layout.ts";
import { mmapReadLock, mmapReadUnlock } from "../../mm/lock.ts";
import { rssOf } from "../../mm/rss.ts";
import { vmaEnd, vmaFlags, vmaStart } from "../../mm/vma/vma.ts";
import { vmaFind } from "../../mm/vma/vma-map.ts";
import type { Hart } from "../../policy/hart.ts";
import { softLimit } from "../process/process.ts";
import { commOf } from "../process/task.ts";
import { RLIMIT_SIGPENDING } from "../uapi.ts";
import { hartCount } from "./cpu.ts";
import { bitList, bitMask, hex64 } from "./format.ts";
import { handledSignals, stateLetter } from "./task-state.ts";

/** Tables of descriptors grow in steps of this many (NR_OPEN_DEFAULT); ours do not grow. */
const FDSIZE = 64;

/** The lines about the task. Requires: TASKLIST_LOCK. */
export function statusTextLocked(hart: Hart, task: number, process: number, memory: string): string {
  const { shared } = hart;
  const of = (field: number) => (process === 0 ? 0 : shared.get(process + field));
  const parent = of(PROCESS_PARENT);
  const pid = shared.get(task + TASK_PID);
  const tgid = process === 0 ? pid : of(PROCESS_TGID);
  const { ignored, caught } = handledSignals(hart, shared.get(task + TASK_SIGHAND));
  // Real, effective, saved and of the file system.
  const ids = (field: number) => [0, 4, 8, 12].map((at) => of(field + at) >>> 0).join("\t");
  const groups = Array.from({ length: of(PROCESS_GROUP_COUNT) }, (_, i) => of(PROCESS_GROUPS + 4 * i) >>> 0).join(" ");
  const fs = shared.loadAcquire(task + TASK_FS);
  const umask = fs === 0 ? 0o022 : shared.loadOnce(fs + FS_UMASK);
  const allowed = Array.from({ length: CPUMASK_WORDS }, (_, i) => shared.get(task + TASK_CPUS_ALLOWED + 4 * i));
  return [
    `Name:\t${commOf(shared, task)}`,
    `Umask:\t${umask.toString(8).padStart(4, "0")}`,
    `State:\t${stateLetter(hart, task, process)}`,
    `Tgid:\t${tgid}`,
    "Ngid:\t0",
    `Pid:\t${pid}`,
    `PPid:\t${parent === 0 ? 0 : shared.get(parent + PROCESS_TGID)}`,
    "TracerPid:\t0",
    `Uid:\t${ids(PROCESS_UIDS)}`,
    `Gid:\t${ids(PROCESS_GIDS)}`,
    `FDSize:\t${FDSIZE}`,
    `Groups:\t${groups} `,
    `NStgid:\t${tgid}`,
    `NSpid:\t${pid}`,
    `NSpgid:\t${of(PROCESS_PGID)}`,
    `NSsid:\t${of(PROCESS_SID)}`,
    `Kthread:\t${process === 0 ? 1 : 0}`,
    `${memory}Threads:\t${process === 0 ? 1 : of(PROCESS_THREAD_COUNT)}`,
    `SigQ:\t0/${process === 0 ? 0 : softLimit(shared, process, RLIMIT_SIGPENDING)}`,
    `SigPnd:\t${hex64(shared.get(task + TASK_PENDING_LO), shared.get(task + TASK_PENDING_HI))}`,
    `ShdPnd:\t${hex64(of(PROCESS_PENDING_LO), of(PROCESS_PENDING_HI))}`,
    `SigBlk:\t${hex64(shared.get(task + TASK_SIGMASK_LO), shared.get(task + TASK_SIGMASK_HI))}`,
    `SigIgn:\t${ignored}`,
    `SigCgt:\t${caught}`,
    "CapInh:\t0000000000000000",
    "CapPrm:\t000001ffffffffff",
    "CapEff:\t000001ffffffffff",
    "CapBnd:\t000001ffffffffff",
    "CapAmb:\t0000000000000000",
    `NoNewPrivs:\t${(of(PROCESS_FLAGS) & PROCESS_NO_NEW_PRIVS) !== 0 ? 1 : 0}`,
    "Seccomp:\t0",
    "Seccomp_filters:\t0",
    "Speculation_Store_Bypass:\tunknown",
    "SpeculationIndirectBranch:\tunknown",
    `Cpus_allowed:\t${bitMask(allowed, hartCount(hart))}`,
    `Cpus_allowed_list:\t${bitList(allowed)}`,
    "Mems_allowed:\t1",
    "Mems_allowed_list:\t0",
    `voluntary_ctxt_switches:\t${shared.get(task + TASK_NVCSW) >>> 0}`,
    `nonvoluntary_ctxt_switches:\t${shared.get(task + TASK_NIVCSW) >>> 0}`,
    "",
  ].join("\n");
}

/** The lines about the address space. */
export function statusMemory(hart: Hart, mm: number): string {
  const { shared } = hart;
  const pages = (field: number) => Math.max(shared.loadOnce(mm + field), 0);
  const rss = rssOf(hart, mm);
  const [first, end] = [shared.getF64(mm + MM_START_CODE), shared.getF64(mm + MM_END_CODE)];
  const code = Math.ceil(end / PAGE_BYTES) - Math.floor(first / PAGE_BYTES);
  const rows: readonly (readonly [string, number])[] = [
    ["VmPeak", Math.max(pages(MM_TOTAL_VM_HIGH), pages(MM_TOTAL_VM))],
    ["VmSize", pages(MM_TOTAL_VM)],
    ["VmLck", pages(MM_LOCKED_VM)],
    ["VmPin", 0],
    ["VmHWM", Math.max(pages(MM_RSS_HIGH), rss.total)],
    ["VmRSS", rss.total],
    ["RssAnon", rss.anon],
    ["RssFile", rss.file],
    ["RssShmem", rss.shmem],
    ["VmData", pages(MM_DATA_VM)],
    ["VmStk", pages(MM_STACK_VM)],
    ["VmExe", code],
    ["VmLib", Math.max(executablePages(hart, mm) - code, 0)],
    ["VmPTE", pages(MM_PT_PAGES)],
    ["VmSwap", pages(MM_SWAP)],
  ];
  const lines = rows.map(([name, count]) => `${name}:\t${String((count * PAGE_BYTES) / 1024).padStart(8)} kB\n`);
  return `${lines.join("")}CoreDumping:\t0\nTHP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\n`;
}

/** Pages of areas that hold instructions. (Linux: exec_vm) */
function executablePages(hart: Hart, mm: number): number {
  let pages = 0;
  mmapReadLock(hart, mm);
  for (let vma = vmaFind(hart, mm, 0); vma !== 0; vma = vmaFind(hart, mm, vmaEnd(hart, vma))) {
    const kind = vmaFlags(hart, vma) & (VM_EXEC | VM_WRITE | VM_GROWSDOWN);
    if (kind === VM_EXEC) pages += vmaEnd(hart, vma) - vmaStart(hart, vma);
    hart.pollIrq();
  }
  mmapReadUnlock(hart, mm);
  return pages;
}
