// References: the last one frees the frame, and nothing of its earlier life is left.

import { expect, test } from "vitest";
import { PAGE_CODE_GENERATION, PAGE_GENERATION } from "../../assembly/layout.ts";
import { KernelBug } from "../../host/memory/errors.ts";
import { allocFrame, freeFrameCount } from "../../host/mm/frame/frames.ts";
import { pageOf } from "../../host/mm/frame/page.ts";
import { freeFrame, getPage, putPage } from "../../host/mm/frame/page-refs.ts";
import { MmMachine } from "./harness.ts";

test("a freed frame gets new generations, and what is decoded or cached of it is void", () => {
  const { hart, shared } = new MmMachine();
  const pfn = allocFrame(hart);
  const before = [PAGE_GENERATION, PAGE_CODE_GENERATION].map((field) => shared.get(pageOf(pfn) + field));
  freeFrame(hart, pfn);
  expect([PAGE_GENERATION, PAGE_CODE_GENERATION].map((field) => shared.get(pageOf(pfn) + field))).toEqual(
    before.map((generation) => generation + 1),
  );
});

test("the last reference frees a frame; one more is a bug, and so is freeing twice", () => {
  const { hart, shared } = new MmMachine();
  const pfn = allocFrame(hart);
  const free = freeFrameCount(shared);
  getPage(hart, pfn);
  putPage(hart, pfn);
  expect(freeFrameCount(shared)).toBe(free);
  putPage(hart, pfn);
  expect(freeFrameCount(shared)).toBe(free + 1);
  expect(() => putPage(hart, pfn)).toThrow(KernelBug);
  expect(() => freeFrame(hart, pfn)).toThrow(KernelBug);
});
