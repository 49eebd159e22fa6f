// /proc/cpuinfo, stat, uptime, loadavg: the harts and what they did.

import {
  COUNTER_CONTEXT_SWITCH,
  HART_COUNTERS,
  HART_IDLE_TASK,
  HART_SLICE_END_NS,
  MACHINE_BASE,
  MACHINE_BOOT_REALTIME_NS,
  MACHINE_HART_COUNT,
  MACHINE_PID_NEXT,
  MACHINE_TASK_COUNT,
  TASK_ON_HART,
  TASK_RUNTIME_NS,
} from "../../../assembly/layout.ts";
import { hartBase } from "../../memory/hart-local.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadAverages, runningCount } from "../sched/load.ts";
import { SLICE_NS } from "../sched/sched.ts";
import { NS_PER_SECOND, USER_HZ } from "../uapi.ts";
import { centiseconds } from "./format.ts";

const NS_PER_TICK = NS_PER_SECOND / USER_HZ;
const ISA = "rv64imafdc_zicntr_zicsr_zifencei_zaamo_zalrsc_zca_zcd";

/** c_show of arch/riscv/kernel/cpu.c. */
export function cpuinfoText(hart: Hart): string {
  let text = "";
  for (let id = 0; id < hartCount(hart); id++) {
    text += `processor\t: ${id}\nhart\t\t: ${id}\nisa\t\t: ${ISA}\nmmu\t\t: sv39\n`;
    text += `mvendorid\t: 0x0\nmarchid\t\t: 0x0\nmimpid\t\t: 0x0\nhart isa\t: ${ISA}\n\n`;
  }
  return text;
}

/** show_stat of fs/proc/stat.c. System calls are charged to their task here, so all that is not idle is user time. */
export function statText(hart: Hart): string {
  const { shared } = hart;
  const rows: string[] = [];
  let idleSum = 0;
  let switches = 0;
  for (let id = 0; id < hartCount(hart); id++) {
    const idle = Math.min(idleNs(hart, id), hart.clock.now());
    idleSum += idle;
    rows.push(cpuLine(`cpu${id}`, hart.clock.now() - idle, idle));
    switches += shared.u32[(hartBase(id) + HART_COUNTERS + COUNTER_CONTEXT_SWITCH) >>> 2];
  }
  const bootSeconds = Math.floor(shared.getF64(MACHINE_BASE + MACHINE_BOOT_REALTIME_NS) / NS_PER_SECOND);
  // The sum is the only row with two spaces: it lines up with cpu0 to cpu9.
  return [
    cpuLine("cpu ", hartCount(hart) * hart.clock.now() - idleSum, idleSum),
    ...rows,
    "intr 0",
    `ctxt ${switches}`,
    `btime ${bootSeconds}`,
    `processes ${lastPid(hart)}`,
    `procs_running ${runningCount(hart)}`,
    "procs_blocked 0",
    "softirq 0 0 0 0 0 0 0 0 0 0 0",
    "",
  ].join("\n");
}

/** user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice. */
function cpuLine(name: string, userNs: number, idle: number): string {
  return `${name} ${ticks(userNs)} 0 0 ${ticks(idle)} 0 0 0 0 0 0`;
}

export function uptimeText(hart: Hart): string {
  let idle = 0;
  for (let id = 0; id < hartCount(hart); id++) idle += idleNs(hart, id);
  return `${centiseconds(hart.clock.now())} ${centiseconds(idle)}\n`;
}

/** loadavg_proc_show. */
export function loadavgText(hart: Hart): string {
  const averages = loadAverages(hart).map((load) => load.toFixed(2));
  const count = hart.shared.get(MACHINE_BASE + MACHINE_TASK_COUNT);
  return `${averages.join(" ")} ${runningCount(hart)}/${count} ${lastPid(hart)}\n`;
}

export function hartCount(hart: Hart): number {
  return hart.shared.get(MACHINE_BASE + MACHINE_HART_COUNT);
}

function lastPid(hart: Hart): number {
  return hart.shared.get(MACHINE_BASE + MACHINE_PID_NEXT) - 1;
}

/** What the hart's idle task has run, with the slice in which it is now. A hart that has not started counts as idle. */
function idleNs(hart: Hart, id: number): number {
  const { shared } = hart;
  const task = shared.get(hartBase(id) + HART_IDLE_TASK);
  if (task === 0) return hart.clock.now();
  const sliceStart = shared.getF64(hartBase(id) + HART_SLICE_END_NS) - SLICE_NS;
  const isOn = shared.loadOnce(task + TASK_ON_HART) !== 0;
  return shared.getF64(task + TASK_RUNTIME_NS) + (isOn ? Math.max(hart.clock.now() - sliceStart, 0) : 0);
}

export function ticks(ns: number): number {
  return Math.floor(ns / NS_PER_TICK);
}
