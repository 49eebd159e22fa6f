// Names of /proc and /sys: the kernel's, for nobody to remove or move. The errors are those that Linux gave the same
// calls.

import { beforeEach, expect, test } from "vitest";
import { ENOENT, ENOTDIR, EPERM, EXDEV } from "../../host/memory/errno.ts";
import { NR } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const [MKDIRAT, UNLINKAT, RENAMEAT2] = [34, 35, 276];
const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;

let p: TestProcess;

beforeEach(() => {
  p = new TestProcess();
  expect(p.call(MKDIRAT, AT_FDCWD, p.pokeText(p.memory, "/directory"), 0o700)).toBe(0);
});

function rename(from: string, to: string): number {
  const target = p.pokeText(p.memory + 1000, to);
  return p.call(RENAMEAT2, AT_FDCWD, p.pokeText(p.memory, from), AT_FDCWD, target, 0);
}

function remove(path: string, flags = 0): number {
  return p.call(UNLINKAT, AT_FDCWD, p.pokeText(p.memory, path), flags);
}

test("a file of /proc or /sys that was removed stays where it is", () => {
  for (const path of ["/proc/meminfo", "/proc/self/status", "/sys/devices/system/cpu/online"]) {
    expect([path, remove(path)]).toEqual([path, -EPERM]);
    expect(p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), 0, 0)).toBeGreaterThanOrEqual(0);
  }
});

test("rmdir or rename of a directory whose names come and go ends, and does nothing", () => {
  expect(remove("/proc/self/fd", AT_REMOVEDIR)).toBe(-EPERM);
  expect(remove("/proc/self", AT_REMOVEDIR)).toBe(-ENOTDIR);
  expect(remove("/proc/sys", AT_REMOVEDIR)).toBe(-EPERM);
  expect(rename("/directory", "/proc/self/fd")).toBe(-EXDEV);
  expect(rename("/proc/self/fd", "/directory")).toBe(-EXDEV);
  // The directories are looked at first, and then the names.
  expect(rename("/directory", "/proc/absent")).toBe(-EXDEV);
  expect(rename("/proc/absent", "/directory/")).toBe(-EXDEV);
  expect(rename("/absent", "/proc/self/absent")).toBe(-EXDEV);
  expect(rename("/absent", "/proc/absent/absent")).toBe(-ENOENT);
  expect(rename("/absent", "/other")).toBe(-ENOENT);
  expect(rename("/proc/self/fd", "/proc/self/fdinfo")).toBe(-EPERM);
});
