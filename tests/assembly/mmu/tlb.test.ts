// The TLB is real: what is in it stays in it until a fence drops it, and a fence drops what the manual says.

import { expect, test } from "vitest";
import {
  ACCESS_LOAD,
  ACCESS_STORE,
  ASID_ANY,
  CAUSE_LOAD_PAGE_FAULT,
  COUNTER_PTW,
  COUNTER_TLB_FLUSH_ALL,
  COUNTER_TLB_FLUSH_ONE,
  COUNTER_TLB_MISS,
  PAGE_BYTES,
  PRIV_SUPERVISOR,
  PRIV_USER,
  PTE_A,
  PTE_D,
  PTE_G,
  PTE_R,
  PTE_U,
  PTE_V,
  PTE_W,
  RAM_PFN_BASE,
} from "../../../assembly/layout.ts";
import { NO_CAUSE, READ_ONLY, READ_WRITE, TestHart } from "./machine.ts";

const PAGE = BigInt(PAGE_BYTES);
const VA = 0x10_0000_0000n;
const ASID = 5;

/** A page whose first word is `value`, mapped at va. */
function mapValue(hart: TestHart, va: bigint, value: bigint, flags = READ_WRITE, root = hart.root): number {
  const pfn = hart.frame();
  hart.doubles[(pfn * PAGE_BYTES) >>> 3] = value;
  return hart.map(va, pfn, flags, 0, root);
}

/** Loads without a walk, that is from the TLB. */
function isCached(hart: TestHart, va: bigint): boolean {
  const walks = hart.counter(COUNTER_PTW);
  hart.load(va);
  return hart.counter(COUNTER_PTW) === walks;
}

test("a cleared PTE still translates until its page is flushed", () => {
  const hart = new TestHart();
  const pte = mapValue(hart, VA, 7n);
  expect(hart.load(VA)).toBe(7n);
  hart.doubles[pte >>> 3] = 0n;
  expect(hart.load(VA)).toBe(7n);
  expect(hart.store(VA, 8n)).toBe(true); // D was set and W is there: one fill serves both
  expect(hart.load(VA)).toBe(8n);
  hart.exports.flushVa(Number(VA));
  expect(hart.causeOf(() => hart.exports.loadGuest(VA, 8))).toBe(CAUSE_LOAD_PAGE_FAULT);
});

test("a write to a page that was only read walks once more, to set D", () => {
  const hart = new TestHart();
  const pte = mapValue(hart, VA, 7n, PTE_V | PTE_R | PTE_W | PTE_U);
  hart.load(VA);
  expect(hart.pte(pte) & (PTE_A | PTE_D)).toBe(PTE_A);
  hart.store(VA, 1n);
  expect(hart.pte(pte) & (PTE_A | PTE_D)).toBe(PTE_A | PTE_D);
  hart.store(VA, 2n);
  expect(hart.counter(COUNTER_PTW)).toBe(2);
  expect(hart.counter(COUNTER_TLB_MISS)).toBe(2);
});

test("write permission that was taken away in the PTE remains until flushed", () => {
  const hart = new TestHart();
  const pte = mapValue(hart, VA, 7n);
  hart.store(VA, 1n);
  hart.words[pte >>> 2] &= ~PTE_W;
  expect(hart.store(VA, 2n)).toBe(true);
  hart.exports.flushVaAsid(Number(VA), 0);
  expect(hart.store(VA, 3n)).toBe(false);
  expect(hart.load(VA)).toBe(2n);
});

interface Cached {
  own: boolean;
  neighbour: boolean;
  otherAsid: boolean;
  global: boolean;
}

/** Two address spaces and a global page, all cached; then the flush; then what is still cached. */
function afterFlush(flush: (hart: TestHart) => void): Cached {
  const hart = new TestHart({ tlbEntries: 64 });
  const pages = { own: VA, neighbour: VA + PAGE, otherAsid: VA + 2n * PAGE, global: VA + 3n * PAGE };
  const first = hart.root;
  const second = hart.frame();
  mapValue(hart, pages.own, 1n);
  mapValue(hart, pages.neighbour, 2n);
  mapValue(hart, pages.otherAsid, 3n, READ_WRITE, second);
  mapValue(hart, pages.global, 4n, READ_WRITE | PTE_G);
  const look = (asid: number, root: number, va: bigint) => {
    hart.switchTo(root, asid);
    return isCached(hart, va);
  };
  const lookAll = (): Cached => ({
    own: look(ASID, first, pages.own),
    neighbour: look(ASID, first, pages.neighbour),
    otherAsid: look(6, second, pages.otherAsid),
    global: look(ASID, first, pages.global),
  });
  lookAll();
  expect(lookAll()).toEqual({ own: true, neighbour: true, otherAsid: true, global: true });
  flush(hart);
  return lookAll();
}

test("sfence.vma x0, x0 drops everything", () => {
  expect(afterFlush((hart) => hart.exports.flushAll())).toEqual({
    own: false,
    neighbour: false,
    otherAsid: false,
    global: false,
  });
});

test("sfence.vma x0, asid drops one address space and keeps global pages", () => {
  const kept = { neighbour: false, otherAsid: true, global: true };
  expect(afterFlush((hart) => hart.exports.flushAsid(ASID))).toEqual({ own: false, ...kept });
});

test("sfence.vma va, x0 drops that page for every ASID, also if it is global", () => {
  expect(afterFlush((hart) => hart.exports.flushVa(Number(VA)))).toEqual({
    own: false,
    neighbour: true,
    otherAsid: true,
    global: true,
  });
  const other = afterFlush((hart) => hart.exports.flushVa(Number(VA + 2n * PAGE)));
  expect(other).toEqual({ own: true, neighbour: true, otherAsid: false, global: true });
  const global = afterFlush((hart) => hart.exports.flushVa(Number(VA + 3n * PAGE) + 123));
  expect(global).toEqual({ own: true, neighbour: true, otherAsid: true, global: false });
});

test("sfence.vma va, asid drops that page of that address space, and no global page", () => {
  const all = { own: true, neighbour: true, otherAsid: true, global: true };
  expect(afterFlush((hart) => hart.exports.flushVaAsid(Number(VA), ASID))).toEqual({ ...all, own: false });
  expect(afterFlush((hart) => hart.exports.flushVaAsid(Number(VA), 6))).toEqual(all);
  expect(afterFlush((hart) => hart.exports.flushVaAsid(Number(VA + 3n * PAGE), ASID))).toEqual(all);
});

test("a range flush drops its pages only, short or longer than the TLB", () => {
  const vpn = Number(VA >> 12n);
  const all = { own: true, neighbour: true, otherAsid: true, global: true };
  expect(afterFlush((hart) => hart.exports.flushRange(vpn, 1, ASID))).toEqual({ ...all, own: false });
  expect(afterFlush((hart) => hart.exports.flushRange(vpn + 1, 1, ASID))).toEqual({ ...all, neighbour: false });
  expect(afterFlush((hart) => hart.exports.flushRange(vpn, 4, ASID))).toEqual({ ...all, own: false, neighbour: false });
  expect(afterFlush((hart) => hart.exports.flushRange(vpn + 1, 100_000, 6))).toEqual({ ...all, otherAsid: false });
  const none = { own: false, neighbour: false, otherAsid: false, global: false };
  expect(afterFlush((hart) => hart.exports.flushRange(vpn, 4, ASID_ANY))).toEqual(none);
  expect(afterFlush((hart) => hart.exports.flushRange(vpn - 50, 100_000, ASID_ANY))).toEqual(none);
  expect(afterFlush((hart) => hart.exports.flushRange(vpn - 50, 50, ASID_ANY))).toEqual(all);
  expect(afterFlush((hart) => hart.exports.flushRange(vpn, 0, ASID_ANY))).toEqual(all);
});

test("a range in the upper half, by its 27-bit vpn, reaches the kernel's pages", () => {
  const hart = new TestHart();
  const va = 0xffff_ffc0_0000_3000n;
  mapValue(hart, va, 9n);
  hart.load(va);
  expect(isCached(hart, va)).toBe(true);
  hart.exports.flushRange((1 << 26) + 3, 1, ASID_ANY);
  expect(isCached(hart, va)).toBe(false);
  hart.exports.flushVa(-(2 ** 38) + 0x3000); // the same address as a signed number
  expect(isCached(hart, va)).toBe(false);
  hart.exports.flushVa(Number(va)); // and as an unsigned one: page addresses are exact
  expect(isCached(hart, va)).toBe(false);
});

test.each([
  ["2 MiB", 1, RAM_PFN_BASE + 1024, 0x8000_0000n, 1n << 21n],
  ["1 GiB", 2, 0, 0xc000_0000n, 1n << 30n],
])("a flush anywhere in a %s page drops every fragment of it", (_title, level, pfn, base, bytes) => {
  const start = base + (level === 2 ? BigInt(RAM_PFN_BASE) * PAGE : 0n); // what of the 1 GiB page is RAM
  const fragments = [0n, 3n, 17n, 40n].map((index) => start + index * PAGE);
  const flushes: [string, (hart: TestHart) => void, boolean][] = [
    ["its last byte", (hart) => hart.exports.flushVa(Number(base + bytes - 1n)), false],
    ["its last byte for the ASID", (hart) => hart.exports.flushVaAsid(Number(base + bytes - 1n), 0), false],
    ["its last byte for another ASID", (hart) => hart.exports.flushVaAsid(Number(base + bytes - 1n), 1), true],
    ["a range that ends in it", (hart) => hart.exports.flushRange(Number(base >> 12n) - 8, 9, 0), false],
    ["a range before it", (hart) => hart.exports.flushRange(Number(base >> 12n) - 8, 8, 0), true],
    ["the page behind it", (hart) => hart.exports.flushVa(Number(base + bytes)), true],
  ];
  for (const [title, flush, kept] of flushes) {
    const hart = new TestHart();
    hart.map(base, pfn, READ_WRITE, level);
    for (const va of fragments) hart.load(va);
    expect(hart.exports.superpageFragments.value).toBe(fragments.length);
    flush(hart);
    expect(hart.exports.superpageFragments.value, title).toBe(kept ? fragments.length : 0);
    for (const va of fragments) expect(isCached(hart, va), title).toBe(kept);
  }
});

test("the count of superpage fragments follows replacement and each kind of flush", () => {
  const hart = new TestHart({ tlbEntries: 16 });
  hart.map(0x8000_0000n, RAM_PFN_BASE + 1024, READ_WRITE, 1);
  for (let i = 0n; i < 8n; i++) hart.load(0x8000_0000n + i * PAGE);
  expect(hart.exports.superpageFragments.value).toBe(8);
  mapValue(hart, VA, 1n); // takes the entry of fragment 0
  hart.load(VA);
  expect(hart.exports.superpageFragments.value).toBe(7);
  hart.load(0x8000_0000n);
  expect(hart.exports.superpageFragments.value).toBe(8);
  hart.exports.flushAsid(0);
  expect(hart.exports.superpageFragments.value).toBe(0);
  hart.load(0x8000_0000n);
  hart.exports.flushAll();
  expect(hart.exports.superpageFragments.value).toBe(0);
  hart.load(0x8000_0000n);
  hart.exports.reset();
  expect(hart.exports.superpageFragments.value).toBe(0);
});

test("a supervisor translation is not there for the user, nor the other way round", () => {
  const hart = new TestHart();
  mapValue(hart, VA, 1n, READ_ONLY);
  mapValue(hart, VA + PAGE, 2n, READ_ONLY & ~PTE_U);
  expect(hart.load(VA)).toBe(1n);
  hart.switchTo(hart.root, 0, PRIV_SUPERVISOR);
  expect(hart.load(VA)).toBe(undefined);
  expect(hart.load(VA + PAGE)).toBe(2n);
  hart.switchTo(hart.root, 0, PRIV_USER);
  expect(hart.load(VA + PAGE)).toBe(undefined);
  expect(isCached(hart, VA)).toBe(true); // and coming back cost nothing
});

test("a fault fills nothing", () => {
  const hart = new TestHart();
  expect(hart.causeOf(() => hart.exports.touch(VA, ACCESS_LOAD))).toBe(CAUSE_LOAD_PAGE_FAULT);
  mapValue(hart, VA, 1n);
  expect(hart.causeOf(() => hart.exports.touch(VA, ACCESS_STORE))).toBe(NO_CAUSE);
});

test("flushes are counted as Linux counts them: all, and single pages", () => {
  const hart = new TestHart();
  hart.exports.flushAll();
  hart.exports.flushAsid(3);
  hart.exports.flushVa(0x1000);
  hart.exports.flushVaAsid(0x1000, 3);
  hart.exports.flushRange(1, 10, 3);
  expect(hart.counter(COUNTER_TLB_FLUSH_ALL)).toBe(2);
  expect(hart.counter(COUNTER_TLB_FLUSH_ONE)).toBe(12);
});
