import { expect, test } from "vitest";
import { MmMachine } from "../mm/harness.ts";

/** What a hart is made with, and keeps. */
const CONSTANT: ReadonlySet<string> = new Set([
  "id",
  "base",
  "rq",
  "hartCount",
  "spinCount",
  "mutation",
  "traceEvents",
]);

test("reset leaves nothing of an aborted schedule: the next one begins as in a new process", () => {
  const { hart } = new MmMachine();
  const before = { ...hart };
  const names = Object.entries(before)
    .filter(([name, value]) => !CONSTANT.has(name) && (typeof value === "number" || typeof value === "boolean"))
    .map(([name]) => name as "spareNode");
  expect(names).toContain("faultMapping");
  Object.assign(
    hart,
    Object.fromEntries(names.map((name) => [name, typeof before[name] === "number" ? 7 : !before[name]])),
  );
  hart.reset();
  expect(names.filter((name) => hart[name] !== before[name])).toEqual([]);
});

test("reset drops no dentry that a walk of an aborted schedule has left behind", () => {
  const { hart } = new MmMachine();
  hart.walk.held = 1 << 20;
  hart.walk2.jumpTo(1 << 20);
  hart.reset();
  expect([hart.walk.held, hart.walk2.jumpCount]).toEqual([0, 0]);
});
