// /proc/meminfo and vmstat. (fs/proc/meminfo.c, mm/vmstat.c)

import {
  MM_BASE,
  MM_BYTES,
  MM_COUNT,
  MM_PT_PAGES,
  MM_RSS,
  MM_USERS,
  PAGE_BYTES,
  POOL_BASE,
  POOL_BYTES,
  POOL_FRESH,
  POOL_MM,
} from "../../../assembly/layout.ts";
import { freeFrameCount, ramFrameCount } from "../../mm/frames.ts";
import { COUNTERS, readCounter } from "../../observe/counters.ts";
import type { Hart } from "../../policy/hart.ts";
import { hartCount } from "./cpu.ts";
import { kilobyteLine } from "./format.ts";

const VMALLOC_BYTES = 64 * 2 ** 30;

export function meminfoText(hart: Hart): string {
  const { shared } = hart;
  const total = ramFrameCount(shared) * PAGE_BYTES;
  const free = Math.min(freeFrameCount(shared) * PAGE_BYTES, total);
  const { anonymous, tables } = mmTotals(hart);
  const rows: readonly (readonly [string, number])[] = [
    ["MemTotal", total],
    ["MemFree", free],
    ["MemAvailable", free],
    ["Buffers", 0],
    ["Cached", Math.max(total - free - anonymous - tables, 0)],
    ["SwapCached", 0],
    ["Active", anonymous],
    ["Inactive", 0],
    ["Active(anon)", anonymous],
    ["Inactive(anon)", 0],
    ["Active(file)", 0],
    ["Inactive(file)", 0],
    ["Unevictable", 0],
    ["Mlocked", 0],
    ["SwapTotal", 0],
    ["SwapFree", 0],
    ["Dirty", 0],
    ["Writeback", 0],
    ["AnonPages", anonymous],
    ["Mapped", 0],
    ["Shmem", 0],
    ["KReclaimable", 0],
    ["Slab", 0],
    ["SReclaimable", 0],
    ["SUnreclaim", 0],
    ["KernelStack", 0],
    ["PageTables", tables],
    ["SecPageTables", 0],
    ["NFS_Unstable", 0],
    ["Bounce", 0],
    ["WritebackTmp", 0],
    ["CommitLimit", total / 2],
    ["Committed_AS", anonymous],
    ["VmallocTotal", VMALLOC_BYTES],
    ["VmallocUsed", 0],
    ["VmallocChunk", 0],
    ["Percpu", 0],
  ];
  return rows.map(([name, bytes]) => kilobyteLine(name, bytes)).join("");
}

/** Gauges first, then every counter of the machine, under Linux's names where it has one. */
export function vmstatText(hart: Hart): string {
  const { shared } = hart;
  const { anonymous, tables } = mmTotals(hart);
  const gauges: readonly (readonly [string, number])[] = [
    ["nr_free_pages", freeFrameCount(shared)],
    ["nr_anon_pages", anonymous / PAGE_BYTES],
    ["nr_page_table_pages", tables / PAGE_BYTES],
  ];
  let text = gauges.map(([name, value]) => `${name} ${value}\n`).join("");
  for (const counter of COUNTERS) {
    let sum = 0;
    for (let id = 0; id < hartCount(hart); id++) sum += readCounter(shared, id, counter);
    text += `${counter.name} ${sum}\n`;
  }
  return text;
}

/** Bytes in all address spaces. Records of ended ones have no users. */
function mmTotals({ shared }: Hart): { anonymous: number; tables: number } {
  let [anonymous, tables] = [0, 0];
  const used = shared.loadOnce(POOL_BASE + POOL_MM * POOL_BYTES + POOL_FRESH);
  for (let index = 0; index < used; index++) {
    const mm = MM_BASE + index * MM_BYTES;
    if (shared.loadOnce(mm + MM_COUNT) <= 0) continue;
    tables += Math.max(shared.loadOnce(mm + MM_PT_PAGES), 0);
    if (shared.loadOnce(mm + MM_USERS) > 0) anonymous += Math.max(shared.loadOnce(mm + MM_RSS), 0);
  }
  return { anonymous: anonymous * PAGE_BYTES, tables: tables * PAGE_BYTES };
}
