// How the kernel reaches user memory: whole, in pieces up to a fault, with user privilege, and atomically.

import { expect, test } from "vitest";
import {
  ACCESS_FETCH,
  ACCESS_LOAD,
  ACCESS_STORE,
  CAUSE_LOAD_MISALIGNED,
  CAUSE_LOAD_PAGE_FAULT,
  CAUSE_STORE_MISALIGNED,
  CAUSE_STORE_PAGE_FAULT,
  HART_BASE,
  HART_BYTES,
  PAGE_BYTES,
  PRIV_SUPERVISOR,
  PTE_A,
  PTE_D,
  PTE_U,
  PTE_X,
} from "../../../assembly/layout.ts";
import { NO_CAUSE, Random, READ_ONLY, READ_WRITE, seedOf, TestHart } from "./machine.ts";

const VA = 0x10_0000_0000;
const KERNEL = HART_BASE + 2 * HART_BYTES; // memory that no hart of these tests uses

function mapped(flags: number[]): { hart: TestHart; where: (offset: number) => number; ptes: number[] } {
  const hart = new TestHart();
  const frames: number[] = [];
  const ptes = flags.map((flag, index) => {
    hart.frame();
    frames[index] = hart.frame();
    return flag === 0 ? 0 : hart.map(BigInt(VA + index * PAGE_BYTES), frames[index], flag);
  });
  return { hart, ptes, where: (offset) => frames[offset >>> 12] * PAGE_BYTES + (offset & 0xfff) };
}

test("copies of any length and alignment in both directions, against plain bytes", () => {
  const seed = seedOf("user copies");
  const random = new Random(seed);
  const { hart, where } = mapped([READ_WRITE, READ_WRITE, READ_WRITE, READ_WRITE]);
  const flat = new Uint8Array(4 * PAGE_BYTES);
  for (let i = 0; i < 400; i++) {
    const offset = random.below(3 * PAGE_BYTES);
    const bytes = random.below(flat.length - offset);
    const context = `SEED=${seed} step ${i} offset ${offset} bytes ${bytes}`;
    if (random.chance(50)) {
      for (let b = 0; b < bytes; b++) flat[offset + b] = hart.bytes[KERNEL + b] = random.below(256);
      expect(hart.exports.copyToUser(VA + offset, KERNEL, bytes), context).toBe(0);
    } else if (random.chance(30)) {
      flat.fill(0, offset, offset + bytes);
      expect(hart.exports.clearUser(VA + offset, bytes), context).toBe(0);
    } else {
      hart.bytes[KERNEL + bytes] = 0xcc;
      expect(hart.exports.copyFromUser(KERNEL, VA + offset, bytes), context).toBe(0);
      expect(
        Buffer.compare(hart.bytes.subarray(KERNEL, KERNEL + bytes), flat.subarray(offset, offset + bytes)),
        context,
      ).toBe(0);
      expect(hart.bytes[KERNEL + bytes], context).toBe(0xcc);
    }
  }
  for (let i = 0; i < flat.length; i++) if (hart.bytes[where(i)] !== flat[i]) expect.fail(`SEED=${seed} byte ${i}`);
});

test("a copy stops at the first page that faults, says how much is left, and names the address", () => {
  const { hart, where } = mapped([READ_WRITE, READ_WRITE, 0]);
  const start = PAGE_BYTES - 100;
  const copied = PAGE_BYTES + 100;
  hart.bytes[where(start)] = 0x55;
  for (const [cause, call] of [
    [CAUSE_STORE_PAGE_FAULT, () => hart.exports.copyToUser(VA + start, KERNEL, copied + 50)],
    [CAUSE_STORE_PAGE_FAULT, () => hart.exports.clearUser(VA + start, copied + 50)],
    [CAUSE_LOAD_PAGE_FAULT, () => hart.exports.copyFromUser(KERNEL, VA + start, copied + 50)],
  ] as const) {
    expect(hart.causeOf(() => expect(call()).toBe(50))).toBe(cause);
    expect(hart.tval).toBe(BigInt(VA + 2 * PAGE_BYTES));
  }
  expect(hart.bytes[where(start)]).toBe(0); // clearUser did reach it
  hart.bytes.fill(0xaa, KERNEL, KERNEL + 3 * PAGE_BYTES);
  expect(hart.causeOf(() => expect(hart.exports.copyToUser(VA + start, KERNEL, copied)).toBe(0))).toBe(NO_CAUSE);
  expect(hart.bytes[where(2 * PAGE_BYTES - 1)]).toBe(0xaa);
});

test("a copy that was stopped can go on where it was, once the page is there", () => {
  const { hart } = mapped([READ_WRITE, 0]);
  for (let i = 0; i < 200; i++) hart.bytes[KERNEL + i] = i;
  const va = VA + PAGE_BYTES - 120;
  const left = hart.exports.copyToUser(va, KERNEL, 200);
  expect(left).toBe(80);
  const pfn = hart.frame();
  hart.map(BigInt(VA + PAGE_BYTES), pfn, READ_WRITE);
  expect(hart.exports.copyToUser(va + 200 - left, KERNEL + 200 - left, left)).toBe(0);
  expect(hart.bytes[pfn * PAGE_BYTES]).toBe(120);
  expect(hart.bytes[pfn * PAGE_BYTES + 79]).toBe(199);
});

test("the kernel has the user's rights and no more, whatever the hart's privilege is", () => {
  const { hart, ptes } = mapped([READ_ONLY, READ_WRITE & ~PTE_U, READ_WRITE & ~(PTE_A | PTE_D)]);
  for (const privilege of [0, PRIV_SUPERVISOR]) {
    hart.switchTo(hart.root, 3, privilege);
    expect(hart.exports.copyFromUser(KERNEL, VA, 8)).toBe(0);
    expect(hart.exports.copyToUser(VA, KERNEL, 8)).toBe(8);
    expect(hart.exports.copyFromUser(KERNEL, VA + PAGE_BYTES, 8)).toBe(8);
    expect(hart.exports.copyToUser(VA + PAGE_BYTES, KERNEL, 8)).toBe(8);
    // and afterwards the hart has its own again
    expect(hart.load(BigInt(VA + PAGE_BYTES)) !== undefined).toBe(privilege === PRIV_SUPERVISOR);
    expect(hart.load(BigInt(VA)) !== undefined).toBe(privilege !== PRIV_SUPERVISOR);
  }
  hart.exports.copyFromUser(KERNEL, VA + 2 * PAGE_BYTES, 1);
  expect(hart.pte(ptes[2]) & (PTE_A | PTE_D)).toBe(PTE_A);
  hart.exports.copyToUser(VA + 2 * PAGE_BYTES, KERNEL, 1);
  expect(hart.pte(ptes[2]) & (PTE_A | PTE_D)).toBe(PTE_A | PTE_D);
});

test("addresses that are no user addresses fault instead of wrapping", () => {
  const { hart } = mapped([READ_WRITE]);
  hart.map(0n, hart.frame(), READ_WRITE);
  for (const va of [-1, -8, -4096, 2 ** 38, 2 ** 39, 2 ** 53, 2 ** 63, 2 ** 64, 2 ** 70, Number.POSITIVE_INFINITY]) {
    expect(hart.exports.copyFromUser(KERNEL, va, 8), `${va}`).toBe(8);
    expect(hart.exports.copyToUser(va, KERNEL, 8), `${va}`).toBe(8);
  }
  expect(hart.exports.copyFromUser(KERNEL, 0, 8)).toBe(0);
  expect(hart.exports.copyFromUser(KERNEL, 2 ** 64, 0)).toBe(0); // nothing to copy, nothing to fault
});

test("strncpyFromUser: length, limit, fault, and strings that end right before an unmapped page", () => {
  const { hart, where } = mapped([READ_ONLY, READ_ONLY, 0]);
  const put = (offset: number, text: string) => {
    for (const [i, c] of [...text].entries()) hart.bytes[where(offset + i)] = c.charCodeAt(0);
  };
  hart.bytes.fill(0x41, where(0), where(0) + PAGE_BYTES);
  hart.bytes.fill(0x42, where(PAGE_BYTES), where(PAGE_BYTES) + PAGE_BYTES);
  put(10, "hello\0");
  expect(hart.exports.strncpyFromUser(KERNEL, VA + 10, 100)).toBe(5);
  expect(Buffer.from(hart.bytes.slice(KERNEL, KERNEL + 6)).toString()).toBe("hello\0");
  expect(hart.exports.strncpyFromUser(KERNEL, VA + 10, 5)).toBe(5); // full: no NUL among 5 bytes
  expect(hart.exports.strncpyFromUser(KERNEL, VA + 10, 6)).toBe(5);
  expect(hart.exports.strncpyFromUser(KERNEL, VA + 15, 100)).toBe(0);
  expect(hart.exports.strncpyFromUser(KERNEL, VA + 10, 0)).toBe(0);
  put(PAGE_BYTES + 5, "\0");
  expect(hart.exports.strncpyFromUser(KERNEL, VA + PAGE_BYTES - 3, 100)).toBe(8);
  put(2 * PAGE_BYTES - 4, "end\0");
  expect(hart.exports.strncpyFromUser(KERNEL, VA + 2 * PAGE_BYTES - 4, 100)).toBe(3);
  put(2 * PAGE_BYTES - 1, "!");
  expect(hart.causeOf(() => expect(hart.exports.strncpyFromUser(KERNEL, VA + 2 * PAGE_BYTES - 4, 100)).toBe(-1))).toBe(
    CAUSE_LOAD_PAGE_FAULT,
  );
  expect(hart.tval).toBe(BigInt(VA + 2 * PAGE_BYTES));
  expect(hart.exports.strncpyFromUser(KERNEL, VA + 2 * PAGE_BYTES - 4, 4)).toBe(4);
});

test("futex words: load, store, compare-and-swap, and the operations of FUTEX_WAKE_OP", () => {
  const { hart, where } = mapped([READ_WRITE, READ_ONLY]);
  const word = () => hart.words[where(8) >>> 2];
  expect(hart.exports.userStore32(VA + 8, 0xf000_0001)).toBe(1);
  expect(hart.exports.userLoad32(VA + 8)).toBe(0xf000_0001n);
  expect(hart.exports.userCmpxchg32(VA + 8, 5, 6)).toBe(0xf000_0001n);
  expect(word()).toBe(0xf000_0001);
  expect(hart.exports.userCmpxchg32(VA + 8, 0xf000_0001, 12)).toBe(0xf000_0001n);
  expect(word()).toBe(12);
  for (const [operation, value] of [10, 22, 14, 4, 6].entries()) {
    hart.exports.userStore32(VA + 8, 12);
    expect(hart.exports.userRmw32(operation, VA + 8, 10)).toBe(12n);
    expect(word(), `operation ${operation}`).toBe(value); // set, add, or, andn, xor
  }
  expect(hart.causeOf(() => expect(hart.exports.userLoad32(VA + 10)).toBe(-1n))).toBe(CAUSE_LOAD_MISALIGNED);
  expect(hart.causeOf(() => expect(hart.exports.userStore32(VA + 10, 1)).toBe(0))).toBe(CAUSE_STORE_MISALIGNED);
  for (const va of [VA + PAGE_BYTES, VA + 2 * PAGE_BYTES]) {
    expect(hart.causeOf(() => expect(hart.exports.userStore32(va, 1)).toBe(0))).toBe(CAUSE_STORE_PAGE_FAULT);
    expect(hart.causeOf(() => expect(hart.exports.userCmpxchg32(va, 0, 1)).toBe(-1n))).toBe(CAUSE_STORE_PAGE_FAULT);
    expect(hart.causeOf(() => expect(hart.exports.userRmw32(1, va, 1)).toBe(-1n))).toBe(CAUSE_STORE_PAGE_FAULT);
  }
  expect(hart.exports.userLoad32(VA + PAGE_BYTES)).toBe(0n);
  expect(hart.causeOf(() => expect(hart.exports.userLoad32(VA + 2 * PAGE_BYTES)).toBe(-1n))).toBe(
    CAUSE_LOAD_PAGE_FAULT,
  );
});

test("userAddress translates a byte for each kind of access", () => {
  const { hart, where } = mapped([READ_WRITE, READ_ONLY | PTE_X]);
  expect(hart.exports.userAddress(VA + 5, ACCESS_LOAD) >>> 0).toBe(where(5));
  expect(hart.exports.userAddress(VA + 4095, ACCESS_STORE) >>> 0).toBe(where(4095));
  expect(hart.exports.userAddress(VA + 5, ACCESS_FETCH)).toBe(0);
  expect(hart.exports.userAddress(VA + PAGE_BYTES + 6, ACCESS_FETCH) >>> 0).toBe(where(PAGE_BYTES + 6));
  expect(hart.exports.userAddress(VA + PAGE_BYTES + 6, ACCESS_STORE)).toBe(0);
});

test("frames are zeroed and copied whole, and nothing beside them", () => {
  const { hart } = mapped([READ_WRITE]);
  const [a, b, c] = [hart.frame(), hart.frame(), hart.frame()].map((pfn) => pfn * PAGE_BYTES);
  hart.bytes.fill(1, a, c + PAGE_BYTES);
  hart.exports.zeroPage(b);
  expect([hart.bytes[b - 1], hart.bytes[b], hart.bytes[b + 4095], hart.bytes[c]]).toEqual([1, 0, 0, 1]);
  hart.exports.copyPage(b, a);
  expect([hart.bytes[b], hart.bytes[b + 4095]]).toEqual([1, 1]);
  hart.exports.zeroBytes(b + 8, 16);
  expect([hart.bytes[b + 7], hart.bytes[b + 8], hart.bytes[b + 23], hart.bytes[b + 24]]).toEqual([1, 0, 0, 1]);
  hart.exports.copyBytes(a + 1, b + 8, 3);
  expect([...hart.bytes.slice(a, a + 5)]).toEqual([1, 0, 0, 0, 1]);
});
