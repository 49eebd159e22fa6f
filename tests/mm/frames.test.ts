// Frames: where they come from, where they go, and that none is lost or handed out twice.

import { expect, test } from "vitest";
import { RAM_BYTES_MIN } from "../../assembly/layout.ts";
import { allocFrame, freeFrameCount } from "../../host/mm/frame/frames.ts";
import { freeFrame } from "../../host/mm/frame/page-refs.ts";
import { MmMachine } from "./harness.ts";

test("untouched frames are handed out in ascending order", () => {
  const { hart } = new MmMachine();
  const frames = Array.from({ length: 100 }, () => allocFrame(hart));
  expect(frames).toEqual(frames.map((_, i) => frames[0] + i));
});

test("frames stay with the hart that freed them, whatever another one takes and frees meanwhile", () => {
  const { harts } = new MmMachine(2);
  const [one, two] = harts;
  const own = Array.from({ length: 100 }, () => allocFrame(one));
  const others = Array.from({ length: 100 }, () => allocFrame(two));
  for (const pfn of own) freeFrame(one, pfn);
  for (const pfn of others) freeFrame(two, pfn);
  const again = Array.from({ length: 100 }, () => allocFrame(two));
  expect(new Set(again)).toEqual(new Set(others));
});

test("out of memory means that no hart has a free frame left", () => {
  const { harts, shared } = new MmMachine(3, RAM_BYTES_MIN);
  const [one, two, three] = harts;
  // Each of the other harts keeps a few frames on its own list.
  for (const hart of [two, three]) freeFrame(hart, allocFrame(hart));
  const free = freeFrameCount(shared);
  const taken = new Set<number>();
  for (let pfn = allocFrame(one); pfn !== 0; pfn = allocFrame(one)) taken.add(pfn);
  expect(taken.size).toBe(free);
  expect(freeFrameCount(shared)).toBe(0);
  expect(allocFrame(two)).toBe(0);
  for (const pfn of taken) freeFrame(three, pfn);
  expect(freeFrameCount(shared)).toBe(free);
  expect(allocFrame(two)).not.toBe(0);
});
