// The vma map against a sorted array.

import fc from "fast-check";
import { expect, test } from "vitest";
import { POOL_VMA, POOL_VMA_NODE, VMA_END, VMA_START } from "../../assembly/layout.ts";
import { kmemCacheFree, kmemCacheLive } from "../../host/memory/slab.ts";
import { vmaAlloc } from "../../host/mm/vma.ts";
import { gapBelow, NO_GAP, vmaFind, vmaFindBelow } from "../../host/mm/vma-map.ts";
import { VmaMapEdit } from "../../host/mm/vma-map-edit.ts";
import { seedFrom } from "../support/seeds.ts";
import { MmMachine } from "./harness.ts";

interface Entry {
  start: number;
  end: number;
  vma: number;
}

const SPAN = 4000;
const seed = seedFrom("VMA_MAP_SEED");
const replay = `VMA_MAP_SEED=${seed} npx vitest run --config tests/vitest.config.ts tests/mm/vma-map.test.ts`;

const operation = fc.record({
  kind: fc.constantFrom("insert", "insert", "insert", "erase", "change", "abort"),
  at: fc.nat(SPAN),
  pages: fc.integer({ min: 1, max: 20 }),
});

test(`find, neighbours and gaps are those of a sorted array (replay: ${replay})`, () => {
  const machine = new MmMachine();
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 400 }), (operations) => {
      const map = new Model(machine);
      for (const { kind, at, pages } of operations) map.apply(kind, at, pages);
      map.check();
      expect(map.finish()).toEqual([]);
    }),
    { seed, numRuns: 60 },
  );
});

test("one change at a time: a second edit while one is open is a bug, and no longer one when that has ended", () => {
  const machine = new MmMachine();
  const mm = machine.start();
  const first = new VmaMapEdit(machine.hart, mm);
  expect(() => new VmaMapEdit(machine.hart, mm)).toThrow("already being edited");
  first.abort();
  new VmaMapEdit(machine.hart, mm).commit();
  expect(machine.finish()).toEqual([]);
});

test("65,530 mappings: every one is found, and the highest gap among them", () => {
  const machine = new MmMachine();
  const mm = machine.start();
  const { hart } = machine;
  const count = 65_530;
  for (let i = count; i > 0; i--) {
    const edit = new VmaMapEdit(hart, mm);
    edit.insert(i * 3, i * 3 + 2, vmaAlloc(hart, mm, i * 3, i * 3 + 2, 0, 0, 0, 0, 0));
    edit.commit();
    if (i % 1000 === 0) machine.drainRcu();
  }
  machine.drainRcu();
  const wrong: number[] = [];
  for (let i = 2; i <= count; i++) {
    const found = hart.shared.get(vmaFind(hart, mm, i * 3 - 1) + VMA_START);
    const below = hart.shared.get(vmaFindBelow(hart, mm, i * 3) + VMA_END);
    if (found !== i * 3 || below !== i * 3 - 1) wrong.push(i);
  }
  expect(wrong).toEqual([]);
  const top = count * 3 + 2;
  expect(gapBelow(hart, mm, 0, top, 1)).toBe(count * 3 - 1);
  expect(gapBelow(hart, mm, 3, top, 2)).toBe(NO_GAP);
  expect(gapBelow(hart, mm, 0, top, 3)).toBe(0);
  expect(kmemCacheLive(machine.shared, POOL_VMA_NODE)).toBeLessThan(16_384);
});

class Model {
  readonly #machine: MmMachine;
  readonly #mm: number;
  #entries: Entry[] = [];

  constructor(machine: MmMachine) {
    this.#machine = machine;
    this.#mm = machine.start();
  }

  apply(kind: string, at: number, pages: number): void {
    const next = this.#entries.find((entry) => entry.end > at);
    const adds = kind === "insert" || kind === "abort";
    if (adds ? next !== undefined && next.start < at + pages : next === undefined) return;
    const edit = new VmaMapEdit(this.#machine.hart, this.#mm);
    if (adds) {
      const vma = vmaAlloc(this.#machine.hart, this.#mm, at, at + pages, 0, 0, 0, 0, 0);
      expect(edit.insert(at, at + pages, vma)).toBe(true);
      if (kind === "abort") {
        edit.abort();
        kmemCacheFree(this.#machine.hart, POOL_VMA, vma);
        return;
      }
      this.#entries.push({ start: at, end: at + pages, vma });
      this.#entries.sort((a, b) => a.start - b.start);
    } else if (next === undefined) {
      throw new Error("nothing to change");
    } else if (kind === "erase") {
      expect(edit.erase(next.start, next.vma)).toBe(true);
      this.#entries = this.#entries.filter((entry) => entry !== next);
      kmemCacheFree(this.#machine.hart, POOL_VMA, next.vma);
    } else {
      const low = this.#entries.filter((entry) => entry.end <= next.start).at(-1)?.end ?? 0;
      const start = Math.max(low, next.start - pages);
      expect(edit.change(next.start, start, next.end, next.vma)).toBe(true);
      next.start = start;
      this.#machine.shared.set(next.vma + VMA_START, start);
    }
    edit.commit();
  }

  check(): void {
    const { hart } = this.#machine;
    for (let vpn = 0; vpn < SPAN + 30; vpn += 3) {
      const above = this.#entries.find((entry) => entry.end > vpn)?.vma ?? 0;
      const below = this.#entries.findLast((entry) => entry.start < vpn)?.vma ?? 0;
      expect([vmaFind(hart, this.#mm, vpn), vmaFindBelow(hart, this.#mm, vpn)], `vpn ${vpn}`).toEqual([above, below]);
    }
    for (const [low, high] of [
      [0, SPAN + 30],
      [100, 3000],
      [2000, 2100],
    ]) {
      for (const pages of [1, 2, 5, 19, 100, 5000]) {
        expect(gapBelow(hart, this.#mm, low, high, pages), `${low} ${high} ${pages}`).toBe(this.#gap(low, high, pages));
      }
    }
  }

  finish(): string[] {
    for (const { start, vma } of this.#entries) {
      const edit = new VmaMapEdit(this.#machine.hart, this.#mm);
      edit.erase(start, vma);
      edit.commit();
      kmemCacheFree(this.#machine.hart, POOL_VMA, vma);
    }
    this.#entries = [];
    return this.#machine.finish();
  }

  #gap(low: number, high: number, pages: number): number {
    for (let start = high - pages; start >= low; start--) {
      if (!this.#entries.some((entry) => entry.start < start + pages && entry.end > start)) return start;
    }
    return NO_GAP;
  }
}
