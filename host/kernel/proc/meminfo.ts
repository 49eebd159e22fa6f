// /proc/meminfo and vmstat. (fs/proc/meminfo.c, mm/vmstat.c)

import {
  LRU_FILE,
  LRU_UNEVICTABLE,
  MACHINE_BASE,
  MACHINE_SWAP_SLOTS,
  MM_BASE,
  MM_BYTES,
  MM_COUNT,
  MM_PT_PAGES,
  MM_USERS,
  PAGE_BYTES,
  POOL_BASE,
  POOL_BYTES,
  POOL_FRESH,
  POOL_MM,
} from "../../../assembly/layout.ts";
import { freeFrameCount } from "../../mm/frame/frames.ts";
import { ramFrameCount } from "../../mm/frame/page.ts";
import { commitLimit, committedPages } from "../../mm/overcommit.ts";
import { LRU_ACTIVE, LRU_INACTIVE, lruCount, lruOf } from "../../mm/reclaim/lru.ts";
import { swapFreeSlots } from "../../mm/reclaim/swap-map.ts";
import { rssOf } from "../../mm/rss.ts";
import { COUNTERS, readCounter } from "../../observe/counters.ts";
import type { Hart } from "../../policy/hart.ts";
import { hartCount } from "./cpu.ts";
import { kilobyteLine } from "./format.ts";
import { slabBytes } from "./slabinfo.ts";

const VMALLOC_BYTES = 64 * 2 ** 30;

export function meminfoText(hart: Hart): string {
  const { shared } = hart;
  const total = ramFrameCount(shared) * PAGE_BYTES;
  const free = Math.min(freeFrameCount(shared) * PAGE_BYTES, total);
  const mms = mmTotals(hart);
  const lru = lruTotals(hart);
  const slab = slabBytes(hart);
  const files = lru.activeFile + lru.inactiveFile;
  const anon = lru.activeAnon + lru.inactiveAnon;
  const cached = Math.max(files + anon + lru.unevictable - mms.anonymous, 0);
  const rows: readonly (readonly [string, number])[] = [
    ["MemTotal", total],
    ["MemFree", free],
    ["MemAvailable", Math.min(free + files, total)],
    ["Buffers", 0],
    ["Cached", cached],
    ["SwapCached", 0],
    ["Active", lru.activeAnon + lru.activeFile],
    ["Inactive", lru.inactiveAnon + lru.inactiveFile],
    ["Active(anon)", lru.activeAnon],
    ["Inactive(anon)", lru.inactiveAnon],
    ["Active(file)", lru.activeFile],
    ["Inactive(file)", lru.inactiveFile],
    ["Unevictable", lru.unevictable],
    ["Mlocked", lru.unevictable],
    ["SwapTotal", shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS) * PAGE_BYTES],
    ["SwapFree", swapFreeSlots(shared) * PAGE_BYTES],
    ["Dirty", 0],
    ["Writeback", 0],
    ["AnonPages", mms.anonymous],
    ["Mapped", mms.file + mms.shmem],
    ["Shmem", Math.max(cached - files, 0)],
    ["KReclaimable", slab.reclaimable],
    ["Slab", slab.all],
    ["SReclaimable", slab.reclaimable],
    ["SUnreclaim", slab.all - slab.reclaimable],
    ["KernelStack", 0],
    ["PageTables", mms.tables],
    ["SecPageTables", 0],
    ["NFS_Unstable", 0],
    ["Bounce", 0],
    ["WritebackTmp", 0],
    ["CommitLimit", commitLimit(shared) * PAGE_BYTES],
    ["Committed_AS", committedPages(shared, hart.hartCount) * PAGE_BYTES],
    ["VmallocTotal", VMALLOC_BYTES],
    ["VmallocUsed", 0],
    ["VmallocChunk", 0],
    ["Percpu", 0],
  ];
  return rows.map(([name, bytes]) => kilobyteLine(name, bytes)).join("");
}

/** /proc/swaps: the store has no name on the host; its size is without the slot that is never used. (swap_show) */
export function swapsText({ shared }: Hart): string {
  const head = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
  const slots = shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS);
  if (slots === 0) return head;
  const kilobytes = (pages: number) => (pages * PAGE_BYTES) / 1024;
  const used = slots - swapFreeSlots(shared);
  return `${head}/swapfile                               file\t\t${kilobytes(slots)}\t\t${kilobytes(used)}\t\t-2\n`;
}

/** Gauges first, then every counter of the machine, under Linux's names where it has one. */
export function vmstatText(hart: Hart): string {
  const { shared } = hart;
  const mms = mmTotals(hart);
  const lru = lruTotals(hart);
  const gauges: readonly (readonly [string, number])[] = [
    ["nr_free_pages", freeFrameCount(shared) * PAGE_BYTES],
    ["nr_inactive_anon", lru.inactiveAnon],
    ["nr_active_anon", lru.activeAnon],
    ["nr_inactive_file", lru.inactiveFile],
    ["nr_active_file", lru.activeFile],
    ["nr_unevictable", lru.unevictable],
    ["nr_anon_pages", mms.anonymous],
    ["nr_mapped", mms.file + mms.shmem],
    ["nr_page_table_pages", mms.tables],
  ];
  let text = gauges.map(([name, bytes]) => `${name} ${bytes / PAGE_BYTES}\n`).join("");
  for (const counter of COUNTERS) {
    let sum = 0;
    for (let id = 0; id < hartCount(hart); id++) sum += readCounter(shared, id, counter);
    text += `${counter.name} ${sum}\n`;
  }
  return text;
}

/** Bytes in all address spaces. Records of ended ones have no users. */
function mmTotals(hart: Hart): { anonymous: number; file: number; shmem: number; tables: number } {
  const { shared } = hart;
  let [anonymous, file, shmem, tables] = [0, 0, 0, 0];
  const used = shared.loadOnce(POOL_BASE + POOL_MM * POOL_BYTES + POOL_FRESH);
  for (let index = 0; index < used; index++) {
    const mm = MM_BASE + index * MM_BYTES;
    if (shared.loadOnce(mm + MM_COUNT) <= 0) continue;
    tables += Math.max(shared.loadOnce(mm + MM_PT_PAGES), 0) * PAGE_BYTES;
    if (shared.loadOnce(mm + MM_USERS) <= 0) continue;
    const rss = rssOf(hart, mm);
    anonymous += rss.anon * PAGE_BYTES;
    file += rss.file * PAGE_BYTES;
    shmem += rss.shmem * PAGE_BYTES;
  }
  return { anonymous, file, shmem, tables };
}

/** Bytes on the lists of all harts. */
function lruTotals(hart: Hart) {
  const sum = (list: number) => {
    let pages = 0;
    for (let id = 0; id < hartCount(hart); id++) pages += Math.max(lruCount(hart.shared, lruOf(id), list), 0);
    return pages * PAGE_BYTES;
  };
  return {
    inactiveAnon: sum(LRU_INACTIVE),
    activeAnon: sum(LRU_ACTIVE),
    inactiveFile: sum(LRU_FILE | LRU_INACTIVE),
    activeFile: sum(LRU_FILE | LRU_ACTIVE),
    unevictable: sum(LRU_UNEVICTABLE),
  };
}
