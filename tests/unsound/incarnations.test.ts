// The checker of object incarnations, host/check/lifetime.ts, and what it must say nothing of.

import "../support/schedule-points.ts";
import { expect, test } from "vitest";
import {
  FILE_REFCOUNT,
  MM_ROOT_PFN,
  POOL_FILE,
  POOL_MM,
  POOL_TASK,
  TASK_BYTES,
  TASK_FLAGS,
} from "../../assembly/layout.ts";
import { kmemCacheAlloc, kmemCacheFree, kmemCacheFreeRcu } from "../../host/memory/slab.ts";
import { mmAlloc, mmput } from "../../host/mm/mm.ts";
import { Watched } from "../support/watched.ts";

test("a task may not be looked at after its grace period, an open file may: it is reused type-safe", () => {
  const { harts, reports } = new Watched();
  const [task, file] = [kmemCacheAlloc(harts[0], POOL_TASK), kmemCacheAlloc(harts[0], POOL_FILE)];
  kmemCacheFree(harts[0], POOL_FILE, file);
  harts[1].shared.loadOnce(file + FILE_REFCOUNT);
  harts[0].core.zeroBytes(task, TASK_BYTES);
  kmemCacheFreeRcu(harts[0], POOL_TASK, task);
  harts[1].shared.get(task + TASK_FLAGS);
  expect(reports).toEqual([]);
  kmemCacheFree(harts[0], POOL_TASK, task);
  harts[1].shared.get(task + TASK_FLAGS);
  expect(reports.join()).toMatch(/use after free: hart 1 touches task\d+\.TASK_FLAGS of a freed record/);
});

test("an open file that is freed twice is reported", () => {
  const { harts, reports } = new Watched();
  const file = kmemCacheAlloc(harts[0], POOL_FILE);
  for (let i = 0; i < 2; i++) kmemCacheFree(harts[0], POOL_FILE, file);
  expect(reports.join()).toMatch(/double free: .* is freed twice/);
});

test("the first line of a freed mm may be looked at, the rest may not", () => {
  const { harts, reports } = new Watched();
  const mm = mmAlloc(harts[0]);
  mmput(harts[0], mm);
  harts[1].shared.get(mm);
  expect(reports).toEqual([]);
  harts[1].shared.get(mm + MM_ROOT_PFN);
  expect(reports.join()).toMatch(/use after free: hart 1 touches mm1\.MM_ROOT_PFN of a freed record/);
});

test("a record that is freed twice is reported", () => {
  const { harts, reports } = new Watched();
  const mm = kmemCacheAlloc(harts[0], POOL_MM);
  kmemCacheFree(harts[0], POOL_MM, mm);
  kmemCacheFree(harts[0], POOL_MM, mm);
  expect(reports.join()).toContain("double free: mm1");
});

test("a record that has been handed out again belongs to its new owner", () => {
  const { harts, reports } = new Watched();
  mmput(harts[0], mmAlloc(harts[0]));
  const again = mmAlloc(harts[0]);
  harts[1].shared.get(again + MM_ROOT_PFN);
  expect(reports).toEqual([]);
});
