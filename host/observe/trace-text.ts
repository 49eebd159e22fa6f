// A record of a trace ring as a line of text, in the form of Linux's /sys/kernel/tracing/trace: task, hart, flags,
// time, event, what it says (trace-events.ts).

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
import { traceRecord, traceRing } from "../memory/trace.ts";
import { comm, type EventRow, TRACE_EVENTS } from "./trace-events.ts";

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
