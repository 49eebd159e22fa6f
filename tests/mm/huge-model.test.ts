// Random sequences of mm calls over 2 MiB pages, on the real mm with two real TLBs and on the model of single pages:
// leaves come, are split, collapsed, shared by fork and swapped out, and nobody can tell. What the second hart reaches
// by the translations that it has, without any fault, must be what the model says.

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  COUNTER_THP_FAULT_ALLOC,
  COUNTER_THP_SPLIT_PMD,
  HART_COUNTERS,
  PAGE_BYTES,
  RUN_FRAMES,
} from "../../assembly/layout.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { regroupFrames } from "../../host/mm/frame/frame-runs.ts";
import { mmput } from "../../host/mm/mm.ts";
import { shrinkMemory } from "../../host/mm/reclaim/vmscan.ts";
import {
  MADV_COLLAPSE,
  MADV_DONTNEED,
  MADV_HUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import { seedFrom } from "../support/seeds.ts";
import { BRK_START, MMAP_BASE, MmMachine } from "./harness.ts";
import { PageModel } from "./page-model.ts";

const ARENA = 0x4000_0000 / PAGE_BYTES;
const RUNS = Number(process.env.HUGE_MODEL_RUNS ?? 25);
const seed = seedFrom("HUGE_MODEL_SEED");
const replay = `HUGE_MODEL_SEED=${seed} npx vitest run --config tests/vitest.config.ts tests/mm/huge-model.test.ts`;

/** Near the edges of four leaves, and in their middle. */
const page = fc
  .record({ leaf: fc.integer({ min: 0, max: 3 }), at: fc.constantFrom(0, 0, 0, 1, 256, 511) })
  .map(({ leaf, at }) => ARENA + leaf * RUN_FRAMES + at);
const leafPage = fc.integer({ min: 0, max: 3 }).map((leaf) => ARENA + leaf * RUN_FRAMES);
const pages = fc.constantFrom(1, 2, 255, 511, 512, 512, 513, 1024);
const rw = PROT_READ | PROT_WRITE;
const prot = fc.constantFrom(rw, rw, rw, PROT_READ, 0, 7);
const value = fc.integer({ min: 1, max: 1 << 20 });
const operation = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      call: fc.constant("mmap" as const),
      page,
      pages,
      prot,
      isShared: fc.constantFrom(0, 0, 0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("munmap" as const), page, pages }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant("mprotect" as const), page, pages, prot }) },
  {
    weight: 1,
    arbitrary: fc.record({
      call: fc.constant("mremap" as const),
      page,
      pages,
      flags: fc.constantFrom(1, 3),
      target: page,
    }),
  },
  {
    weight: 2, // leaves as they are
    arbitrary: fc.record({
      call: fc.constant("mremap" as const),
      page: leafPage,
      pages: fc.constantFrom(RUN_FRAMES, RUN_FRAMES + 7),
      flags: fc.constant(3),
      target: leafPage,
    }),
  },
  { weight: 2, arbitrary: fc.record({ call: fc.constant("dontneed" as const), page, pages }) },
  { weight: 4, arbitrary: fc.record({ call: fc.constant("collapse" as const), leaf: fc.integer({ min: 0, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("reclaim" as const), pages }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("fork" as const) }) },
  { weight: 8, arbitrary: fc.record({ call: fc.constant("store" as const), page, value }) },
  { weight: 4, arbitrary: fc.record({ call: fc.constant("load" as const), page }) },
  { weight: 8, arbitrary: fc.record({ call: fc.constant("peek" as const), page }) },
  { weight: 4, arbitrary: fc.record({ call: fc.constant("poke" as const), page, value }) },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface Child {
  readonly mm: number;
  readonly values: Map<number, number>;
}

test(`leaves of 2 MiB do what single pages do (replay: ${replay})`, { timeout: 240_000 }, () => {
  let machine = newMachine();
  const property = fc.property(fc.array(operation, { minLength: 1, maxLength: 60, size: "max" }), (operations) => {
    try {
      run(machine, operations);
    } catch (error) {
      machine = newMachine(); // the old one is no ground for the attempts to shrink
      throw error;
    }
  });
  fc.assert(property, { seed, numRuns: RUNS, endOnFailure: false });
  const { hart } = machine;
  // The test has met what it is about.
  for (const counter of [COUNTER_THP_FAULT_ALLOC, COUNTER_THP_SPLIT_PMD]) {
    expect(hart.get(HART_COUNTERS + counter)).toBeGreaterThan(0);
  }
});

function newMachine(): MmMachine {
  const machine = new MmMachine(2);
  machine.useSwap(1 << 15);
  return machine;
}

function run(machine: MmMachine, operations: readonly Operation[]): void {
  machine.start();
  const model = new PageModel(MMAP_BASE / PAGE_BYTES, BRK_START / PAGE_BYTES);
  regroupFrames(machine.hart);
  map(machine, model, ARENA, 4 * RUN_FRAMES, rw, false);
  const children: Child[] = [];
  const seen: string[] = [];
  for (const step of operations) {
    const [found, wanted] = apply(machine, model, children, step);
    seen.push(`${JSON.stringify(step)} = ${found}`);
    const what = seen.join("\n");
    expect(found, `${what}, should be ${wanted}`).toBe(wanted);
    expect(machine.vmas().length, what).toBe(model.vmaCount());
    expect(checkMms(machine.hart, [machine.mm, ...children.map(({ mm }) => mm)]), what).toEqual([]);
  }
  const what = seen.join("\n");
  for (const vpn of model.vpns()) expect(machine.load(vpn * PAGE_BYTES), `${what}\n${vpn}`).toBe(model.load(vpn));
  const parent = machine.mm;
  for (const { mm, values } of children) {
    machine.enter(mm);
    for (const [vpn, word] of values) expect(machine.load(vpn * PAGE_BYTES), `${what}\nchild, ${vpn}`).toBe(word);
    machine.enter(parent);
    mmput(machine.hart, mm);
  }
  expect(machine.finish(), what).toEqual([]);
}

/** The result of the call and that of the model; addresses as vpns. */
function apply(machine: MmMachine, model: PageModel, children: Child[], step: Operation): [number, number] {
  const { hart, mm } = machine;
  const other = machine.harts[1];
  switch (step.call) {
    case "mmap":
      return map(machine, model, step.page, step.pages, step.prot, step.isShared === 1);
    case "munmap":
      return [doMunmap(hart, mm, bytes(step.page), bytes(step.pages)), model.unmap(step.page, step.pages)];
    case "mprotect": {
      const result = doMprotect(hart, mm, bytes(step.page), bytes(step.pages), step.prot);
      return [result, model.protect(step.page, step.pages, step.prot)];
    }
    case "mremap": {
      // With a target as far away as fits: never in place, never partly over itself.
      const flags = step.flags | 2;
      const size = bytes(step.pages);
      const va = doMremap(hart, mm, bytes(step.page), size, size, flags, bytes(step.target));
      return [vpnOrErrno(va), model.remap(step.page, step.pages, step.pages, flags, step.target)];
    }
    case "dontneed": {
      const result = doMadvise(hart, mm, bytes(step.page), bytes(step.pages), MADV_DONTNEED);
      return [result, model.dontneed(step.page, step.pages)];
    }
    case "collapse":
      doMadvise(hart, mm, bytes(ARENA + step.leaf * RUN_FRAMES), bytes(RUN_FRAMES), MADV_COLLAPSE);
      return [0, 0];
    case "reclaim":
      shrinkMemory(hart, step.pages);
      return [0, 0];
    case "fork": {
      if (children.length === 2) return [0, 0];
      const child = dupMm(hart, mm);
      children.push({ mm: child, values: model.privateValues() });
      return [child === 0 ? 0 : 1, 1];
    }
    case "store":
      return [machine.store(bytes(step.page), step.value), model.store(step.page, step.value)];
    case "load":
      return [machine.load(bytes(step.page)), model.load(step.page)];
    case "peek": {
      const word = machine.peek(bytes(step.page), other);
      return word === null ? [0, 0] : [word, model.load(step.page)];
    }
    case "poke": {
      const stored = other.core.userStore32(bytes(step.page), step.value) !== 0;
      return stored ? [0, model.store(step.page, step.value)] : [0, 0];
    }
  }
}

function map(
  { hart, mm }: MmMachine,
  model: PageModel,
  vpn: number,
  count: number,
  prot: number,
  isShared: boolean,
): [number, number] {
  const flags = MAP_FIXED | MAP_ANONYMOUS | (isShared ? MAP_SHARED : MAP_PRIVATE);
  const va = doMmap(hart, mm, bytes(vpn), bytes(count), prot, flags, 0);
  // All of the arena has the advice, so that it splits no vma.
  doMadvise(hart, mm, bytes(vpn), bytes(count), MADV_HUGEPAGE);
  return [vpnOrErrno(va), model.mapFixed(vpn, count, prot, isShared)];
}

function bytes(count: number): number {
  return count * PAGE_BYTES;
}

function vpnOrErrno(result: number): number {
  return result < 0 ? result : result / PAGE_BYTES;
}
