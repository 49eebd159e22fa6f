// Every row of the system-call table, as data.

import { readdirSync, readFileSync } from "node:fs";
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

/** Calls that no guest program makes, and why. */
const NO_GUEST: Readonly<Record<string, string>> = {
  mount: "qemu-riscv64 would mount on the host: tests/kernel/mount.test.ts",
  umount2: "the same",
  renameat: "the headers of riscv64 have no number for it",
  ...Object.fromEntries(
    Object.entries(MISSING)
      .filter(([, what]) => what === "files have no attributes")
      .map(([name, what]) => [name, what]),
  ),
};

test("a guest program makes each call", () => {
  const folder = `${ROOT}/guest-programs`;
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => /\.[ch]$/.test(name));
  const text = sources.map((name) => readFileSync(`${folder}/${name}`, "utf8")).join("\n");
  const made = new Set([...text.matchAll(/(?:__NR_|\b(?:CALL|SHOW|call)\()(\w+)/g)].map(([, name]) => name));
  const names = SYSCALLS.flatMap((row) => (row === undefined ? [] : [row.name]));
  expect(names.filter((name) => !made.has(name) && NO_GUEST[name] === undefined)).toEqual([]);
});
