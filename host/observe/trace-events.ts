// The events of a trace: what each is called, and what its words mean. That stands here and nowhere else; they are
// written where the event happens, see memory/trace.ts.

import type { SharedMemory } from "../memory/shared.ts";
import * as events from "../memory/trace.ts";

/** The words of one record. */
interface Words {
  readonly shared: SharedMemory;
  /** Index of the first. */
  readonly at: number;
  /** What stands beside the event. */
  readonly value: number;
  /** Of the task that ran. */
  readonly name: string;
  readonly pid: number;
}

export interface EventRow {
  readonly event: number;
  readonly name: string;
  readonly format: (words: Words) => string;
}

const ACCESSES = ["read", "write", "exec"];
/** By FAULT_* (host/mm/fault/fault-outcome.ts). */
const FAULTS = ["ok", "SIGSEGV maperr", "SIGSEGV accerr", "oom", "SIGBUS", "retry", "wait"];
const FLUSH_REASONS = ["", "remote shootdown", "", "local mm shootdown", "remote ipi send"];
/** By IPI_*. */
const IPIS = ["", "flush", "fence.i", "", "barrier", "unlazy", "flush, last", "rseq"];
const STATES: Readonly<Record<number, string>> = { 0: "R", 1: "S", 2: "D", 4: "T", 128: "X" };

/** Every event that can be chosen, by its bit. */
export const TRACE_EVENTS: readonly EventRow[] = [
  {
    event: events.TRACE_SCHED_SWITCH,
    name: "sched_switch",
    format: (w) =>
      `prev_comm=${w.name} prev_pid=${w.pid} prev_prio=${int(w, 6) & 0xff} ` +
      `prev_state=${STATES[int(w, 5)] ?? hex(w, 5)} ==> ` +
      `next_comm=${comm(w)} next_pid=${int(w, 4)} next_prio=${int(w, 6) >>> 8}`,
  },
  {
    event: events.TRACE_SCHED_WAKEUP,
    name: "sched_wakeup",
    format: (w) => `comm=${comm(w)} pid=${int(w, 4)} target_cpu=${cpu(w, 5)}`,
  },
  {
    event: events.TRACE_SCHED_MIGRATE_TASK,
    name: "sched_migrate_task",
    format: (w) => `comm=${comm(w)} pid=${int(w, 4)} orig_cpu=${int(w, 5)} dest_cpu=${int(w, 6)}`,
  },
  {
    event: events.TRACE_SCHED_PROCESS_FORK,
    name: "sched_process_fork",
    format: (w) => `child_comm=${comm(w)} child_pid=${int(w, 4)} clone_flags=0x${hex(w, 5)}`,
  },
  {
    event: events.TRACE_SCHED_PROCESS_EXIT,
    name: "sched_process_exit",
    format: (w) => `comm=${comm(w)} pid=${int(w, 4)} status=0x${hex(w, 5)}`,
  },
  { event: events.TRACE_TASK_RENAME, name: "task_rename", format: (w) => `pid=${int(w, 4)} newcomm=${comm(w)}` },
  {
    event: events.TRACE_SYS_ENTER,
    name: "sys_enter",
    format: (w) => `NR ${w.value} (${[0, 2, 4, 6, 8, 10].map((word) => long(w, word)).join(", ")})`,
  },
  {
    event: events.TRACE_SYS_EXIT,
    name: "sys_exit",
    format: (w) => `NR ${int(w, 0)} = ${int(w, 2) * 2 ** 32 + (int(w, 1) >>> 0)}`,
  },
  { event: events.TRACE_PAGE_FAULT_USER, name: "page_fault_user", format: formatPageFault },
  { event: events.TRACE_PAGE_FAULT_KERNEL, name: "page_fault_kernel", format: formatPageFault },
  {
    event: events.TRACE_MM_FAULT,
    name: "mm_fault",
    format: (w) =>
      `mm=0x${hex(w, 0)} address=0x${page(w, 1)} access=${ACCESSES[int(w, 2)]} ` +
      `result=${FAULTS[int(w, 3)] ?? int(w, 3)}`,
  },
  { event: events.TRACE_MMAP_LOCK_START_LOCKING, name: "mmap_lock_start_locking", format: formatMmapLock },
  {
    event: events.TRACE_MMAP_LOCK_ACQUIRE_RETURNED,
    name: "mmap_lock_acquire_returned",
    format: (w) => `${formatMmapLock(w)} success=true`,
  },
  { event: events.TRACE_MMAP_LOCK_RELEASED, name: "mmap_lock_released", format: formatMmapLock },
  { event: events.TRACE_CONTENTION_BEGIN, name: "contention_begin", format: (w) => `0x${hex(w, 0)} (${lock(w, 1)})` },
  { event: events.TRACE_CONTENTION_END, name: "contention_end", format: (w) => `0x${hex(w, 0)} (ret=0)` },
  {
    event: events.TRACE_TLB_FLUSH,
    name: "tlb_flush",
    format: (w) =>
      `pages:${int(w, 1) === 0 ? -1 : int(w, 1)} reason:${FLUSH_REASONS[int(w, 0)]} (${int(w, 0)}) ` +
      `mm=0x${hex(w, 2)} address=0x${page(w, 3)}`,
  },
  {
    event: events.TRACE_IPI_RAISE,
    name: "ipi_raise",
    format: (w) => `target_mask=${word(w, 2)},${word(w, 1)} (${IPIS[int(w, 0)]})`,
  },
  { event: events.TRACE_IPI_ENTRY, name: "ipi_entry", format: (w) => `(${IPIS[int(w, 0)]}) from=${cpu(w, 1)}` },
  { event: events.TRACE_IPI_EXIT, name: "ipi_exit", format: (w) => `(${IPIS[int(w, 0)]})` },
  {
    event: events.TRACE_RCU_GRACE_PERIOD,
    name: "rcu_grace_period",
    format: (w) => `rcu ${int(w, 0)} ${int(w, 1) === 0 ? "start" : "end"}`,
  },
  {
    event: events.TRACE_RCU_CALLBACK,
    name: "rcu_callback",
    format: (w) => `rcu rhp=0x${hex(w, 0)} kind=${int(w, 1)} ${int(w, 2)}`,
  },
  {
    event: events.TRACE_RCU_INVOKE_CALLBACK,
    name: "rcu_invoke_callback",
    format: (w) => `rcu rhp=0x${hex(w, 0)} kind=${int(w, 1)}`,
  },
  { event: events.TRACE_MM_PAGE_ALLOC, name: "mm_page_alloc", format: formatFrame },
  { event: events.TRACE_MM_PAGE_FREE, name: "mm_page_free", format: formatFrame },
  { event: events.TRACE_CPU_IDLE, name: "cpu_idle", format: (w) => `state=${int(w, 0) >>> 0} cpu_id=${int(w, 1)}` },
  {
    event: events.TRACE_SIGNAL_GENERATE,
    name: "signal_generate",
    format: (w) =>
      `sig=${int(w, 5) & 0xff} comm=${comm(w)} pid=${int(w, 4)} grp=${int(w, 5) >>> 8} res=${int(w, 6) === 1 ? 0 : 1}`,
  },
  {
    event: events.TRACE_SIGNAL_DELIVER,
    name: "signal_deliver",
    format: (w) => `sig=${int(w, 0)} code=${int(w, 1)} sa_handler=${long(w, 2)} sa_flags=${hex(w, 4)}`,
  },
  {
    event: events.TRACE_MM_VMSCAN_DIRECT_RECLAIM_BEGIN,
    name: "mm_vmscan_direct_reclaim_begin",
    format: () => "order=0",
  },
  {
    event: events.TRACE_MM_VMSCAN_DIRECT_RECLAIM_END,
    name: "mm_vmscan_direct_reclaim_end",
    format: (w) => `nr_reclaimed=${int(w, 0)}`,
  },
  {
    event: events.TRACE_MM_VMSCAN_LRU_SHRINK_INACTIVE,
    name: "mm_vmscan_lru_shrink_inactive",
    // nid: the hart whose lists they are.
    format: (w) =>
      `nid=${int(w, 0)} nr_scanned=${int(w, 1)} nr_reclaimed=${int(w, 2)} priority=${int(w, 3)} ` +
      `flags=RECLAIM_WB_${int(w, 4) !== 0 ? "FILE" : "ANON"}`,
  },
  {
    event: events.TRACE_MM_VMSCAN_WRITE_FOLIO,
    name: "mm_vmscan_write_folio",
    format: (w) => `pfn=0x${hex(w, 0)} slot=${int(w, 1)}`,
  },
];

function formatPageFault(w: Words): string {
  return `address=0x${long(w, 0)} ip=0x${long(w, 2)} access=${ACCESSES[int(w, 4)]}`;
}

function formatMmapLock(w: Words): string {
  return `mm=0x${hex(w, 0)} write=${int(w, 1) !== 0}`;
}

function formatFrame(w: Words): string {
  return `pfn=0x${hex(w, 0)} order=${int(w, 1)}`;
}

function int({ shared, at }: Words, index: number): number {
  return shared.i32[at + index];
}

function hex({ shared, at }: Words, index: number): string {
  return shared.u32[at + index].toString(16);
}

function word(w: Words, index: number): string {
  return hex(w, index).padStart(8, "0");
}

/** 64 bits, the low word first. */
function long(w: Words, index: number): string {
  const high = w.shared.u32[w.at + index + 1];
  return high === 0 ? hex(w, index) : high.toString(16) + word(w, index);
}

/** The address of page number `index`. */
function page({ shared, at }: Words, index: number): string {
  return (shared.u32[at + index] * 4096).toString(16);
}

function cpu(w: Words, index: number): string {
  return String(int(w, index)).padStart(3, "0");
}

function lock(w: Words, index: number): string {
  return ["flags=SPIN", "flags=READ", "flags=WRITE"][int(w, index)];
}

export function comm({ shared, at }: Pick<Words, "shared" | "at">): string {
  let name = "";
  for (let byte = at * 4; byte < at * 4 + 16 && shared.u8[byte] !== 0; byte++) {
    const code = shared.u8[byte];
    name += code > 0x20 && code < 0x7f ? String.fromCharCode(code) : "?";
  }
  return name;
}
