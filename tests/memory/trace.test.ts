// A hart writes, the pump of the main thread reads: here both in one thread, on rings of a machine that never runs.

import { describe, expect, test } from "vitest";
import {
  HART_IRQ_OFF_DEPTH,
  HART_LOCK_COUNT,
  RING_HEAD,
  RING_TAIL,
  TASK_BASE,
  TASK_BYTES,
  TASK_PID,
  TRACE_BYTES,
  TRACE_DATA_BYTES,
  TRACE_LOST,
} from "../../assembly/layout.ts";
import { setComm } from "../../host/kernel/process/task.ts";
import { resolveConfig } from "../../host/machine/config.ts";
import { createMemory } from "../../host/machine/memory-map.ts";
import type { Core } from "../../host/memory/core.ts";
import { HartLocal } from "../../host/memory/hart-local.ts";
import {
  TRACE_CPU_IDLE,
  TRACE_MM_FAULT,
  TRACE_MM_PAGE_ALLOC,
  TRACE_SCHED_SWITCH,
  trace,
  traceRename,
  traceRing,
  traceTask,
} from "../../host/memory/trace.ts";
import { TracePump, type TraceReport } from "../../host/observe/trace-pump.ts";
import { TRACE_HEADING } from "../../host/observe/trace-text.ts";

const CAPACITY = TRACE_DATA_BYTES / TRACE_BYTES;

class TracedMachine {
  readonly harts: HartLocal[];
  now = 0;

  constructor(harts: number, traceEvents?: string[]) {
    const config = resolveConfig({ program: new Uint8Array(), harts, ramBytes: 1 << 24, trace: "file", traceEvents });
    const shared = createMemory(config, { realtimeNs: 0, hrtimeNs: 0 }, false);
    const clock = { now: () => this.now };
    this.harts = Array.from({ length: harts }, (_, id) => new HartLocal(id, shared, {} as Core, clock, 0));
    for (const hart of this.harts) hart.setCurrent(this.task(hart.id + 1, `task${hart.id + 1}`));
  }

  task(pid: number, name: string): number {
    const task = TASK_BASE + pid * TASK_BYTES;
    this.harts[0].shared.set(task + TASK_PID, pid);
    setComm(this.harts[0].shared, task, name);
    return task;
  }

  /** Everything that is in the rings, without the heading. */
  async read(write = async (_: string) => {}): Promise<{ lines: string[]; report: TraceReport }> {
    let text = "";
    const sink = {
      write: (part: string) => {
        text += part;
        return write(part);
      },
      hurry: () => {},
    };
    const pump = new TracePump(this.harts[0].shared, sink, () => this.now);
    const running = pump.run();
    pump.finish();
    const report = await running;
    return { lines: text.slice(TRACE_HEADING.length).split("\n").slice(0, -1), report };
  }
}

describe("a trace ring", () => {
  test("takes the events that were chosen, and no others", async () => {
    const machine = new TracedMachine(1, ["mm_fault"]);
    const [hart] = machine.harts;
    machine.now = 1_234_567_890;
    trace(hart, TRACE_MM_PAGE_ALLOC, 0x20000);
    trace(hart, TRACE_MM_FAULT, 0x1000, 0x3f00000, 1, 0);
    expect((await machine.read()).lines).toEqual([
      "           task1-1       [000] .....     1.234567890: mm_fault: " +
        "mm=0x1000 address=0x3f00000000 access=write result=ok",
    ]);
  });

  test("says what the hart was at: interrupts off, how many locks held", async () => {
    const machine = new TracedMachine(1);
    const [hart] = machine.harts;
    hart.set(HART_IRQ_OFF_DEPTH, 1);
    hart.set(HART_LOCK_COUNT, 2);
    trace(hart, TRACE_CPU_IDLE, -1, 0);
    expect((await machine.read()).lines[0]).toMatch(
      /\[000\] d\.\.2\. +0\.000000000: cpu_idle: state=4294967295 cpu_id=0$/,
    );
  });

  test("names tasks as they are called when they act", async () => {
    const machine = new TracedMachine(1);
    const [hart] = machine.harts;
    const other = machine.task(7, "other");
    trace(hart, TRACE_CPU_IDLE);
    traceTask(hart, TRACE_SCHED_SWITCH, other, 1, 120 | (120 << 8));
    hart.setCurrent(other);
    trace(hart, TRACE_CPU_IDLE);
    machine.task(7, "renamed");
    traceRename(hart);
    trace(hart, TRACE_CPU_IDLE);
    const { lines } = await machine.read();
    expect(lines.map((line) => line.slice(0, 24).trim())).toEqual([
      "task1-1",
      "task1-1",
      "other-7",
      "other-7",
      "renamed-7",
    ]);
    expect(lines[1]).toContain("prev_comm=task1 prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=other next_pid=7");
    expect(lines[3]).toContain("task_rename: pid=7 newcomm=renamed");
  });

  test("that is full loses what comes, counts it, and says so where it is missing", async () => {
    const machine = new TracedMachine(1);
    const [hart] = machine.harts;
    for (let n = 0; n < CAPACITY + 100; n++) trace(hart, TRACE_MM_PAGE_ALLOC, n);
    const first = await machine.read();
    expect(first.lines[0]).toContain("pfn=0x0");
    const lost = hart.shared.get(traceRing(0) + TRACE_LOST);
    // The ring keeps room for two records of its own before an event; one of its records named the task.
    expect([first.lines.length + lost, first.report.lost]).toEqual([CAPACITY + 100, lost]);
    trace(hart, TRACE_MM_PAGE_ALLOC, 0xabc);
    const { lines } = await machine.read();
    expect(lines[0]).toBe(`CPU:0 [LOST ${lost} EVENTS]`);
    expect(lines[1]).toMatch(/task1-1 .*pfn=0xabc/);
  });

  test("goes on when its counts wrap at 2^32", async () => {
    const machine = new TracedMachine(1);
    const [hart] = machine.harts;
    for (const field of [RING_HEAD, RING_TAIL]) hart.shared.set(traceRing(0) + field, -2 * TRACE_BYTES);
    for (let n = 0; n < 5; n++) trace(hart, TRACE_MM_PAGE_ALLOC, n);
    expect((await machine.read()).lines.map((line) => line.slice(-17))).toEqual(
      [0, 1, 2, 3, 4].map((n) => `: pfn=0x${n} order=0`),
    );
  });
});

describe("the pump", () => {
  test("merges the harts' events in the order of time", async () => {
    const machine = new TracedMachine(3);
    const order = [2, 0, 0, 1, 2, 1, 0, 2];
    for (const id of order) {
      machine.now += 10;
      trace(machine.harts[id], TRACE_CPU_IDLE, 1, id);
    }
    const { lines } = await machine.read();
    expect(lines.map((line) => Number(line.at(-1)))).toEqual(order);
  });

  test("empties the rings although nobody takes the text any more, and says how much is missing", async () => {
    const machine = new TracedMachine(1);
    for (let n = 0; n < 10; n++) trace(machine.harts[0], TRACE_CPU_IDLE);
    const { report } = await machine.read(() => Promise.reject(new Error("its reader is gone")));
    expect(report).toEqual({ lost: 10, error: "its reader is gone" });
    const ring = traceRing(0);
    const { shared } = machine.harts[0];
    expect(shared.get(ring + RING_HEAD)).toBe(shared.get(ring + RING_TAIL));
  });
});
