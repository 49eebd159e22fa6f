// Object caches: what /proc/slabinfo and --stats say of them, and what happens to who holds on to a record too long.

import { beforeEach, expect, test } from "vitest";
import {
  FILE_REFCOUNT,
  MM_GENERATION,
  POOL_FILE,
  POOL_MM,
  POOL_TASK,
  POOL_VMA,
  POOL_VMA_NODE,
  VMA_GENERATION,
} from "../../assembly/layout.ts";
import { closeFd, fget, fput } from "../../host/kernel/file/files.ts";
import { rcuCallbacks } from "../../host/kernel/rcu-callbacks.ts";
import { KMEM_CACHES, SLAB_TYPESAFE_BY_RCU } from "../../host/memory/kmem-caches.ts";
import { rcuAdvance, rcuPending } from "../../host/memory/rcu.ts";
import { kmemCacheAlloc, kmemCacheCounts, kmemCacheFree, kmemCacheFreeRcu } from "../../host/memory/slab.ts";
import { NR } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const AT_FDCWD = -100;

let p: TestProcess;
beforeEach(() => {
  p = new TestProcess();
});

function open(path: string): number {
  return p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), 0);
}

test("slabinfo has Linux's columns, and counts what is in use", () => {
  const fd = open("/proc/slabinfo");
  const bytes = p.call(NR.read, fd, p.memory + 4096, 32768);
  const lines = new TextDecoder().decode(p.peek(p.memory + 4096, bytes)).split("\n");
  expect(lines[0]).toBe("slabinfo - version: 2.1");
  expect(lines[1]).toMatch(
    /^# name {12}<active_objs> <num_objs> <objsize> .* <active_slabs> <num_slabs> <sharedavail>$/,
  );
  const row = /^(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : tunables +0 +0 +0 : slabdata +(\d+) +(\d+) +0$/;
  const rows = new Map(lines.slice(2, -1).map((line) => [row.exec(line)![1], row.exec(line)!.slice(2).map(Number)]));
  expect(rows.size).toBe(KMEM_CACHES.length);
  for (const name of ["mm_struct", "vm_area_struct", "task_struct", "filp"]) {
    const [active, total, , perSlab, , slabs] = rows.get(name)!;
    expect(active).toBeGreaterThan(0);
    expect(total).toBe(perSlab * slabs);
    expect(total).toBeGreaterThanOrEqual(active);
  }
  expect(rows.get("filp")![0]).toBe(kmemCacheCounts(p.shared, POOL_FILE).live);
});

test("a cache counts allocations, and those in records that were other objects", () => {
  const before = kmemCacheCounts(p.shared, POOL_FILE);
  for (let i = 0; i < 5; i++) expect(p.call(NR.close, open("/proc/version"))).toBe(0);
  const after = kmemCacheCounts(p.shared, POOL_FILE);
  expect(after.allocs - before.allocs).toBe(5);
  expect(after.reuses - before.reuses).toBeGreaterThanOrEqual(4);
  expect(after.live).toBe(before.live);
});

test.each([
  ["mm_struct", POOL_MM, MM_GENERATION],
  ["vm_area_struct", POOL_VMA, VMA_GENERATION],
])("a record of %s is reused at once and says that it is another", (name, pool, field) => {
  expect(KMEM_CACHES[pool].name).toBe(name);
  const first = kmemCacheAlloc(p.hart, pool);
  const generation = p.shared.get(first + field);
  kmemCacheFree(p.hart, pool, first);
  expect(kmemCacheAlloc(p.hart, pool)).toBe(first);
  expect(p.shared.get(first + field)).toBe(generation + 1);
  kmemCacheFree(p.hart, pool, first);
});

test("what is freed by RCU is not reused before its grace period is over", () => {
  for (const pool of [POOL_TASK, POOL_VMA_NODE]) {
    expect(KMEM_CACHES[pool].flags & SLAB_TYPESAFE_BY_RCU).toBe(0);
    const first = kmemCacheAlloc(p.hart, pool);
    p.hart.core.zeroBytes(first, KMEM_CACHES[pool].objectBytes);
    kmemCacheFreeRcu(p.hart, pool, first);
    const second = kmemCacheAlloc(p.hart, pool);
    expect(second).not.toBe(first);
    while (rcuPending(p.hart)) rcuAdvance(p.hart, rcuCallbacks);
    expect(kmemCacheAlloc(p.hart, pool)).toBe(first);
    for (const object of [first, second]) kmemCacheFree(p.hart, pool, object);
  }
});

/** Does `act` when the reference count of `file` is about to be looked at for the first time, as another hart might. */
function beforeCounting(file: number, act: () => void): void {
  const { shared } = p.hart;
  const loadOnce = shared.loadOnce.bind(shared);
  shared.loadOnce = (address) => {
    if (address !== file + FILE_REFCOUNT) return loadOnce(address);
    shared.loadOnce = loadOnce;
    act();
    return loadOnce(address);
  };
}

test("a descriptor that is closed while it is looked up does not give the file that has its record now", () => {
  const fd = open("/proc/version");
  const file = fget(p.hart, fd);
  fput(p.hart, file);
  let other = 0;
  beforeCounting(file, () => {
    closeFd(p.hart, fd);
    other = kmemCacheAlloc(p.hart, POOL_FILE);
    p.shared.set(other + FILE_REFCOUNT, 2);
  });
  expect(fget(p.hart, fd)).toBe(0);
  expect(other).toBe(file);
  expect(p.shared.get(other + FILE_REFCOUNT)).toBe(2);
  p.shared.set(other + FILE_REFCOUNT, 0);
  kmemCacheFree(p.hart, POOL_FILE, other);
});

test("a descriptor that leads to another file meanwhile gives that one", () => {
  const [fd, second] = [open("/proc/version"), open("/proc/uptime")];
  const [file, replacement] = [fget(p.hart, fd), fget(p.hart, second)];
  fput(p.hart, file);
  fput(p.hart, replacement);
  beforeCounting(file, () => p.call(NR.dup3, second, fd, 0));
  expect(fget(p.hart, fd)).toBe(replacement);
  fput(p.hart, replacement);
  expect(p.shared.get(replacement + FILE_REFCOUNT)).toBe(2); // both descriptors
  expect(p.shared.get(file + FILE_REFCOUNT)).toBe(0);
});
