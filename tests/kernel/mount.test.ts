// mount and umount2: a tmpfs on a directory hides what is there, has its own size, and stays while somebody uses it.

import { beforeEach, expect, test } from "vitest";
import { POOL_DENTRY, POOL_INODE } from "../../assembly/layout.ts";
import { EBUSY, EINVAL, ENODEV, ENOENT, ENOSPC, ENOTDIR, EROFS } from "../../host/memory/errno.ts";
import { kmemCacheLive } from "../../host/memory/slab.ts";
import { NR } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const [MKDIRAT, UMOUNT2, MOUNT, LINKAT, CHDIR] = [34, 39, 40, 37, 49];
const AT_FDCWD = -100;
const O_RDWR_CREAT = 0o102;
const MS_RDONLY = 1;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MNT_DETACH = 2;

let p: TestProcess;

beforeEach(() => {
  p = new TestProcess();
  expect(p.call(MKDIRAT, AT_FDCWD, p.pokeText(p.memory, "/point"), 0o755)).toBe(0);
});

function mount(type: string, target: string, flags = 0, data = ""): number {
  const at = [0, 1000, 2000, 3000].map((offset) => p.memory + offset);
  p.pokeText(at[0], "none");
  p.pokeText(at[1], target);
  p.pokeText(at[2], type);
  p.pokeText(at[3], data);
  return p.call(MOUNT, at[0], at[1], at[2], flags, at[3]);
}

function umount(target: string, flags = 0): number {
  return p.call(UMOUNT2, p.pokeText(p.memory, target), flags);
}

function open(path: string, flags = O_RDWR_CREAT): number {
  return p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), flags, 0o600);
}

test("what was there is hidden, and is there again; nothing of the tmpfs is left", () => {
  p.call(NR.close, open("/point/below"));
  const live = [POOL_INODE, POOL_DENTRY].map((pool) => kmemCacheLive(p.shared, pool));
  expect(mount("tmpfs", "/point", 0, "size=1m,mode=700")).toBe(0);
  expect(open("/point/below", 0)).toBe(-ENOENT);
  p.call(NR.close, open("/point/above"));
  expect(p.call(LINKAT, AT_FDCWD, p.memory, AT_FDCWD, p.pokeText(p.memory + 1000, "/point/linked"), 0)).toBe(0);
  expect(p.call(MKDIRAT, AT_FDCWD, p.pokeText(p.memory, "/point/directory"), 0o755)).toBe(0);
  expect(umount("/point")).toBe(0);
  expect(open("/point/above", 0)).toBe(-ENOENT);
  expect(p.call(NR.close, open("/point/below", 0))).toBe(0);
  expect([POOL_INODE, POOL_DENTRY].map((pool) => kmemCacheLive(p.shared, pool))).toEqual(live);
  expect(umount("/point")).toBe(-EINVAL);
});

test("an open file, also one without a name, a working directory and a mount inside are EBUSY", () => {
  expect(mount("tmpfs", "/point")).toBe(0);
  const fd = open("/point/file");
  expect(umount("/point")).toBe(-EBUSY);
  expect(p.call(NR.unlinkat, AT_FDCWD, p.pokeText(p.memory, "/point/file"), 0)).toBe(0);
  expect(umount("/point")).toBe(-EBUSY);
  p.call(NR.close, fd);
  expect(p.call(CHDIR, p.pokeText(p.memory, "/point"))).toBe(0);
  expect(umount("/point")).toBe(-EBUSY);
  expect(p.call(CHDIR, p.pokeText(p.memory, "/"))).toBe(0);
  expect(mount("proc", "/point")).toBe(0); // on top
  expect(p.call(NR.close, open("/point/self/status", 0))).toBe(0);
  expect(umount("/point")).toBe(0);
  expect(umount("/point")).toBe(0);
});

test("detached while it is used it is out of sight, and its files go on", () => {
  expect(mount("tmpfs", "/point")).toBe(0);
  const fd = open("/point/file");
  expect(umount("/point", MNT_DETACH)).toBe(0);
  expect(open("/point/file", 0)).toBe(-ENOENT);
  expect(p.call(NR.write, fd, p.memory, 10)).toBe(10);
  expect(p.call(NR.close, fd)).toBe(0);
});

test("detached file systems end with their last user, with all that is mounted in them", () => {
  const live = [POOL_INODE, POOL_DENTRY].map((pool) => kmemCacheLive(p.shared, pool));
  // More often than there are records.
  for (let turn = 0; turn < 100; turn++) {
    expect(mount("tmpfs", "/point")).toBe(0);
    expect(p.call(MKDIRAT, AT_FDCWD, p.pokeText(p.memory, "/point/inside"), 0o755)).toBe(0);
    expect(mount("tmpfs", "/point/inside")).toBe(0);
    const fd = open("/point/inside/file");
    if (turn % 2 === 0) expect(p.call(CHDIR, p.pokeText(p.memory, "/point"))).toBe(0);
    expect(umount("/point", MNT_DETACH)).toBe(0);
    expect(open("/point/inside", 0)).toBe(-ENOENT);
    expect(p.call(CHDIR, p.pokeText(p.memory, "/"))).toBe(0);
    expect(p.call(NR.close, fd)).toBe(0);
  }
  expect([POOL_INODE, POOL_DENTRY].map((pool) => kmemCacheLive(p.shared, pool))).toEqual(live);
});

test("its size is its limit; remounted read-only it takes nothing", () => {
  expect(mount("tmpfs", "/point", 0, "size=8k")).toBe(0);
  const fd = open("/point/file");
  expect(p.call(NR.write, fd, p.memory, 16384)).toBe(8192);
  expect(p.call(NR.write, fd, p.memory, 1)).toBe(-ENOSPC);
  p.call(NR.close, fd);
  expect(mount("tmpfs", "/point", MS_REMOUNT, "size=4k")).toBe(-EINVAL);
  expect(mount("tmpfs", "/point", MS_REMOUNT | MS_RDONLY)).toBe(0);
  expect(open("/point/other")).toBe(-EROFS);
  expect(umount("/point")).toBe(0);
});

test("no such type, no directory, bad options, the root, binding", () => {
  expect(mount("ext4", "/point")).toBe(-ENODEV);
  expect(mount("tmpfs", "/nowhere")).toBe(-ENOENT);
  p.call(NR.close, open("/file"));
  expect(mount("tmpfs", "/file")).toBe(-ENOTDIR);
  for (const data of ["bogus=1", "size=x", "mode=9", "size"]) expect(mount("tmpfs", "/point", 0, data)).toBe(-EINVAL);
  expect(mount("", "/point", MS_BIND)).toBe(-EINVAL);
  expect([umount("/"), umount("/point"), umount("/tmp", 64)]).toEqual([-EINVAL, -EINVAL, -EINVAL]);
});

test("more mounts than there are records are ENOMEM, and can all be taken back", () => {
  let count = 0;
  while (mount("tmpfs", "/point") === 0) count++;
  expect(count).toBeGreaterThan(30);
  for (; count > 0; count--) expect(umount("/point")).toBe(0);
  expect(mount("tmpfs", "/point")).toBe(0);
});
