// /proc/slabinfo: the object caches. (mm/slab_common.c: slab_show, cache_show)
//
// A cache here is one row of records outside the guest's memory, not pages of it. As slabs count as many pages as hold
// one record or more, as if they had been taken from there.

import { PAGE_BYTES, POOL_DENTRY, POOL_INODE } from "../../../assembly/layout.ts";
import { KMEM_CACHES } from "../../memory/kmem-caches.ts";
import { kmemCacheCounts } from "../../memory/slab.ts";
import type { Hart } from "../../policy/hart.ts";

const HEAD =
  "slabinfo - version: 2.1\n" +
  "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>" +
  " : tunables <limit> <batchcount> <sharedfactor>" +
  " : slabdata <active_slabs> <num_slabs> <sharedavail>\n";

export function slabinfoText(hart: Hart): string {
  return HEAD + KMEM_CACHES.map((_, pool) => line(hart, pool)).join("");
}

/** Bytes of all slabs, and of those whose objects could be given up: inodes and names. (SLAB_RECLAIM_ACCOUNT) */
export function slabBytes({ shared }: Hart): { all: number; reclaimable: number } {
  let [all, reclaimable] = [0, 0];
  KMEM_CACHES.forEach(({ objectBytes }, pool) => {
    const pages = Math.ceil(objectBytes / PAGE_BYTES);
    const perSlab = Math.floor((pages * PAGE_BYTES) / objectBytes);
    const bytes = Math.ceil(kmemCacheCounts(shared, pool).touched / perSlab) * pages * PAGE_BYTES;
    all += bytes;
    if (pool === POOL_INODE || pool === POOL_DENTRY) reclaimable += bytes;
  });
  return { all, reclaimable };
}

function line({ shared }: Hart, pool: number): string {
  const { name, objectBytes } = KMEM_CACHES[pool];
  const { live, touched } = kmemCacheCounts(shared, pool);
  const pages = Math.ceil(objectBytes / PAGE_BYTES);
  const perSlab = Math.floor((pages * PAGE_BYTES) / objectBytes);
  const slabs = Math.ceil(touched / perSlab);
  const counts = [
    [live, 6],
    [slabs * perSlab, 6],
    [objectBytes, 6],
    [perSlab, 4],
    [pages, 4],
  ];
  const columns = counts.map(([count, width]) => String(count).padStart(width)).join(" ");
  const slabColumns = [slabs, slabs, 0].map((count) => String(count).padStart(6)).join(" ");
  return `${name.padEnd(17)} ${columns} : tunables    0    0    0 : slabdata ${slabColumns}\n`;
}
