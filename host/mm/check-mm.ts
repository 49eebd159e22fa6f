// The ledger of an address space: every count that the fast paths keep, recomputed from the page tables and vmas. For
// tests and for an oops; the mm must be quiet (no hart changes it).

import {
  LEVEL_COUNT,
  MACHINE_BASE,
  MACHINE_ZERO_PFN,
  MM_DATA_VM,
  MM_HUGE_LEAVES,
  MM_LOCKED_VM,
  MM_MAP_COUNT,
  MM_PT_PAGES,
  MM_ROOT_PFN,
  MM_RSS,
  MM_RSS_FILE,
  MM_RSS_SHMEM,
  MM_STACK_VM,
  MM_SWAP,
  MM_TOTAL_VM,
  PAGE_FLAGS,
  PAGE_MAPCOUNT,
  PAGE_MAPPING,
  PAGE_NEXT,
  PAGE_PT_DEPOSIT,
  PAGE_PT_ENTRIES,
  PAGE_PT_MM,
  PAGE_PT_VPN,
  PAGE_REFCOUNT,
  PG_CACHE,
  PG_FREE,
  PG_SHMEM,
  PG_SWAPCACHE,
  PG_TABLE,
  PTE_COUNT,
  PTE_PPN_SHIFT,
  PTE_V,
  PTE_W,
  RMAP_SEQ,
  SWAP_BASE,
  SWAP_BYTES,
  SWAP_COUNT,
  USER_VPN_END,
  VM_LOCKED,
  VM_SHARED,
  VMA_MAPPING,
  VMA_MM,
  VMA_RMAP_ANON,
  VMA_RMAP_FILE,
} from "../../assembly/layout.ts";
import type { Hart } from "../policy/hart.ts";
import { frameAddress, pageOf } from "./frame/page.ts";
import { mappingHas } from "./mapping/page-cache.ts";
import { flushRss } from "./rss.ts";
import { levelPages } from "./table/page-table.ts";
import { isHugePte, isMarker, isSwapPte, PTE_BYTES, pteModify, ptePfn, smallPte } from "./table/pte.ts";
import { isDataMapping, isStackMapping, vmaEnd, vmaFlags, vmaPgoffAt, vmaStart } from "./vma/vma.ts";
import { vmaFind, vmaFindBelow } from "./vma/vma-map.ts";

interface Tally {
  rss: number;
  rssFile: number;
  rssShmem: number;
  swapped: number;
  /** slot -> entries that hold it. */
  readonly slots: Map<number, number>;
  tables: number;
  /** Leaves of level 1. */
  huge: number;
  /** pfn -> entries that map it. */
  readonly mapped: Map<number, number>;
  /** Those that some entry may write: then it is the only one. */
  readonly writable: Set<number>;
  readonly problems: string[];
}

/** What is wrong with the mm, one line each; empty if all is well. */
export function checkMm(hart: Hart, mm: number): string[] {
  return checkMms(hart, [mm]);
}

/** The same for address spaces that share private pages by fork: `mms` are all that map these. */
export function checkMms(hart: Hart, mms: readonly number[]): string[] {
  const { shared } = hart;
  flushRss(hart);
  const tally: Tally = {
    rss: 0,
    rssFile: 0,
    rssShmem: 0,
    swapped: 0,
    slots: new Map(),
    tables: 0,
    huge: 0,
    mapped: new Map(),
    writable: new Set(),
    problems: [],
  };
  for (const mm of mms) {
    tally.rss = 0;
    tally.rssFile = 0;
    tally.rssShmem = 0;
    tally.swapped = 0;
    tally.tables = 0;
    tally.huge = 0;
    checkVmas(hart, mm, tally);
    checkTable(hart, mm, shared.get(mm + MM_ROOT_PFN), LEVEL_COUNT - 1, 0, tally);
    expect(tally, "MM_RSS", shared.get(mm + MM_RSS), tally.rss);
    expect(tally, "MM_RSS_FILE", shared.get(mm + MM_RSS_FILE), tally.rssFile);
    expect(tally, "MM_RSS_SHMEM", shared.get(mm + MM_RSS_SHMEM), tally.rssShmem);
    expect(tally, "MM_SWAP", shared.get(mm + MM_SWAP), tally.swapped);
    expect(tally, "MM_HUGE_LEAVES", shared.get(mm + MM_HUGE_LEAVES), tally.huge);
    expect(tally, "MM_PT_PAGES", shared.get(mm + MM_PT_PAGES), tally.tables);
  }
  for (const [pfn, entries] of tally.mapped) {
    expect(tally, `mapcount of frame ${pfn}`, shared.get(pageOf(pfn) + PAGE_MAPCOUNT), entries);
    // A page that has left its mapping lives on in the entries alone.
    const isCache = (shared.get(pageOf(pfn) + PAGE_FLAGS) & PG_CACHE) !== 0;
    const isSwapCache = (shared.get(pageOf(pfn) + PAGE_FLAGS) & PG_SWAPCACHE) !== 0;
    const references = entries + (isSwapCache || (isCache && shared.get(pageOf(pfn) + PAGE_MAPPING) !== 0) ? 1 : 0);
    expect(tally, `references to frame ${pfn}`, shared.get(pageOf(pfn) + PAGE_REFCOUNT), references);
    if (tally.writable.has(pfn) && isSwapCache) tally.problems.push(`frame ${pfn} is writable in the swap cache`);
    if (tally.writable.has(pfn)) expect(tally, `entries of frame ${pfn}, one of them writable`, entries, 1);
  }
  for (const [slot, entries] of tally.slots) {
    expect(tally, `users of swap slot ${slot}`, shared.get(SWAP_BASE + slot * SWAP_BYTES + SWAP_COUNT), entries);
  }
  return tally.problems;
}

function checkVmas(hart: Hart, mm: number, tally: Tally): void {
  const { shared } = hart;
  let count = 0;
  let total = 0;
  let data = 0;
  let stack = 0;
  let locked = 0;
  let last = 0;
  let below = 0;
  for (let vma = vmaFind(hart, mm, 0); vma !== 0; vma = vmaFind(hart, mm, last)) {
    const pages = vmaEnd(hart, vma) - vmaStart(hart, vma);
    if (pages <= 0 || vmaStart(hart, vma) < last) tally.problems.push(`vma at ${vmaStart(hart, vma)} is out of order`);
    if (shared.get(vma + VMA_MM) !== mm) tally.problems.push(`vma at ${vmaStart(hart, vma)} belongs to another mm`);
    if (!hart.policies.vmaLock.isAttached(hart, vma)) tally.problems.push(`vma at ${vmaStart(hart, vma)} is detached`);
    const isPrivate = (vmaFlags(hart, vma) & VM_SHARED) === 0;
    const inTrees = [VMA_RMAP_ANON, VMA_RMAP_FILE].map((place) => shared.get(vma + place + RMAP_SEQ) !== 0);
    if (inTrees[0] !== isPrivate || inTrees[1] !== (shared.get(vma + VMA_MAPPING) !== 0)) {
      tally.problems.push(`vma at ${vmaStart(hart, vma)} is not in the reverse maps that it belongs to`);
    }
    expect(tally, `lower neighbour of ${vmaStart(hart, vma)}`, vmaFindBelow(hart, mm, vmaStart(hart, vma)), below);
    count++;
    total += pages;
    if ((vmaFlags(hart, vma) & VM_LOCKED) !== 0) locked += pages;
    if (isStackMapping(vmaFlags(hart, vma))) stack += pages;
    else if (isDataMapping(vmaFlags(hart, vma))) data += pages;
    last = vmaEnd(hart, vma);
    below = vma;
  }
  expect(tally, "MM_MAP_COUNT", shared.get(mm + MM_MAP_COUNT), count);
  expect(tally, "MM_TOTAL_VM", shared.get(mm + MM_TOTAL_VM), total);
  expect(tally, "MM_DATA_VM", shared.get(mm + MM_DATA_VM), data);
  expect(tally, "MM_STACK_VM", shared.get(mm + MM_STACK_VM), stack);
  expect(tally, "MM_LOCKED_VM", shared.get(mm + MM_LOCKED_VM), locked);
}

function checkTable(hart: Hart, mm: number, table: number, level: number, vpn: number, tally: Tally): void {
  const { shared } = hart;
  const page = pageOf(table);
  tally.tables++;
  expect(tally, `flags of table ${table}`, shared.get(page + PAGE_FLAGS), PG_TABLE);
  expect(tally, `mm of table ${table}`, shared.get(page + PAGE_PT_MM), mm);
  expect(tally, `first vpn of table ${table}`, shared.get(page + PAGE_PT_VPN), vpn);
  let entries = 0;
  for (let i = 0; i < PTE_COUNT && vpn + i * levelPages(level) < USER_VPN_END; i++) {
    const entry = shared.get(frameAddress(table) + i * PTE_BYTES);
    if (entry === 0) continue;
    entries++;
    const first = vpn + i * levelPages(level);
    if (level === 0) checkLeaf(hart, mm, first, entry, tally);
    else if (level === 1 && isHugePte(entry)) checkHuge(hart, mm, first, entry, tally);
    else if ((entry & ((1 << PTE_PPN_SHIFT) - 1)) !== PTE_V) tally.problems.push(`pointer ${entry} at vpn ${first}`);
    else checkTable(hart, mm, entry >>> PTE_PPN_SHIFT, level - 1, first, tally);
  }
  if (level !== 0) expect(tally, `entries of table ${table}`, shared.get(page + PAGE_PT_ENTRIES), entries);
  if (level === 1) checkDeposit(hart, table, tally);
}

function checkHuge(hart: Hart, mm: number, vpn: number, entry: number, tally: Tally): void {
  tally.huge++;
  if (ptePfn(entry) % PTE_COUNT !== 0) tally.problems.push(`leaf of level 1 at vpn ${vpn} is not aligned`);
  for (let i = 0; i < PTE_COUNT; i++) checkLeaf(hart, mm, vpn + i, smallPte(entry, i), tally);
  if (vmaFind(hart, mm, vpn) !== vmaFind(hart, mm, vpn + PTE_COUNT - 1)) {
    tally.problems.push(`leaf of level 1 at vpn ${vpn} lies in several vmas`);
  }
}

/** One empty table is kept for each leaf in a table of level 1. */
function checkDeposit(hart: Hart, table: number, tally: Tally): void {
  const { shared } = hart;
  let leaves = 0;
  for (let i = 0; i < PTE_COUNT; i++) if (isHugePte(shared.get(frameAddress(table) + i * PTE_BYTES))) leaves++;
  let kept = 0;
  for (let pfn = shared.get(pageOf(table) + PAGE_PT_DEPOSIT); pfn !== 0; pfn = shared.get(pageOf(pfn) + PAGE_NEXT)) {
    kept++;
    for (let i = 0; i < PTE_COUNT; i++) {
      if (shared.get(frameAddress(pfn) + i * PTE_BYTES) !== 0) tally.problems.push(`kept table ${pfn} is not empty`);
    }
  }
  expect(tally, `tables kept for the leaves of table ${table}`, kept, leaves);
  tally.tables += kept;
}

function checkLeaf(hart: Hart, mm: number, vpn: number, pte: number, tally: Tally): void {
  const { shared } = hart;
  const pfn = ptePfn(pte);
  const vma = vmaFind(hart, mm, vpn);
  if (vma === 0 || vmaStart(hart, vma) > vpn) {
    tally.problems.push(`page at vpn ${vpn} lies in no vma`);
    return;
  }
  if (isMarker(pte)) return;
  if (isSwapPte(pte)) {
    tally.swapped++;
    tally.slots.set(pfn, (tally.slots.get(pfn) ?? 0) + 1);
    return;
  }
  const flags = vmaFlags(hart, vma);
  if (pteModify(pte, flags, (pte & PTE_W) !== 0) !== pte) tally.problems.push(`rights of pte ${pte} at vpn ${vpn}`);
  if (pfn === shared.get(MACHINE_BASE + MACHINE_ZERO_PFN)) {
    if ((pte & PTE_W) !== 0) tally.problems.push(`zero page is writable at vpn ${vpn}`);
    return;
  }
  tally.rss++;
  tally.mapped.set(pfn, (tally.mapped.get(pfn) ?? 0) + 1);
  const page = pageOf(pfn);
  const kind = shared.get(page + PAGE_FLAGS) & (PG_CACHE | PG_SHMEM);
  if (kind === PG_CACHE) tally.rssFile++;
  else if (kind !== 0) tally.rssShmem++;
  if ((shared.get(page + PAGE_FLAGS) & PG_FREE) !== 0) tally.problems.push(`frame ${pfn} at vpn ${vpn} is free`);
  const isShared = (flags & VM_SHARED) !== 0;
  if (!isShared) {
    if ((pte & PTE_W) !== 0) tally.writable.add(pfn);
  } else if (!mappingHas(hart, shared.get(vma + VMA_MAPPING), vmaPgoffAt(hart, vma, vpn))) {
    tally.problems.push(`shared page at vpn ${vpn} is not in its mapping`);
  }
}

function expect(tally: Tally, what: string, found: number, wanted: number): void {
  if (found !== wanted) tally.problems.push(`${what}: ${found}, should be ${wanted}`);
}
