// Trees of vmas by page offset, against a list that is searched from end to end.

import fc from "fast-check";
import { expect, test } from "vitest";
import { RMAP_SEQ, VMA_BASE, VMA_BYTES, VMA_END, VMA_PGOFF, VMA_RMAP_FILE, VMA_START } from "../../assembly/layout.ts";
import { intervalInsert, intervalNext, intervalRemove } from "../../host/mm/rmap/interval-tree.ts";
import { seedFrom } from "../support/seeds.ts";
import { MmMachine } from "./harness.ts";

const seed = seedFrom("INTERVAL_SEED");
const replay = `INTERVAL_SEED=${seed} npx vitest run --config tests/vitest.config.ts tests/mm/interval-tree.test.ts`;
const { hart } = new MmMachine();
const ROOT = hart.base + 640;

interface Area {
  readonly vma: number;
  readonly first: number;
  readonly last: number;
  readonly seq: number;
}

function overlapping(first: number, last: number): number[] {
  const found: number[] = [];
  for (let vma = 0; ; ) {
    vma = intervalNext(hart, ROOT, VMA_RMAP_FILE, first, last, vma);
    if (vma === 0) return found;
    found.push(vma);
  }
}

function insert(areas: Area[], first: number, pages: number, seq: number): void {
  const vma = VMA_BASE + seq * VMA_BYTES;
  hart.shared.set(vma + VMA_PGOFF, first);
  hart.shared.set(vma + VMA_START, 1000);
  hart.shared.set(vma + VMA_END, 1000 + pages);
  intervalInsert(hart, ROOT, VMA_RMAP_FILE, vma, seq);
  areas.push({ vma, first, last: first + pages - 1, seq });
}

const operation = fc.record({
  kind: fc.constantFrom("insert", "insert", "insert", "remove"),
  first: fc.nat(60),
  pages: fc.integer({ min: 1, max: 20 }),
  pick: fc.nat(1000),
});

test(`insertions, removals and searches are those of a list (replay: ${replay})`, () => {
  const property = fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
    hart.shared.set(ROOT, 0);
    const areas: Area[] = [];
    let seq = 0;
    for (const { kind, first, pages, pick } of operations) {
      if (kind === "insert") insert(areas, first, pages, ++seq);
      else if (areas.length > 0) {
        const [gone] = areas.splice(pick % areas.length, 1);
        intervalRemove(hart, ROOT, VMA_RMAP_FILE, gone.vma);
        expect(hart.shared.get(gone.vma + VMA_RMAP_FILE + RMAP_SEQ)).toBe(0);
      }
      const last = first + pages - 1;
      const wanted = areas
        .filter((area) => area.first <= last && area.last >= first)
        .sort((a, b) => a.first - b.first || a.seq - b.seq);
      expect(overlapping(first, last)).toEqual(wanted.map(({ vma }) => vma));
    }
  });
  fc.assert(property, { seed, numRuns: 500 });
});

test("10,000 mappings of one page are found one by one, and one of many in few steps", () => {
  hart.shared.set(ROOT, 0);
  const areas: Area[] = [];
  for (let seq = 1; seq <= 10_000; seq++) insert(areas, (seq * 7919) % 10_007, 1, seq);
  for (const area of areas) expect(overlapping(area.first, area.first)).toEqual([area.vma]);
  expect(overlapping(0, 20_000).length).toBe(10_000);
});
