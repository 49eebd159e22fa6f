// The vma map against a sorted array.

import fc from "fast-check";
import { expect, test } from "vitest";
import { POOL_VMA, POOL_VMA_NODE, VMA_END, VMA_START } from "../../assembly/layout.ts";
import { kmemCacheCounts, kmemCacheFree, kmemCacheLive } from "../../host/memory/slab.ts";
import { vmaAlloc } from "../../host/mm/vma/vma.ts";
import { gapBelow, NO_GAP, vmaFind, vmaFindBelow, vmaWalk } from "../../host/mm/vma/vma-map.ts";
import { VmaMapEdit } from "../../host/mm/vma/vma-map-edit.ts";
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
  kind: fc.constantFrom(
    "insert",
    "insert",
    "insert",
    "erase",
    "erase",
    "again",
    "again",
    "change",
    "end",
    "two",
    "abort",
  ),
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

test("a vma among others goes and comes back, and grows and shrinks, without a new node", () => {
  const machine = new MmMachine();
  const mm = machine.start();
  const { hart } = machine;
  const edit = (change: (map: VmaMapEdit) => boolean) => {
    const map = new VmaMapEdit(hart, mm);
    expect(change(map)).toBe(true);
    map.commit();
  };
  const vmas = Array.from({ length: 60 }, (_, i) => vmaAlloc(hart, mm, 10 * i, 10 * i + 5, 0, 0, 0, 0, 0));
  for (const [i, vma] of vmas.entries()) edit((map) => map.insert(10 * i, 10 * i + 5, vma));
  const allocs = () => kmemCacheCounts(machine.shared, POOL_VMA_NODE).allocs;
  const inPlace = vmas.filter((vma, i) => {
    const nodes = allocs();
    edit((map) => map.erase(10 * i, vma));
    expect(vmaWalk(hart, mm, 10 * i)).toBe(0);
    const wasInPlace = allocs() === nodes;
    const hole = i === 0 || i === 59 ? NO_GAP : 10 * (i - 1) + 5;
    expect(gapBelow(hart, mm, 0, 595, 15)).toBe(hole);
    edit((map) => map.insert(10 * i, 10 * i + 5, vma));
    expect(vmaWalk(hart, mm, 10 * i)).toBe(vma);
    expect(gapBelow(hart, mm, 0, 595, 15)).toBe(NO_GAP);
    return wasInPlace && allocs() === nodes;
  });
  expect(inPlace.length).toBeGreaterThan(30); // all but the first and the last of each leaf
  const nodes = allocs();
  for (const end of [28, 22, 25]) edit((map) => map.change(20, 20, end, vmas[2]));
  expect([vmaWalk(hart, mm, 24), vmaWalk(hart, mm, 25)]).toEqual([vmas[2], 0]);
  expect(allocs()).toBe(nodes);
});

class Model {
  readonly #machine: MmMachine;
  readonly #mm: number;
  #entries: Entry[] = [];
  #erased: Entry = { start: 0, end: 0, vma: 0 };

  constructor(machine: MmMachine) {
    this.#machine = machine;
    this.#mm = machine.start();
  }

  apply(kind: string, at: number, pages: number): void {
    const next = this.#entries.find((entry) => entry.end > at);
    if (kind === "insert") this.#insert(at, at + pages);
    else if (kind === "again") this.#insert(this.#erased.start, this.#erased.end);
    else if (kind === "abort") this.#abort(at, at + pages);
    else if (next === undefined) return;
    else if (kind === "erase") this.#erase(next);
    else if (kind === "two") this.#moveStartOfNext(next);
    else
      this.#resize(
        next,
        kind === "change" ? next.start - pages : next.start,
        kind === "end" ? next.start + pages : next.end,
      );
  }

  #insert(start: number, end: number): void {
    if (end === 0 || this.#entries.some((entry) => entry.start < end && entry.end > start)) return;
    const edit = this.#edit();
    const vma = this.#alloc(start, end);
    expect(edit.insert(start, end, vma)).toBe(true);
    edit.commit();
    this.#entries.push({ start, end, vma });
    this.#entries.sort((a, b) => a.start - b.start);
  }

  #abort(start: number, end: number): void {
    if (this.#entries.some((entry) => entry.start < end && entry.end > start)) return;
    const edit = this.#edit();
    const vma = this.#alloc(start, end);
    expect(edit.insert(start, end, vma)).toBe(true);
    edit.abort();
    kmemCacheFree(this.#machine.hart, POOL_VMA, vma);
  }

  #erase(entry: Entry): void {
    const edit = this.#edit();
    expect(edit.erase(entry.start, entry.vma)).toBe(true);
    edit.commit();
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#erased = entry;
    kmemCacheFree(this.#machine.hart, POOL_VMA, entry.vma);
  }

  /** As far as the neighbours allow. */
  #resize(entry: Entry, start: number, end: number): void {
    const index = this.#entries.indexOf(entry);
    const low = this.#entries[index - 1]?.end ?? 0;
    const high = this.#entries[index + 1]?.start ?? SPAN;
    const edit = this.#edit();
    this.#change(edit, entry, Math.max(low, start), Math.min(high, end));
    edit.commit();
  }

  /** One edit of two changes: the first could have been made in place, had it come alone. */
  #moveStartOfNext(entry: Entry): void {
    const next = this.#entries[this.#entries.indexOf(entry) + 1];
    if (next === undefined || next.end - next.start < 2) return;
    const edit = this.#edit();
    this.#change(edit, next, next.start + 1, next.end);
    this.#change(edit, entry, entry.start, next.start);
    edit.commit();
  }

  #change(edit: VmaMapEdit, entry: Entry, start: number, end: number): void {
    expect(edit.change(entry.start, start, end, entry.vma)).toBe(true);
    entry.start = start;
    entry.end = end;
    this.#machine.shared.set(entry.vma + VMA_START, start);
    this.#machine.shared.set(entry.vma + VMA_END, end);
  }

  #edit(): VmaMapEdit {
    return new VmaMapEdit(this.#machine.hart, this.#mm);
  }

  #alloc(start: number, end: number): number {
    return vmaAlloc(this.#machine.hart, this.#mm, start, end, 0, 0, 0, 0, 0);
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
