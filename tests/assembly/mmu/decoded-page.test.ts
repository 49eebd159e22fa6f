// Stores to a frame that this hart has decoded: by the guest through any mapping, by the kernel's user-memory
// functions. The first tests mark a frame as decoded in the directory themselves; the last one really runs code in
// core.wasm.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  CAUSE_ECALL_U,
  COUNTER_DECODE_INVALIDATE,
  COUNTER_PTW,
  DECODE_DIRECTORY_BYTES,
  DECODE_PAGE_BYTES,
  DECODE_PFN,
  DECODE_RECORD_BYTES,
  EXIT_TRAP,
  HART_BASE,
  HART_BYTES,
  HART_CAUSE,
  HART_DECODE_BASE,
  HART_DECODE_DIRECTORY,
  HART_DECODE_PAGES,
  HART_PC,
  HART_X,
  PAGE_BYTES,
  PTE_X,
  RECORD_OP,
} from "../../../assembly/layout.ts";
import { READ_WRITE, TestHart } from "./machine.ts";

const VA = 0x10_0000_0000n;
const ALIAS = VA + 0x7000n;
const DATA = VA + 0x1000n;
const KERNEL = HART_BASE + 2 * HART_BYTES;
const SOME_OPERATION = 1; // anything that is not "not decoded"

class DecodedPage {
  readonly hart = new TestHart();
  readonly pfn = this.hart.frame();
  readonly #slot: number;
  readonly #records: number;

  constructor() {
    this.hart.map(VA, this.pfn, READ_WRITE | PTE_X);
    this.hart.map(ALIAS, this.pfn, READ_WRITE);
    this.hart.map(DATA, this.hart.frame(), READ_WRITE);
    const slots = this.hart.get(HART_DECODE_PAGES);
    this.#slot = HART_DECODE_DIRECTORY + (this.pfn & (slots - 1)) * DECODE_DIRECTORY_BYTES + DECODE_PFN;
    this.#records = this.hart.get(HART_DECODE_BASE) + (this.pfn & (slots - 1)) * DECODE_PAGE_BYTES;
  }

  decode(): void {
    this.hart.set(this.#slot, this.pfn);
    for (let i = 0; i < 2048; i++)
      this.hart.bytes[this.#records + i * DECODE_RECORD_BYTES + RECORD_OP] = SOME_OPERATION;
    this.hart.exports.dropWriteTags(this.pfn);
  }

  evict(): void {
    this.hart.set(this.#slot, 0);
  }

  isDecoded(offset: number): boolean {
    return this.hart.bytes[this.#records + (offset >>> 1) * DECODE_RECORD_BYTES + RECORD_OP] === SOME_OPERATION;
  }

  get invalidations(): number {
    return this.hart.counter(COUNTER_DECODE_INVALIDATE);
  }
}

test("decoding a frame takes the write tag from each of its mappings, and from no other page", () => {
  const page = new DecodedPage();
  for (const va of [VA, ALIAS, DATA]) {
    page.hart.store(va, 1n);
    expect(page.hart.exports.hitStore(va, 8)).not.toBe(0);
  }
  page.decode();
  expect(page.hart.exports.hitStore(VA, 8)).toBe(0);
  expect(page.hart.exports.hitStore(ALIAS, 8)).toBe(0);
  expect(page.hart.exports.hitStore(DATA, 8)).not.toBe(0);
});

test("each store to a decoded frame is made and told, without another walk, and reads stay fast", () => {
  const page = new DecodedPage();
  page.decode();
  page.hart.load(VA);
  const walks = page.hart.counter(COUNTER_PTW);
  expect(page.hart.store(VA + 0x100n, 0x55n, 2)).toBe(true);
  expect(page.isDecoded(0x100)).toBe(false);
  expect(page.isDecoded(0x200)).toBe(true);
  expect(page.hart.store(VA + 0x203n, 0x66n, 8)).toBe(true); // misaligned
  expect(page.isDecoded(0x202)).toBe(false);
  expect(page.isDecoded(0x20a)).toBe(false);
  expect(page.isDecoded(0x20c)).toBe(true);
  expect(page.hart.load(VA + 0x203n)).toBe(0x66n);
  expect(page.invalidations).toBe(2);
  expect(page.hart.exports.hitStore(VA, 8)).toBe(0);
  expect(page.hart.counter(COUNTER_PTW)).toBe(walks);
  page.hart.store(ALIAS + 0x300n, 1n);
  expect(page.isDecoded(0x300)).toBe(false);
});

test("a store that crosses into a decoded page tells it of its own bytes only", () => {
  const page = new DecodedPage();
  page.hart.map(VA - 0x1000n, page.hart.frame(), READ_WRITE);
  page.decode();
  expect(page.hart.store(VA - 4n, 0x1122_3344_5566_7788n)).toBe(true);
  expect(page.isDecoded(2)).toBe(false);
  expect(page.isDecoded(4)).toBe(true);
  expect(page.invalidations).toBe(1);
  expect(page.hart.load(VA, 4)).toBe(0x1122_3344n);
});

test("when the decode cache has given the frame up, the next store gets its write tag back", () => {
  const page = new DecodedPage();
  page.decode();
  page.hart.store(VA, 1n);
  page.evict();
  page.hart.store(VA, 2n);
  expect(page.hart.exports.hitStore(VA, 8)).not.toBe(0);
  expect(page.invalidations).toBe(1);
});

test("AMOs and SC tell the decode cache too", () => {
  const page = new DecodedPage();
  page.decode();
  page.hart.exports.amo(1, VA + 0x400n, 5n, 4);
  expect(page.isDecoded(0x400)).toBe(false);
  page.hart.exports.loadReserved(VA + 0x500n, 8);
  expect(page.hart.exports.storeConditional(VA + 0x500n, 5n, 8)).toBe(0n);
  expect(page.isDecoded(0x500)).toBe(false);
});

test.each<[string, (hart: TestHart, va: number) => unknown]>([
  ["copyToUser", (hart, va) => hart.exports.copyToUser(va, KERNEL, 64)],
  ["clearUser", (hart, va) => hart.exports.clearUser(va, 64)],
  ["userStore32", (hart, va) => hart.exports.userStore32(va, 1)],
  ["userCmpxchg32", (hart, va) => hart.exports.userCmpxchg32(va, 0, 1)],
  ["userRmw32", (hart, va) => hart.exports.userRmw32(1, va, 1)],
])("%s tells the decode cache", (_title, store) => {
  const page = new DecodedPage();
  page.decode();
  store(page.hart, Number(VA) + 0x600);
  expect(page.isDecoded(0x600)).toBe(false);
  expect(page.isDecoded(0x5d0)).toBe(true);
  expect(page.isDecoded(0x680)).toBe(true);
});

test("code that the kernel has overwritten runs as overwritten, without fence.i", () => {
  const hart = new TestHart();
  const path = new URL("../../../build/core.wasm", import.meta.url);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {
    env: { memory: hart.memory },
    host: { fence: () => {} },
  });
  const core = instance.exports as unknown as {
    bind(hart: number): void;
    run(budget: number): number;
    copyToUser(va: number, source: number, bytes: number): number;
    userStore32(va: number, value: number): number;
  };
  const addi = (immediate: number) => (immediate << 20) | (10 << 7) | 0x13; // addi a0, x0, immediate
  const ECALL = 0x73;
  const pfn = hart.frame();
  hart.map(VA, pfn, READ_WRITE | PTE_X);
  hart.words[(pfn * PAGE_BYTES) >>> 2] = addi(1);
  hart.words[(pfn * PAGE_BYTES + 4) >>> 2] = ECALL;
  core.bind(hart.block);
  const runA0 = () => {
    hart.doubles[(hart.block + HART_PC) >>> 3] = VA;
    expect(core.run(1000)).toBe(EXIT_TRAP);
    expect(hart.get(HART_CAUSE)).toBe(CAUSE_ECALL_U);
    return hart.get(HART_X + 8 * 10);
  };
  expect(runA0()).toBe(1);
  expect(runA0()).toBe(1);
  hart.words[KERNEL >>> 2] = addi(2);
  expect(core.copyToUser(Number(VA), KERNEL, 4)).toBe(0);
  expect(runA0()).toBe(2);
  expect(core.userStore32(Number(VA), addi(3))).toBe(1);
  expect(runA0()).toBe(3);
});
