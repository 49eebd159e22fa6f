// The page-walk cache: a fence with an address orders leaf entries only, so a pointer that changed may live on after
// it; the forms with rs1 = x0 drop pointers too. With the option off a walk always begins at the root.

import { expect, test } from "vitest";
import {
  ASID_ANY,
  COUNTER_PTW_STEPS,
  COUNTER_PWC_HIT,
  OPTION_PWC,
  PAGE_BYTES,
  PTE_G,
  PTE_PPN_SHIFT,
  PTE_V,
} from "../../../assembly/layout.ts";
import { READ_WRITE, TestHart } from "./machine.ts";

const VA = 0x12_3456_7000n;

/** A hart with a cached walk to value 1 at VA, and a second level-0 table with value 2 in the same place. */
function withTwoTables(machineOptions: number) {
  const hart = new TestHart({ machineOptions });
  const [one, two] = [hart.frame(), hart.frame()];
  hart.doubles[(one * PAGE_BYTES) >>> 3] = 1n;
  hart.doubles[(two * PAGE_BYTES) >>> 3] = 2n;
  const leaf = hart.map(VA, one, READ_WRITE);
  const secondTable = hart.frame();
  hart.doubles[(secondTable * PAGE_BYTES + (leaf & 0xfff)) >>> 3] = BigInt(two << PTE_PPN_SHIFT) | BigInt(READ_WRITE);
  expect(hart.load(VA)).toBe(1n);
  const exchangeTables = () => {
    hart.words[hart.pteAddress(VA, 1) >>> 2] = (secondTable << PTE_PPN_SHIFT) | PTE_V;
  };
  return { hart, exchangeTables };
}

test("without the option a fence of the address sees the new table", () => {
  const { hart, exchangeTables } = withTwoTables(0);
  exchangeTables();
  hart.exports.flushVa(Number(VA));
  expect(hart.load(VA)).toBe(2n);
  expect(hart.counter(COUNTER_PWC_HIT)).toBe(0);
});

test.each<[string, (hart: TestHart) => void]>([
  ["va", (hart) => hart.exports.flushVa(Number(VA))],
  ["va, asid", (hart) => hart.exports.flushVaAsid(Number(VA), 0)],
  ["a short range", (hart) => hart.exports.flushRange(Number(VA >> 12n), 1, ASID_ANY)],
  ["a range longer than the TLB", (hart) => hart.exports.flushRange(0, 1 << 26, ASID_ANY)],
])("a fence of %s keeps the pointers: the walk goes through the old table", (_title, flush) => {
  const { hart, exchangeTables } = withTwoTables(OPTION_PWC);
  exchangeTables();
  flush(hart);
  expect(hart.load(VA)).toBe(1n);
  expect(hart.counter(COUNTER_PWC_HIT)).toBe(1);
});

test.each<[string, (hart: TestHart) => void]>([
  ["x0, x0", (hart) => hart.exports.flushAll()],
  ["x0, asid", (hart) => hart.exports.flushAsid(0)],
])("a fence of %s drops the pointers", (_title, flush) => {
  const { hart, exchangeTables } = withTwoTables(OPTION_PWC);
  exchangeTables();
  flush(hart);
  expect(hart.load(VA)).toBe(2n);
});

test("a fence for another ASID keeps them, and another ASID does not use them", () => {
  const { hart, exchangeTables } = withTwoTables(OPTION_PWC);
  exchangeTables();
  hart.exports.flushAsid(9);
  hart.exports.flushVa(Number(VA));
  expect(hart.load(VA)).toBe(1n);
  hart.switchTo(hart.root, 9);
  expect(hart.load(VA)).toBe(2n);
});

test("a neighbour costs one PTE in the same 2 MiB, two in the same 1 GiB, three elsewhere", () => {
  const hart = new TestHart({ machineOptions: OPTION_PWC });
  const steps = (va: bigint) => {
    hart.map(va, hart.frame(), READ_WRITE);
    const before = hart.counter(COUNTER_PTW_STEPS);
    expect(hart.load(va)).toBe(0n);
    return hart.counter(COUNTER_PTW_STEPS) - before;
  };
  expect(steps(VA)).toBe(3);
  expect(steps(VA + 0x1000n)).toBe(1);
  expect(steps(VA + 0x20_0000n)).toBe(2);
  expect(steps(VA + 0x4000_0000n)).toBe(3);
});

test("a pointer with G makes what lies below it global, from the cache too", () => {
  const hart = new TestHart({ machineOptions: OPTION_PWC });
  hart.map(VA, hart.frame(), READ_WRITE);
  hart.map(VA + 0x1000n, hart.frame(), READ_WRITE);
  hart.words[hart.pteAddress(VA, 2) >>> 2] |= PTE_G;
  hart.load(VA);
  hart.exports.walk(VA + 0x1000n, 0);
  expect((hart.exports.walkLeaf.value as number) & PTE_G).toBe(PTE_G);
  expect(hart.counter(COUNTER_PWC_HIT)).toBe(1);
  hart.exports.flushVaAsid(Number(VA), 0);
  hart.doubles[hart.pteAddress(VA) >>> 3] = 0n;
  expect(hart.load(VA)).toBe(0n); // global: the fence for an ASID left it
});

test("a pointer that leads out of RAM is not remembered", () => {
  const hart = new TestHart({ machineOptions: OPTION_PWC });
  const pointer = hart.pteAddress(VA, 1);
  hart.words[pointer >>> 2] = (1 << PTE_PPN_SHIFT) | PTE_V;
  expect(hart.load(VA)).toBe(undefined);
  hart.words[pointer >>> 2] = 0;
  hart.map(VA, hart.frame(), READ_WRITE);
  expect(hart.load(VA)).toBe(0n);
});
