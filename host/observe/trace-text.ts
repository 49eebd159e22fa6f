// A record of a trace ring as a line of text, in the form of Linux's /sys/kernel/tracing/trace: task, hart, flags,
// time, event, what it says. What each event's words mean stands here and nowhere else (they are written where the
// event happens, see memory/trace.ts).

import {
  RING_TAIL,
  TRACE_ARGS,
  TRACE_BYTES,
  TRACE_DATA_BYTES,
  TRACE_HARDIRQ,
  TRACE_IRQS_OFF,
  TRACE_KIND,
  TRACE_LOCKS_SHIFT,
  TRACE_NEED_RESCHED,
  TRACE_PID_MASK,
  TRACE_TASK,
  TRACE_TIME,
  TRACE_VALUE_SHIFT,
} from "../../assembly/layout.ts";
import type { SharedMemory } from "../memory/shared.ts";
import * as events from "../memory/trace.ts";
import { traceRecord, traceRing } from "../memory/trace.ts";

export const TRACE_HEADING = `# tracer: nop
#
#                                _-----=> irqs-off
#                               / _----=> need-resched
#                              | / _---=> hardirq
#                              || / _--=> locks held
#                              ||| / _-=> migrate-disable, never set
#                              |||| /
#           TASK-PID     CPU#  |||||  TIMESTAMP          EVENT
#              | |         |   |||||     |                 |
`;

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

interface EventRow {
  readonly event: number;
  readonly name: string;
  readonly format: (words: Words) => string;
}

const ACCESSES = ["read", "write", "exec"];
/** By FAULT_* (host/mm/fault/fault.ts). */
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
];

const ROW_OF: readonly (EventRow | undefined)[] = Array.from({ length: 32 }, (_, event) =>
  TRACE_EVENTS.find((row) => row.event === event),
);

/** The record at `record` of the ring of `hartId`, as a line; `name` is its task's. */
export function formatRecord(shared: SharedMemory, record: number, hartId: number, name: string): string {
  const kind = shared.i32[(record + TRACE_KIND) >>> 2];
  const task = shared.i32[(record + TRACE_TASK) >>> 2];
  const row = ROW_OF[kind & ((1 << TRACE_VALUE_SHIFT) - 1)];
  const pid = task & TRACE_PID_MASK;
  const words = { shared, at: (record + TRACE_ARGS) >>> 2, value: kind >>> TRACE_VALUE_SHIFT, name, pid };
  const who = `${(pid === 0 ? "<idle>" : name).padStart(16)}-${String(pid).padEnd(7)}`;
  const seconds = (shared.getF64(record + TRACE_TIME) / 1e9).toFixed(9).padStart(15);
  return `${who} [${cpuColumn(hartId)}] ${flags(task)} ${seconds}: ${row?.name}: ${row?.format(words)}`;
}

/** The last `count` events of a hart, also those that have left its ring for the file. */
export function lastEvents(shared: SharedMemory, hartId: number, count: number): string[] {
  const lines: string[] = [];
  const tail = shared.get(traceRing(hartId) + RING_TAIL);
  for (let back = 1; back < TRACE_DATA_BYTES / TRACE_BYTES && lines.length < count; back++) {
    const record = traceRecord(hartId, tail - back * TRACE_BYTES);
    // Never written: the ring has not been full yet.
    if (shared.getF64(record + TRACE_TIME) === 0 && shared.get(record + TRACE_TASK) === 0) break;
    if (ROW_OF[eventOf(shared, record)] !== undefined) lines.unshift(formatRecord(shared, record, hartId, "task"));
  }
  return lines;
}

/** As Linux says that a hart's ring was full. */
export function formatLost(hartId: number, count: number): string {
  return `CPU:${hartId} [LOST ${count} EVENTS]`;
}

export function eventOf(shared: SharedMemory, record: number): number {
  return shared.i32[(record + TRACE_KIND) >>> 2] & ((1 << TRACE_VALUE_SHIFT) - 1);
}

/** The name that a record of TRACE_COMM brings. */
export function commOfRecord(shared: SharedMemory, record: number): string {
  return comm({ shared, at: (record + TRACE_ARGS) >>> 2 });
}

function cpuColumn(hartId: number): string {
  return String(hartId).padStart(3, "0");
}

function flags(task: number): string {
  const locks = (task >>> TRACE_LOCKS_SHIFT) & 15;
  const irqs = (task & TRACE_IRQS_OFF) === 0 ? "." : "d";
  const resched = (task & TRACE_NEED_RESCHED) === 0 ? "." : "N";
  const hardirq = (task & TRACE_HARDIRQ) === 0 ? "." : "h";
  return `${irqs}${resched}${hardirq}${locks === 0 ? "." : locks.toString(16)}.`;
}

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

function comm({ shared, at }: Pick<Words, "shared" | "at">): string {
  let name = "";
  for (let byte = at * 4; byte < at * 4 + 16 && shared.u8[byte] !== 0; byte++) {
    const code = shared.u8[byte];
    name += code > 0x20 && code < 0x7f ? String.fromCharCode(code) : "?";
  }
  return name;
}
