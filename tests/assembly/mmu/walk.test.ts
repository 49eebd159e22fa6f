// Named cases of the privileged manual's translation algorithm, one line each. walk-model.test.ts covers the rest.

import { describe, expect, test } from "vitest";
import {
  ACCESS_FETCH,
  ACCESS_LOAD,
  ACCESS_STORE,
  CAUSE_FETCH_ACCESS,
  CAUSE_FETCH_PAGE_FAULT,
  CAUSE_LOAD_ACCESS,
  CAUSE_LOAD_PAGE_FAULT,
  CAUSE_STORE_ACCESS,
  CAUSE_STORE_PAGE_FAULT,
  COUNTER_AD_UPDATE,
  COUNTER_PTW_STEPS,
  HART_BASE,
  OPTION_TRAP_AD,
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
  PTE_X,
  RAM_BASE,
  RAM_PFN_BASE,
} from "../../../assembly/layout.ts";
import { NO_CAUSE, RAM_FRAMES, READ_ONLY, READ_WRITE, TestHart } from "./machine.ts";

const [V, R, W, X, U, G, A, D] = [PTE_V, PTE_R, PTE_W, PTE_X, PTE_U, PTE_G, PTE_A, PTE_D];
const USER = PRIV_USER;
const SUPERVISOR = PRIV_SUPERVISOR;
const VA = 0x12_2045_6000n; // its low 30 bits lie in RAM, so that leaves of every size can reach it
const ALIGNED_PFN = [RAM_PFN_BASE + 77, RAM_PFN_BASE + 1024, 0];

function causeOfLeaf(level: number, pte: bigint, access: number, privilege = USER, machineOptions = 0): number {
  const hart = new TestHart({ machineOptions });
  hart.doubles[hart.pteAddress(VA, level) >>> 3] = pte;
  hart.switchTo(hart.root, 0, privilege);
  const cause = hart.causeOf(() => hart.exports.walk(VA, access));
  if (cause !== NO_CAUSE) expect(hart.tval).toBe(VA);
  return cause;
}

const leaf = (level: number, flags: number, pfn = ALIGNED_PFN[level]) => (BigInt(pfn) << 10n) | BigInt(flags);

describe.each([0, 1, 2])("leaf at level %d", (level) => {
  test.each([
    // flags, privilege, what load, store and fetch raise (0: nothing)
    ["not valid", R | W | X | U | A | D, USER, 13, 15, 12],
    ["r--", V | R | U | A | D, USER, 0, 15, 12],
    ["rw-", V | R | W | U | A | D, USER, 0, 0, 12],
    ["r-x", V | R | X | U | A | D, USER, 0, 15, 0],
    ["rwx", V | R | W | X | U | A | D, USER, 0, 0, 0],
    ["--x", V | X | U | A | D, USER, 13, 15, 0],
    ["-w- is reserved", V | W | U | A | D, USER, 13, 15, 12],
    ["-wx is reserved", V | W | X | U | A | D, USER, 13, 15, 12],
    ["user code on a supervisor page", V | R | W | X | A | D, USER, 13, 15, 12],
    ["supervisor code on a user page (SUM = 0)", V | R | W | X | U | A | D, SUPERVISOR, 13, 15, 12],
    ["supervisor code on its own page", V | R | W | X | A | D, SUPERVISOR, 0, 0, 0],
    ["global", V | R | W | X | U | G | A | D, USER, 0, 0, 0],
    ["bits for the kernel (RSW)", V | R | W | X | U | A | D | (3 << 8), USER, 0, 0, 0],
  ])("%s", (_title, flags, privilege, load, store, fetch) => {
    [load, store, fetch].forEach((cause, access) => {
      expect(causeOfLeaf(level, leaf(level, flags), access, privilege)).toBe(cause === 0 ? NO_CAUSE : cause);
    });
  });

  test.each([54, 55, 56, 57, 58, 59, 60, 61, 62, 63])("bit %d is reserved", (bit) => {
    expect(causeOfLeaf(level, leaf(level, READ_WRITE) | (1n << BigInt(bit)), ACCESS_LOAD)).toBe(CAUSE_LOAD_PAGE_FAULT);
  });

  test("a leaf beyond RAM is an access fault of the access's own kind", () => {
    const far = 1 << 20; // 4 GiB
    const flags = READ_WRITE | X;
    expect(causeOfLeaf(level, leaf(level, flags, far), ACCESS_LOAD)).toBe(CAUSE_LOAD_ACCESS);
    expect(causeOfLeaf(level, leaf(level, flags, far), ACCESS_STORE)).toBe(CAUSE_STORE_ACCESS);
    expect(causeOfLeaf(level, leaf(level, flags, far), ACCESS_FETCH)).toBe(CAUSE_FETCH_ACCESS);
    expect(causeOfLeaf(level, leaf(level, flags) | (1n << 53n), ACCESS_LOAD)).toBe(CAUSE_LOAD_ACCESS);
  });

  test("A and D trap instead of being set when the option says so", () => {
    const run = (flags: number, access: number) => causeOfLeaf(level, leaf(level, flags), access, USER, OPTION_TRAP_AD);
    expect(run(V | R | W | U, ACCESS_LOAD)).toBe(CAUSE_LOAD_PAGE_FAULT);
    expect(run(V | R | W | U | A, ACCESS_LOAD)).toBe(NO_CAUSE);
    expect(run(V | R | W | U | A, ACCESS_STORE)).toBe(CAUSE_STORE_PAGE_FAULT);
    expect(run(V | R | W | U | D, ACCESS_STORE)).toBe(CAUSE_STORE_PAGE_FAULT);
    expect(run(V | R | W | U | A | D, ACCESS_STORE)).toBe(NO_CAUSE);
    expect(run(V | X | U, ACCESS_FETCH)).toBe(CAUSE_FETCH_PAGE_FAULT);
  });

  test("a load sets A, a store sets A and D, nothing else changes, and a refused access sets neither", () => {
    const hart = new TestHart();
    const bare = V | R | W | U | (3 << 8);
    const address = hart.map(VA, ALIGNED_PFN[level], bare, level);
    hart.causeOf(() => hart.exports.walk(VA, ACCESS_FETCH));
    expect(hart.doubles[address >>> 3]).toBe(leaf(level, bare));
    hart.exports.walk(VA, ACCESS_LOAD);
    expect(hart.doubles[address >>> 3]).toBe(leaf(level, bare | A));
    hart.exports.walk(VA, ACCESS_STORE);
    expect(hart.doubles[address >>> 3]).toBe(leaf(level, bare | A | D));
    hart.exports.walk(VA, ACCESS_STORE);
    expect(hart.counter(COUNTER_AD_UPDATE)).toBe(2);
    expect(hart.counter(COUNTER_PTW_STEPS)).toBe(4 * (3 - level));
  });
});

test("every misaligned superpage is a page fault, whichever bit misaligns it", () => {
  for (let bit = 0; bit < 9; bit++) {
    expect(causeOfLeaf(1, leaf(1, READ_WRITE, ALIGNED_PFN[1] | (1 << bit)), ACCESS_LOAD)).toBe(CAUSE_LOAD_PAGE_FAULT);
  }
  for (let bit = 0; bit < 18; bit++) {
    expect(causeOfLeaf(2, leaf(2, READ_WRITE, 1 << bit), ACCESS_STORE)).toBe(CAUSE_STORE_PAGE_FAULT);
  }
});

test("a superpage reaches the frame of each of its fragments", () => {
  const hart = new TestHart();
  hart.map(0x4000_0000n, ALIGNED_PFN[1], READ_WRITE, 1);
  hart.map(0x80_0000_0000n - 0x4000_0000n - 0x40_0000_0000n, 0, READ_WRITE, 2); // 0x3f_c000_0000
  for (const fragment of [0n, 1n, 255n, 511n]) {
    const va = 0x4000_0000n + (fragment << 12n);
    expect(hart.exports.walk(va, ACCESS_LOAD) >>> 0).toBe((ALIGNED_PFN[1] + Number(fragment)) * PAGE_BYTES);
  }
  expect(hart.exports.walk(0x3f_c000_0000n + BigInt(RAM_BASE) + 0x5000n, ACCESS_LOAD) >>> 0).toBe(RAM_BASE + 0x5000);
  const below = hart.causeOf(() => hart.exports.walk(0x3f_c000_0000n + BigInt(HART_BASE), ACCESS_LOAD));
  expect(below).toBe(CAUSE_LOAD_ACCESS); // kernel objects stay out of reach, whatever a PTE says
});

test("a pointer with A, D or U, or at level 0, is a page fault", () => {
  for (const flag of [A, D, U]) {
    for (const level of [1, 2]) {
      const hart = new TestHart();
      hart.map(VA, RAM_PFN_BASE + 9, READ_WRITE);
      expect(hart.causeOf(() => hart.exports.walk(VA, ACCESS_LOAD))).toBe(NO_CAUSE);
      hart.words[hart.pteAddress(VA, level) >>> 2] |= flag;
      expect(hart.causeOf(() => hart.exports.walk(VA, ACCESS_LOAD))).toBe(CAUSE_LOAD_PAGE_FAULT);
    }
  }
  expect(causeOfLeaf(0, leaf(0, V), ACCESS_LOAD)).toBe(CAUSE_LOAD_PAGE_FAULT);
});

test("a table beyond RAM or among the kernel's objects is an access fault; so is a root there", () => {
  const hart = new TestHart();
  for (const pfn of [1, HART_BASE / PAGE_BYTES, RAM_PFN_BASE - 1, RAM_PFN_BASE + RAM_FRAMES, 2 ** 22 - 1]) {
    for (const level of [1, 2]) {
      hart.root = hart.frame();
      hart.map(VA, pfn, V, level);
      hart.switchTo(hart.root);
      expect(hart.causeOf(() => hart.exports.walk(VA, ACCESS_STORE))).toBe(CAUSE_STORE_ACCESS);
    }
    hart.switchTo(pfn);
    expect(hart.causeOf(() => hart.exports.walk(VA, ACCESS_LOAD))).toBe(CAUSE_LOAD_ACCESS);
  }
});

test("an address whose upper bits do not repeat bit 38 is a page fault", () => {
  const hart = new TestHart();
  const low = 0x3f_ffff_f000n;
  const high = 0xffff_ffc0_0000_0000n;
  hart.map(low, RAM_PFN_BASE + 9, READ_ONLY);
  hart.map(high, RAM_PFN_BASE + 9, READ_ONLY);
  expect(hart.causeOf(() => hart.exports.walk(low, ACCESS_LOAD))).toBe(NO_CAUSE);
  expect(hart.causeOf(() => hart.exports.walk(high, ACCESS_LOAD))).toBe(NO_CAUSE);
  for (let bit = 38n; bit < 64n; bit++) {
    for (const va of [low, high]) {
      if (bit === 38n) continue;
      expect(hart.causeOf(() => hart.exports.walk(va ^ (1n << bit), ACCESS_LOAD))).toBe(CAUSE_LOAD_PAGE_FAULT);
    }
  }
  expect(hart.causeOf(() => hart.exports.walk(0x40_0000_0000n, ACCESS_FETCH))).toBe(CAUSE_FETCH_PAGE_FAULT);
});

test("the bare mode maps RAM onto itself and nothing else", () => {
  const hart = new TestHart();
  hart.switchTo(0);
  const address = RAM_BASE + 5 * PAGE_BYTES;
  hart.doubles[address >>> 3] = 0x1122n;
  expect(hart.load(BigInt(address))).toBe(0x1122n);
  expect(hart.causeOf(() => hart.exports.loadGuest(BigInt(RAM_BASE - 8), 8))).toBe(CAUSE_LOAD_ACCESS);
  expect(hart.causeOf(() => hart.exports.loadGuest(BigInt(RAM_BASE) + 2n ** 32n, 8))).toBe(CAUSE_LOAD_ACCESS);
  const root = hart.frame();
  hart.switchTo(root); // leaving bare mode needs no fence
  expect(hart.causeOf(() => hart.exports.loadGuest(BigInt(address), 8))).toBe(CAUSE_LOAD_PAGE_FAULT);
});
