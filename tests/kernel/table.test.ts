// Every row of the system-call table, as data.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { unimplementedName } from "../../host/kernel/syscall/absent-names.ts";
import { describeCalls, MISSING } from "../../host/kernel/syscall/describe.ts";
import { SYSCALLS } from "../../host/kernel/syscall/table.ts";
import { ROOT } from "../support/paths.ts";

test("no call has two names, and none is both there and listed as missing", () => {
  const names = SYSCALLS.flatMap((row) => (row === undefined ? [] : [row.name]));
  expect(new Set(names).size).toBe(names.length);
  for (const [number, row] of SYSCALLS.entries()) {
    if (row !== undefined) expect(unimplementedName(number), row.name).toBe(`syscall_${number}`);
  }
});

test("no call has more arguments than registers, and a text is followed by its length", () => {
  for (const row of SYSCALLS) {
    if (row === undefined) continue;
    expect(row.arguments.length, row.name).toBeLessThanOrEqual(6);
    const text = row.arguments.indexOf("text");
    if (text >= 0) expect(row.arguments[text + 1], row.name).toBe("size");
  }
});

test("TABLE.md says what the table has: pagewalk syscalls > host/kernel/syscall/TABLE.md", () => {
  expect(readFileSync(`${ROOT}/host/kernel/syscall/TABLE.md`, "utf8")).toBe(describeCalls());
});

test("what is missing is missing from calls that there are", () => {
  const names = new Set(SYSCALLS.map((row) => row?.name));
  expect(Object.keys(MISSING).filter((name) => !names.has(name))).toEqual([]);
});
