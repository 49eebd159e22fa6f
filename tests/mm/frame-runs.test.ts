// Runs of 512 aligned frames: whole, in parts, and found again among single frames.

import { expect, test } from "vitest";
import { PAGE_REFCOUNT, RAM_BYTES_MIN, RUN_FRAMES } from "../../assembly/layout.ts";
import { allocRun, putRun, regroupFrames } from "../../host/mm/frame/frame-runs.ts";
import { allocFrame, freeFrameCount } from "../../host/mm/frame/frames.ts";
import { pageOf } from "../../host/mm/frame/page.ts";
import { freeFrame, getPage, putPage } from "../../host/mm/frame/page-refs.ts";
import type { Hart } from "../../host/policy/hart.ts";
import { MmMachine } from "./harness.ts";

test("a run is 512 aligned frames with a reference each, and comes back as a run", () => {
  const { hart, shared } = new MmMachine();
  const free = freeFrameCount(shared);
  const run = allocRun(hart);
  expect(run % RUN_FRAMES).toBe(0);
  expect(freeFrameCount(shared)).toBe(free - RUN_FRAMES);
  for (let i = 0; i < RUN_FRAMES; i++) expect(shared.get(pageOf(run + i) + PAGE_REFCOUNT)).toBe(1);
  putRun(hart, run);
  expect(freeFrameCount(shared)).toBe(free);
  expect(allocRun(hart)).toBe(run);
});

test("frames below the first fresh run are not lost", () => {
  const { hart, shared } = new MmMachine();
  const first = allocFrame(hart);
  const free = freeFrameCount(shared);
  const run = allocRun(hart);
  expect(run).toBeGreaterThan(first);
  expect(freeFrameCount(shared)).toBe(free - RUN_FRAMES);
  const frames = Array.from({ length: run - first - 1 }, () => allocFrame(hart));
  expect(new Set(frames)).toEqual(new Set(frames.map((_, i) => first + 1 + i)));
});

test("a run of which somebody holds a frame is freed without that frame", () => {
  const { hart, shared } = new MmMachine();
  const free = freeFrameCount(shared);
  const run = allocRun(hart);
  getPage(hart, run + 100);
  putRun(hart, run);
  expect(freeFrameCount(shared)).toBe(free - 1);
  putPage(hart, run + 100);
  expect(freeFrameCount(shared)).toBe(free);
});

test("single frames come from runs when nothing else is free, and out of memory still means that nothing is", () => {
  const { hart, shared } = new MmMachine(1, RAM_BYTES_MIN);
  putRun(hart, allocRun(hart));
  const free = freeFrameCount(shared);
  const frames = allFrames(hart);
  expect(frames.size).toBe(free);
  expect(allocRun(hart)).toBe(0);
  for (const pfn of frames) freeFrame(hart, pfn);
  expect(freeFrameCount(shared)).toBe(free);
});

test("runs are found again among frames that were freed in any order", () => {
  const { hart, shared } = new MmMachine(1, RAM_BYTES_MIN);
  const frames = [...allFrames(hart)].sort((a, b) => ((a * 7919) % 4096) - ((b * 7919) % 4096));
  for (const pfn of frames) freeFrame(hart, pfn);
  const free = freeFrameCount(shared);
  expect(allocRun(hart)).toBe(0);
  expect(regroupFrames(hart)).toBe(true);
  expect(freeFrameCount(shared)).toBe(free);
  const runs = new Set<number>();
  for (let run = allocRun(hart); run !== 0; run = allocRun(hart)) runs.add(run);
  expect(runs.size).toBeGreaterThan(2);
  const single = allFrames(hart);
  expect(single.size).toBe(free - runs.size * RUN_FRAMES);
  for (const run of runs) for (let i = 0; i < RUN_FRAMES; i++) expect(single.has(run + i)).toBe(false);
});

test("runs are found again among frames that several harts keep on their lists", () => {
  const { harts, shared } = new MmMachine(3, RAM_BYTES_MIN);
  const frames = [...allFrames(harts[0])];
  frames.forEach((pfn, i) => {
    freeFrame(harts[i % 3], pfn);
  });
  const free = freeFrameCount(shared);
  expect(regroupFrames(harts[1])).toBe(true);
  expect(freeFrameCount(shared)).toBe(free);
  let runs = 0;
  while (allocRun(harts[0]) !== 0) runs++;
  expect(runs).toBe(Math.floor(frames[frames.length - 1] / RUN_FRAMES) - Math.ceil(frames[0] / RUN_FRAMES));
});

test("nothing is regrouped when no run is complete", () => {
  const { hart, shared } = new MmMachine(1, RAM_BYTES_MIN);
  const frames = [...allFrames(hart)];
  for (const pfn of frames) if (pfn % 2 === 0) freeFrame(hart, pfn);
  const free = freeFrameCount(shared);
  expect(regroupFrames(hart)).toBe(false);
  expect(freeFrameCount(shared)).toBe(free);
});

function allFrames(hart: Hart): Set<number> {
  const frames = new Set<number>();
  for (let pfn = allocFrame(hart); pfn !== 0; pfn = allocFrame(hart)) frames.add(pfn);
  return frames;
}
