// The numbers of a machine: read once from shared memory, shown as text or JSON.

import {
  MACHINE_BASE,
  MACHINE_FRAMES_AT_BOOT,
  MACHINE_HART_COUNT,
  MACHINE_OPTIONS,
  MACHINE_SCHEDULE_STEPS_HI,
  MACHINE_SCHEDULE_STEPS_LO,
  MACHINE_SEED_LO,
  MACHINE_TRACE_HASH_HI,
  MACHINE_TRACE_HASH_LO,
  MACHINE_VIRTUAL_NS,
  OPTION_DETERMINISTIC,
} from "../../assembly/layout.ts";
import { KMEM_CACHES } from "../memory/kmem-caches.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { type KmemCacheCounts, kmemCacheCounts } from "../memory/slab.ts";
import { COUNTERS, readCounter, readInstret } from "./counters.ts";

/** Counter names (see COUNTERS) and "instret" to their values. */
export type CounterValues = Readonly<Record<string, number>>;

export interface DeterministicStats {
  /** 64 bits in hexadecimal: equal hashes, equal runs. */
  readonly traceHash: string;
  readonly scheduleSteps: number;
  readonly virtualSeconds: number;
}

export interface MachineStats {
  /** The machine has stopped: the numbers are final. */
  readonly stopped: boolean;
  readonly harts: number;
  readonly seed: number;
  /** Seam to policy. */
  readonly policies: Readonly<Record<string, string>>;
  /** The mistake that was asked for, such as A-M1, or "". */
  readonly mutation: string;
  /** Host seconds from the start of the workers to the end of the last (so far, while the machine runs). */
  readonly seconds: number;
  readonly framesFreeAtBoot: number;
  /** Exact only once the guest has ended: then it is framesFreeAtBoot, or the kernel has lost frames. */
  readonly framesFree: number;
  /** All 0 once the guest has ended, like the frames that are not back. */
  readonly inUse: InUse;
  readonly total: CounterValues;
  readonly perHart: readonly CounterValues[];
  /** Object caches that have been used. */
  readonly caches: readonly CacheStats[];
  /** Only of the deterministic driver. */
  readonly deterministic: DeterministicStats | null;
}

/** What address spaces and files hold. */
export interface InUse {
  readonly swapSlots: number;
  /** Pages that reclaim knows of. */
  readonly listedPages: number;
  readonly committedPages: number;
}

/** An object cache, by its name in /proc/slabinfo. */
export interface CacheStats extends KmemCacheCounts {
  readonly name: string;
  readonly objectBytes: number;
}

/** What the shared memory does not say by itself. */
export interface Observed {
  readonly stopped: boolean;
  readonly seconds: number;
  readonly framesFree: number;
  readonly inUse: InUse;
  readonly policies: Readonly<Record<string, string>>;
  readonly mutation: string;
}

export function readStats(shared: SharedMemory, observed: Observed): MachineStats {
  const harts = shared.get(MACHINE_BASE + MACHINE_HART_COUNT);
  const perHart: CounterValues[] = [];
  for (let id = 0; id < harts; id++) perHart.push(readHart(shared, id));
  const isDeterministic = (shared.get(MACHINE_BASE + MACHINE_OPTIONS) & OPTION_DETERMINISTIC) !== 0;
  return {
    ...observed,
    harts,
    seed: shared.get(MACHINE_BASE + MACHINE_SEED_LO) >>> 0,
    framesFreeAtBoot: shared.get(MACHINE_BASE + MACHINE_FRAMES_AT_BOOT),
    total: sum(perHart),
    perHart,
    caches: readCaches(shared),
    deterministic: isDeterministic ? readDeterministic(shared) : null,
  };
}

/** Lines for people: totals, one per counter that is not 0. */
export function formatStats(stats: MachineStats): string {
  const lines = [`harts ${stats.harts}, seed ${stats.seed}, ${stats.seconds.toFixed(3)} s`];
  const chosen = Object.entries(stats.policies).map(([seam, name]) => `${seam} ${name}`);
  lines.push([...chosen, ...(stats.mutation === "" ? [] : [`mutation ${stats.mutation}`])].join(", "));
  const mips = stats.total.instret / Math.max(stats.seconds, 1e-9) / 1e6;
  lines.push(row(stats.total.instret, "instret", `instructions retired, ${mips.toFixed(0)} million a second`));
  for (const { name, meaning } of COUNTERS)
    if (stats.total[name] > 0) lines.push(row(stats.total[name], name, meaning));
  lines.push(row(stats.framesFreeAtBoot, "frames at boot", "free when init was about to be made"));
  lines.push(row(stats.framesFree, stats.stopped ? "frames at exit" : "frames free", verdictOnFrames(stats)));
  for (const { name, live, touched, allocs, reuses, fails } of stats.caches) {
    const failed = fails === 0 ? "" : `, ${fails} in vain`;
    lines.push(
      row(live, name, `objects, at most ${touched}; ${allocs} allocations${failed}, ${reuses} in used records`),
    );
  }
  if (stats.deterministic !== null) {
    const { traceHash, scheduleSteps, virtualSeconds } = stats.deterministic;
    lines.push(`trace hash ${traceHash}, ${scheduleSteps} schedule points, ${virtualSeconds.toFixed(6)} virtual s`);
  }
  return `${lines.join("\n")}\n`;
}

function verdictOnFrames({ stopped, framesFree, framesFreeAtBoot }: MachineStats): string {
  if (!stopped) return "now";
  return framesFree === framesFreeAtBoot ? "all back" : `${framesFreeAtBoot - framesFree} not back`;
}

function row(value: number, name: string, meaning: string): string {
  return `${String(value).padStart(14)}  ${name.padEnd(29)} ${meaning}`;
}

function readHart(shared: SharedMemory, id: number): CounterValues {
  const values: Record<string, number> = { instret: readInstret(shared, id) };
  for (const counter of COUNTERS) values[counter.name] = readCounter(shared, id, counter);
  return values;
}

function readCaches(shared: SharedMemory): CacheStats[] {
  return KMEM_CACHES.map(({ name, objectBytes }, pool) => {
    return { name, objectBytes, ...kmemCacheCounts(shared, pool) };
  }).filter(({ touched }) => touched > 0);
}

function sum(perHart: readonly CounterValues[]): CounterValues {
  const total: Record<string, number> = {};
  for (const values of perHart) {
    for (const [name, value] of Object.entries(values)) total[name] = (total[name] ?? 0) + value;
  }
  return total;
}

function readDeterministic(shared: SharedMemory): DeterministicStats {
  const word = (field: number) => shared.get(MACHINE_BASE + field) >>> 0;
  const hex = (field: number) => word(field).toString(16).padStart(8, "0");
  return {
    traceHash: hex(MACHINE_TRACE_HASH_HI) + hex(MACHINE_TRACE_HASH_LO),
    scheduleSteps: word(MACHINE_SCHEDULE_STEPS_LO) + word(MACHINE_SCHEDULE_STEPS_HI) * 2 ** 32,
    virtualSeconds: shared.getF64(MACHINE_BASE + MACHINE_VIRTUAL_NS) / 1e9,
  };
}
