// No address may hit an entry that is not its own: not through bits above 38, not through the page-offset bits where
// a tag holds privilege and ASID, not through the marker of an empty entry. Every access is compared with what the
// page tables say, in two address spaces at two privileges, with all sizes and alignments. Replay a failure: SEED=n
// npx vitest run --config tests/vitest.config.ts tests/assembly/mmu/tlb-forge.test.ts

import { expect, test } from "vitest";
import { ASID_ANY, PAGE_BYTES, PRIV_SUPERVISOR, PRIV_USER, PTE_G, PTE_U } from "../../../assembly/layout.ts";
import { Random, READ_WRITE, seedOf, TestHart } from "./machine.ts";

const SIZES = [1, 2, 4, 8];
const U64 = (1n << 64n) - 1n;

interface Space {
  asid: number;
  root: number;
  frames: Map<bigint, number>; // page address -> pfn
  user: Set<bigint>;
}

function makeSpace(hart: TestHart, random: Random, asid: number, pages: bigint[]): Space {
  const space: Space = { asid, root: hart.frame(), frames: new Map(), user: new Set() };
  for (const page of pages) {
    if (random.chance(25)) continue; // the other space alone may have it
    const pfn = hart.frame();
    for (let i = 0; i < PAGE_BYTES; i += 4) hart.words[(pfn * PAGE_BYTES + i) >>> 2] = random.below(2 ** 32);
    const user = random.chance(60);
    hart.map(page, pfn, (READ_WRITE & ~PTE_U) | (user ? PTE_U : 0) | (random.chance(10) ? PTE_G : 0), 0, space.root);
    space.frames.set(page, pfn);
    if (user) space.user.add(page);
  }
  return space;
}

/** What the page tables give for the bytes at va, or undefined for a fault. */
function expected(hart: TestHart, space: Space, privilege: number, va: bigint, bytes: number): bigint | undefined {
  let value = 0n;
  for (let i = 0; i < bytes; i++) {
    const at = (va + BigInt(i)) & U64;
    const page = at & ~0xfffn;
    const pfn = space.frames.get(page);
    if (pfn === undefined || space.user.has(page) !== (privilege === PRIV_USER)) return undefined;
    value |= BigInt(hart.bytes[pfn * PAGE_BYTES + Number(at & 0xfffn)]) << BigInt(8 * i);
  }
  return value;
}

/** Mostly a mapped page, with bits turned where a careless compare does not look. */
function forge(random: Random, pages: bigint[]): bigint {
  let va = random.pick(pages);
  const kind = random.below(100);
  if (kind < 50) va ^= random.bits64() << 39n;
  else if (kind < 65) va ^= 1n << BigInt(random.below(64));
  else if (kind < 70) va = U64 << BigInt(random.below(64));
  else if (kind < 73) va = random.bits64();
  va = (va & ~0xfffn) | BigInt(random.below(PAGE_BYTES));
  if (random.chance(20)) va |= 7n;
  if (random.chance(20)) va |= 0xff8n;
  return va & U64;
}

test("a forged address never hits, in two address spaces and at two privileges", () => {
  const seed = seedOf("tlb, forged addresses");
  const random = new Random(seed);
  let hits = 0;
  let faults = 0;
  for (let round = 0; round < 12; round++) {
    const hart = new TestHart({ tlbEntries: 1 << random.below(9) });
    const pages = Array.from({ length: 24 }, () => BigInt.asUintN(64, BigInt.asIntN(39, random.bits64())) & ~0xfffn);
    pages.push(0n, 0x1000n, 0x3f_ffff_f000n, 0xffff_ffc0_0000_0000n, U64 & ~0xfffn);
    const second = random.pick([1, 2, 4, 127, 128, 253]);
    // Two spaces under one ASID would rightly share translations (drawn so, one run in sixty failed).
    const asids = [random.pick([0, 254, random.below(255)].filter((first) => first !== second)), second];
    const spaces = asids.map((asid) => makeSpace(hart, random, asid, pages));
    for (let i = 0; i < 6000; i++) {
      const space = random.pick(spaces);
      const privilege = random.chance(60) ? PRIV_USER : PRIV_SUPERVISOR;
      hart.switchTo(space.root, space.asid, privilege);
      const va = forge(random, pages);
      const bytes = random.pick(SIZES);
      const place = `asid ${space.asid} priv ${privilege} va ${va.toString(16)} bytes ${bytes}`;
      const context = `SEED=${seed} round ${round} ${place}`;
      const right = expected(hart, space, privilege, va, bytes);
      if (random.chance(40) && right !== undefined) {
        const value = random.bits64() & ((1n << BigInt(8 * bytes)) - 1n);
        expect(hart.store(va, value, bytes), context).toBe(true);
        expect(expected(hart, space, privilege, va, bytes), context).toBe(value);
      } else if (random.chance(30)) {
        expect(hart.store(va, right ?? 0n, bytes), context).toBe(right !== undefined);
      } else {
        expect(hart.load(va, bytes), context).toBe(right);
      }
      if (right === undefined) faults++;
      else hits++;
      if (random.chance(1)) hart.exports.flushPage(va, random.pick([...asids, ASID_ANY]));
    }
  }
  console.log(`tlb, forged addresses: ${hits} translated, ${faults} refused`);
  expect(hits).toBeGreaterThan(5000);
  expect(faults).toBeGreaterThan(5000);
});

test("no access equals the marker of an empty entry", () => {
  for (const asid of [0, 1, 127, 253, 254]) {
    for (const privilege of [PRIV_USER, PRIV_SUPERVISOR]) {
      const hart = new TestHart({ tlbEntries: 1 });
      hart.switchTo(hart.root, asid, privilege);
      for (let upper = 0n; upper <= 64n; upper++) {
        for (const low of [0n, 1n, 3n, 7n, 0x7f8n, 0x7ffn, 0xff0n, 0xff8n, 0xffcn, 0xffen, 0xfffn]) {
          const va = ((U64 << upper) & ~0xfffn & U64) | low;
          for (const bytes of SIZES) {
            expect(hart.load(va, bytes), `${va.toString(16)} ${bytes}`).toBe(undefined);
            expect(hart.store(va, 0n, bytes), `${va.toString(16)} ${bytes}`).toBe(false);
          }
          expect(hart.exports.fetchAddress(va)).toBe(0);
        }
      }
    }
  }
});
