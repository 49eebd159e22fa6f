// What smaps and status say of memory, after random mmaps, faults, forks and evictions: the sums agree with each other
// by Linux's definitions, and what is promised with what there is.

import { expect, test } from "vitest";
import {
  ACCESS_LOAD,
  ACCESS_STORE,
  MACHINE_BASE,
  MACHINE_ZERO_PFN,
  MAPPING_HOST_FILE,
  MAPPING_PAGES,
  MAPPING_SHMEM,
  MM_SWAP,
  PAGE_BYTES,
  PTE_V,
  RAM_BYTES_MIN,
  VMA_END,
  VMA_FLAGS,
  VMA_START,
} from "../../assembly/layout.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { handleMmFault } from "../../host/mm/fault/fault.ts";
import { mappingCreate, mappingPut } from "../../host/mm/mapping/mapping.ts";
import { mmput } from "../../host/mm/mm.ts";
import { committedPages } from "../../host/mm/overcommit.ts";
import { shrinkMemory } from "../../host/mm/reclaim/vmscan.ts";
import { flushRss, rssOf } from "../../host/mm/rss.ts";
import { addVmaUsage, emptyUsage, type VmaUsage } from "../../host/mm/smaps.ts";
import { loadPte } from "../../host/mm/table/page-table.ts";
import { ptePfn } from "../../host/mm/table/pte.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import { isAccountable } from "../../host/mm/vma/vma.ts";
import { vmaFind } from "../../host/mm/vma/vma-map.ts";
import { seedFrom } from "../support/seeds.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const AREA_PAGES = 16;
const AREAS = 8;
const FILE_PAGES = 32;
const PROTS = [PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ, PROT_NONE];

const seed = seedFrom("USAGE_SEED");
const replay = `USAGE_SEED=${seed} npx vitest run --config tests/vitest.config.ts tests/mm/usage-model.test.ts`;

let machine: MmMachine;
let files: { shmem: number; host: number };

function forEachVma(mm: number, visit: (vma: number) => void): void {
  for (let vma = vmaFind(machine.hart, mm, 0); vma !== 0; ) {
    visit(vma);
    vma = vmaFind(machine.hart, mm, machine.shared.get(vma + VMA_END));
  }
}

function usageOf(mm: number): VmaUsage {
  const usage = emptyUsage();
  forEachVma(mm, (vma) => addVmaUsage(machine.hart, mm, vma, usage));
  return usage;
}

/** The frames that `mm` maps. */
function addMapped(mm: number, pfns: Set<number>): void {
  forEachVma(mm, (vma) => {
    for (let vpn = machine.shared.get(vma + VMA_START); vpn < machine.shared.get(vma + VMA_END); vpn++) {
      const pte = loadPte(machine.hart, mm, vpn);
      if ((pte & PTE_V) !== 0) pfns.add(ptePfn(pte));
    }
  });
}

function expectSums(mms: readonly number[]): void {
  const { hart, shared } = machine;
  expect(checkMms(hart, mms)).toEqual([]);
  const pfns = new Set<number>();
  let [pss, promised] = [0, shared.get(files.shmem + MAPPING_PAGES)];
  for (const mm of mms) {
    flushRss(hart);
    const usage = usageOf(mm);
    const rss = rssOf(hart, mm);
    expect(usage.rss / PAGE_BYTES).toBe(rss.total);
    expect(usage.anonymous / PAGE_BYTES).toBe(rss.anon);
    expect(rss.anon + rss.file + rss.shmem).toBe(rss.total);
    expect(usage.sharedClean + usage.sharedDirty + usage.privateClean + usage.privateDirty).toBe(usage.rss);
    expect(usage.pssDirty).toBeLessThanOrEqual(usage.pss);
    expect(usage.swap / PAGE_BYTES).toBeGreaterThanOrEqual(shared.get(mm + MM_SWAP));
    pss += usage.pss;
    addMapped(mm, pfns);
    forEachVma(mm, (vma) => {
      if (isAccountable(shared.get(vma + VMA_FLAGS)))
        promised += shared.get(vma + VMA_END) - shared.get(vma + VMA_START);
    });
  }
  pfns.delete(shared.get(MACHINE_BASE + MACHINE_ZERO_PFN));
  expect(Math.round(pss / PAGE_BYTES)).toBe(pfns.size); // each page counts once in all of them together
  expect(committedPages(shared, 2)).toBe(promised);
}

test(`sums of smaps, RSS by kind and promises agree (replay: ${replay})`, () => {
  let state = seed | 1;
  const random = (below: number) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return ((state ^ (state >>> 13)) >>> 0) % below;
  };
  machine = new MmMachine(2, RAM_BYTES_MIN);
  machine.useSwap(4096);
  machine.start();
  const { hart } = machine;
  hart.pageIo = { readPage: () => PAGE_BYTES };
  files = {
    shmem: mappingCreate(hart, MAPPING_SHMEM, FILE_PAGES * PAGE_BYTES),
    host: mappingCreate(hart, MAPPING_HOST_FILE, FILE_PAGES * PAGE_BYTES),
  };
  let children: number[] = [];
  for (let step = 0; step < 3000; step++) {
    const mm = [machine.mm, ...children][random(1 + children.length)];
    const va = BASE + random(AREAS * AREA_PAGES) * PAGE_BYTES;
    const kind = random(32);
    if (kind < 3) {
      const area = BASE + random(AREAS) * AREA_PAGES * PAGE_BYTES;
      const mapping = [0, files.shmem, files.host][random(3)];
      const flags = MAP_FIXED | (mapping === 0 ? MAP_PRIVATE | MAP_ANONYMOUS : [MAP_PRIVATE, MAP_SHARED][random(2)]);
      const source = { file: 0, mapping, canRead: true, canWrite: true, isAppend: false, isNoexec: false };
      const pgoff = random(FILE_PAGES - AREA_PAGES);
      const bytes = AREA_PAGES * PAGE_BYTES;
      const of = mapping === 0 ? undefined : source;
      expect(doMmap(hart, mm, area, bytes, PROTS[random(4)], flags, mapping === 0 ? 0 : pgoff, of)).toBe(area);
    } else if (kind === 3) expect(doMunmap(hart, mm, va, (1 + random(4)) * PAGE_BYTES)).toBe(0);
    else if (kind === 4) shrinkMemory(hart, random(40));
    else if (kind === 5 && children.length < 3) children.push(dupMm(hart, mm));
    else if (kind === 6 && random(4) === 0) {
      for (const child of children) mmput(hart, child);
      children = [];
    } else handleMmFault(hart, mm, va, random(2) === 0 ? ACCESS_LOAD : ACCESS_STORE);
    if (step % 50 === 0) expectSums([machine.mm, ...children]);
  }
  for (const child of children) mmput(hart, child);
  expectSums([machine.mm]);
  for (const mapping of Object.values(files)) mappingPut(hart, mapping);
  expect(machine.finish()).toEqual([]);
});
