// Random sequences of mm calls, on the real mm with a real TLB and on the model: same results, same pages.

import fc from "fast-check";
import { expect, test } from "vitest";
import { HART_BUFFER, PAGE_BYTES } from "../../assembly/layout.ts";
import { doBrk } from "../../host/mm/call/brk.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMincore } from "../../host/mm/call/mincore.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMprotect } from "../../host/mm/call/mprotect.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMm } from "../../host/mm/check-mm.ts";
import {
  MADV_DONTNEED,
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

/** The arena: 40 pages on both sides of a page table's border, so that tables come and go too. */
const ARENA = 0x1000_0000 / PAGE_BYTES - 20;
const VECTOR = 0x2000_0000;
const RUNS = Number(process.env.MM_MODEL_RUNS ?? 1500);
const seed = seedFrom("MM_MODEL_SEED");
const replay = `MM_MODEL_SEED=${seed} npx vitest run --config tests/vitest.config.ts tests/mm/page-model.test.ts`;

const page = fc.integer({ min: 0, max: 39 });
const pages = fc.integer({ min: 1, max: 12 });
const prot = fc.integer({ min: 0, max: 7 });
const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ call: fc.constant("mmap" as const), page, pages, prot, isShared: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("mmap-any" as const), pages, prot, isShared: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant("munmap" as const), page, pages }) },
  { weight: 3, arbitrary: fc.record({ call: fc.constant("mprotect" as const), page, pages, prot }) },
  {
    weight: 3,
    arbitrary: fc.record({
      call: fc.constant("mremap" as const),
      page,
      old: fc.integer({ min: 0, max: 12 }),
      pages: fc.integer({ min: 0, max: 12 }),
      flags: prot,
      target: page,
    }),
  },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("dontneed" as const), page, pages }) },
  { weight: 1, arbitrary: fc.record({ call: fc.constant("brk" as const), pages: fc.integer({ min: -1, max: 30 }) }) },
  { weight: 6, arbitrary: fc.record({ call: fc.constant("store" as const), page, value: fc.nat(1 << 20) }) },
  { weight: 3, arbitrary: fc.record({ call: fc.constant("load" as const), page }) },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

test(`random calls do what they do to a table of pages (replay: ${replay})`, () => {
  let machine = new MmMachine();
  const property = fc.property(fc.array(operation, { minLength: 1, maxLength: 120 }), (operations) => {
    try {
      run(machine, operations);
    } catch (error) {
      machine = new MmMachine(); // the old one is no ground for the attempts to shrink
      throw error;
    }
  });
  fc.assert(property, { seed, numRuns: RUNS, endOnFailure: false });
});

function run(machine: MmMachine, operations: readonly Operation[]): void {
  machine.start();
  const model = new PageModel(MMAP_BASE / PAGE_BYTES, BRK_START / PAGE_BYTES);
  const seen: string[] = [];
  for (const step of operations) {
    const [found, wanted] = apply(machine, model, step);
    seen.push(`${JSON.stringify(step)} = ${found}`);
    const what = seen.join("\n");
    expect(found, `${what}, should be ${wanted}`).toBe(wanted);
    expect(machine.vmas().length, what).toBe(model.vmaCount());
    expect(checkMm(machine.hart, machine.mm), what).toEqual([]);
  }
  comparePages(machine, model, seen.join("\n"));
  expect(machine.finish(), seen.join("\n")).toEqual([]);
}

/** The result of the call and that of the model; addresses as vpns. */
function apply(machine: MmMachine, model: PageModel, step: Operation): [number, number] {
  const { hart, mm } = machine;
  switch (step.call) {
    case "mmap": {
      const flags = MAP_FIXED | MAP_ANONYMOUS | (step.isShared ? MAP_SHARED : MAP_PRIVATE);
      const va = doMmap(hart, mm, address(step.page), bytes(step.pages), step.prot, flags, 0);
      return [vpnOrErrno(va), model.mapFixed(ARENA + step.page, step.pages, step.prot, step.isShared)];
    }
    case "mmap-any": {
      const flags = MAP_ANONYMOUS | (step.isShared ? MAP_SHARED : MAP_PRIVATE);
      const va = doMmap(hart, mm, 0, bytes(step.pages), step.prot, flags, 0);
      return [vpnOrErrno(va), model.mapAnywhere(step.pages, step.prot, step.isShared)];
    }
    case "munmap":
      return [doMunmap(hart, mm, address(step.page), bytes(step.pages)), model.unmap(ARENA + step.page, step.pages)];
    case "mprotect": {
      const result = doMprotect(hart, mm, address(step.page), bytes(step.pages), step.prot);
      return [result, model.protect(ARENA + step.page, step.pages, step.prot)];
    }
    case "mremap": {
      const { flags } = step;
      const va = doMremap(
        hart,
        mm,
        address(step.page),
        bytes(step.old),
        bytes(step.pages),
        flags,
        address(step.target),
      );
      return [vpnOrErrno(va), model.remap(ARENA + step.page, step.old, step.pages, flags, ARENA + step.target)];
    }
    case "dontneed": {
      const result = doMadvise(hart, mm, address(step.page), bytes(step.pages), MADV_DONTNEED);
      return [result, model.dontneed(ARENA + step.page, step.pages)];
    }
    case "brk": {
      const wish = BRK_START + bytes(step.pages);
      return [vpnOrErrno(doBrk(hart, mm, wish)), model.setBrk(wish / PAGE_BYTES)];
    }
    case "store":
      return [machine.store(address(step.page), step.value), model.store(ARENA + step.page, step.value)];
    case "load":
      return [machine.load(address(step.page)), model.load(ARENA + step.page)];
  }
}

/** Residency of every page first, since reading makes pages resident; then the contents. */
function comparePages(machine: MmMachine, model: PageModel, what: string): void {
  const { hart, mm } = machine;
  const vpns = model.vpns();
  const rw = PROT_READ | PROT_WRITE;
  doMmap(hart, mm, VECTOR, PAGE_BYTES, rw, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, 0);
  for (const vpn of vpns) {
    expect(doMincore(hart, mm, vpn * PAGE_BYTES, PAGE_BYTES, VECTOR), what).toBe(0);
    const isResident = machine.shared.u8[hart.base + HART_BUFFER] !== 0;
    expect(isResident, `${what}\nresidency of vpn ${vpn}`).toBe(model.isResident(vpn));
  }
  for (const vpn of vpns) {
    expect(machine.load(vpn * PAGE_BYTES), `${what}\ncontents of vpn ${vpn}`).toBe(model.load(vpn));
  }
}

function address(arenaPage: number): number {
  return (ARENA + arenaPage) * PAGE_BYTES;
}

function bytes(count: number): number {
  return count * PAGE_BYTES;
}

function vpnOrErrno(result: number): number {
  return result < 0 ? result : result / PAGE_BYTES;
}
