// Calls that came after those which they are like. The results are those that Linux 6.18 gave the same calls.

import { beforeEach, expect, test } from "vitest";
import { POOL_DENTRY, POOL_INODE } from "../../assembly/layout.ts";
import { E2BIG, EBADF, EBUSY, EINVAL, ENOENT, EOPNOTSUPP, EPERM, ESPIPE, ESRCH } from "../../host/memory/errno.ts";
import { kmemCacheLive } from "../../host/memory/slab.ts";
import { NR } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const [PIPE2, SYNC_FILE_RANGE, SCHED_SETATTR, SCHED_GETATTR, PWRITEV2] = [59, 84, 274, 275, 287];
const [PIDFD_OPEN, OPENAT2, PROCESS_MRELEASE] = [434, 437, 448];
const LINKAT = 37;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const O_TMPFILE = 0o20200000;
const [O_RDONLY, O_RDWR_CREAT] = [0, 0o102];

let p: TestProcess;

beforeEach(() => {
  p = new TestProcess();
});

function openat2(flags: number, mode: number, resolve = 0, more = 0, bytes = 24): number {
  const how = p.poke64(p.memory + 1000, flags, mode, resolve, more);
  return p.call(OPENAT2, AT_FDCWD, p.pokeText(p.memory, "/tmp/file"), how, bytes);
}

test("openat2 refuses what openat does not look at", () => {
  expect(openat2(O_RDWR_CREAT, 0o600)).toBeGreaterThan(2);
  expect(openat2(O_RDWR_CREAT, 0, 0, 0, 32)).toBeGreaterThan(2);
  expect(openat2(O_RDWR_CREAT, 0, 0, 1, 32)).toBe(-E2BIG);
  expect([openat2(0, 0, 0, 0, 16), openat2(0, 0, 0, 0, 5000)]).toEqual([-EINVAL, -E2BIG]);
  expect([openat2(O_RDONLY, 0o600), openat2(O_RDWR_CREAT, 0o100000)]).toEqual([-EINVAL, -EINVAL]);
  expect([openat2(2 ** 40, 0), openat2(1 << 30, 0), openat2(O_RDONLY, 0, 1 << 20)]).toEqual([
    -EINVAL,
    -EINVAL,
    -EINVAL,
  ]);
});

test("a file of O_TMPFILE has no name, and gets one unless O_EXCL forbids it", () => {
  const open = (path: string, flags: number) => p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), flags, 0o600);
  const link = (fd: number) =>
    p.call(LINKAT, fd, p.pokeText(p.memory, ""), AT_FDCWD, p.pokeText(p.memory + 100, "/tmp/named"), AT_EMPTY_PATH);
  const fd = open("/tmp", O_TMPFILE | 2);
  expect(p.call(NR.write, fd, p.memory, 5)).toBe(5);
  expect([link(fd), p.call(NR.read, open("/tmp/named", 0), p.memory, 10)]).toEqual([0, 5]);
  expect(p.call(NR.unlinkat, AT_FDCWD, p.pokeText(p.memory, "/tmp/named"), 0)).toBe(0);
  expect([link(fd), link(open("/tmp", O_TMPFILE | 0o202))]).toEqual([-ENOENT, -ENOENT]);
  const refused = [open("/tmp", O_TMPFILE), open("/tmp", O_TMPFILE | 0o102), open("/tmp", (O_TMPFILE & ~0o200000) | 2)];
  expect(refused).toEqual([-EINVAL, -EINVAL, -EINVAL]);
  expect([open("/nowhere", O_TMPFILE | 2), open("/proc", O_TMPFILE | 2)]).toEqual([-ENOENT, -EOPNOTSUPP]);
  const before = [POOL_INODE, POOL_DENTRY].map((pool) => kmemCacheLive(p.shared, pool));
  for (let i = 0; i < 10; i++) p.call(NR.close, open("/tmp", O_TMPFILE | 2));
  expect([POOL_INODE, POOL_DENTRY].map((pool) => kmemCacheLive(p.shared, pool))).toEqual(before);
});

test("sync_file_range and the flags of pwritev2 are checked, and there is nothing to do", () => {
  const fd = openat2(O_RDWR_CREAT, 0o600);
  expect(p.call(PIPE2, p.memory, 0)).toBe(0);
  const pipe = p.peek32(p.memory);
  const sync = (file: number, offset: number, flags: number) => p.call(SYNC_FILE_RANGE, file, offset, 0, flags);
  expect([sync(fd, 0, 7), sync(fd, 0, 8), sync(fd, -1, 0), sync(pipe, 0, 0)]).toEqual([0, -EINVAL, -EINVAL, -ESPIPE]);
  const iovec = p.poke64(p.memory, p.memory + 64, 3);
  expect(p.call(PWRITEV2, fd, iovec, 1, 0, 0, 4)).toBe(3);
  expect(p.call(PWRITEV2, fd, iovec, 1, 0, 0, 1 << 20)).toBe(-EOPNOTSUPP);
});

test("sched_setattr sets nice, sched_getattr tells it", () => {
  const attr = p.memory;
  const set = (bytes: number, policy: number, nice: number) => {
    p.poke(attr, new Uint8Array(56));
    p.poke32(attr, bytes);
    p.poke32(attr + 4, policy);
    p.poke32(attr + 16, nice);
    return p.call(SCHED_SETATTR, 0, attr, 0);
  };
  expect([set(0, 0, 5), set(48, 0, 30), set(48, 77, 0), set(20, 0, 0)]).toEqual([0, 0, -EINVAL, -E2BIG]);
  expect(p.peek32(attr)).toBe(56);
  const get = (pid: number, bytes: number, flags = 0) => p.call(SCHED_GETATTR, pid, attr, bytes, flags);
  expect([get(0, 40), get(0, 5000), get(0, 56, 1), get(99999, 56)]).toEqual([-EINVAL, -EINVAL, -EINVAL, -ESRCH]);
  expect(get(0, 48)).toBe(0);
  expect([p.peek32(attr), p.peek32(attr + 16)]).toEqual([48, 19]);
});

test("process_mrelease wants a process that is dying", () => {
  const own = p.call(PIDFD_OPEN, p.call(NR.getpid), 0);
  expect(p.call(PROCESS_MRELEASE, own, 0)).toBe(-EINVAL);
  expect(p.call(PROCESS_MRELEASE, own, 1)).toBe(-EINVAL);
  expect(p.call(PROCESS_MRELEASE, 0, 0)).toBe(-EBADF);
});

test("F_SEAL_WRITE is EBUSY while somebody could write through a shared mapping, also one made read-only since", () => {
  const [MEMFD_CREATE, FTRUNCATE, MPROTECT, MUNMAP] = [279, 46, 226, 215];
  const [ADD_SEALS, GET_SEALS] = [1033, 1034];
  const [SEAL, SHRINK, GROW, WRITE] = [1, 2, 4, 8];
  const fd = p.call(MEMFD_CREATE, p.pokeText(p.memory, "sealed"), 2);
  expect(p.call(FTRUNCATE, fd, 4096)).toBe(0);
  const area = p.call(NR.mmap, 0, 4096, 3, 1, fd, 0);
  const add = (seals: number) => p.call(NR.fcntl, fd, ADD_SEALS, seals);
  expect([add(WRITE), p.call(MPROTECT, area, 4096, 1), add(WRITE | GROW)]).toEqual([-EBUSY, 0, -EBUSY]);
  expect([p.call(NR.fcntl, fd, GET_SEALS, 0), add(1 << 10)]).toEqual([0, -EINVAL]);
  expect([p.call(MUNMAP, area, 4096), add(WRITE), p.call(NR.write, fd, p.memory, 1)]).toEqual([0, 0, -EPERM]);
  expect([add(SEAL), add(SHRINK), p.call(NR.fcntl, fd, GET_SEALS, 0)]).toEqual([0, -EPERM, WRITE | SEAL]);
});

test("F_SEAL_EXEC of a file that may be executed seals its contents too", () => {
  const [MEMFD_CREATE, FCHMOD, ADD_SEALS, GET_SEALS, EXEC] = [279, 52, 1033, 1034, 0x20];
  const sealed = (mode: number) => {
    const fd = p.call(MEMFD_CREATE, p.pokeText(p.memory, "sealed"), 2);
    expect([p.call(FCHMOD, fd, mode), p.call(NR.fcntl, fd, ADD_SEALS, EXEC)]).toEqual([0, 0]);
    return p.call(NR.fcntl, fd, GET_SEALS, 0);
  };
  expect([sealed(0o600), sealed(0o700)]).toEqual([EXEC, EXEC | 0x1e]);
});

test("pidfd_send_signal takes /proc/PID for a pidfd, but nothing else of /proc", () => {
  const PIDFD_SEND_SIGNAL = 424;
  const open = (path: string, flags = 0) => p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), flags, 0);
  const child = p.call(NR.clone, 17);
  const probe = (path: string, flags = 0) => p.call(PIDFD_SEND_SIGNAL, open(path, flags), 0, 0, 0);
  expect([probe(`/proc/${child}`), probe("/proc/self")]).toEqual([0, 0]);
  const others = ["/proc", "/proc/self/fd", `/proc/self/task/1`, "/proc/self/stat", "/tmp"];
  expect(others.map((path) => probe(path))).toEqual(others.map(() => -EBADF));
  const fd = open(`/proc/${child}`);
  expect(p.call(PIDFD_SEND_SIGNAL, fd, 9, 0, 0)).toBe(0);
  p.call(NR.sched_yield);
  expect(p.switchTask()).toBe(child);
  p.deliverSignals();
  expect(p.switchTask()).toBe(1);
  expect(p.call(NR.wait4, child, 0, 0, 0)).toBe(child);
  expect(p.call(PIDFD_SEND_SIGNAL, fd, 0, 0, 0)).toBe(-ESRCH);
});

test("SCHED_BATCH and SCHED_IDLE are kept by sched_setparam and inherited; real-time policies can not be had", () => {
  const [SETPARAM, SETSCHEDULER, GETSCHEDULER] = [118, 119, 120];
  const set = (policy: number, priority = 0) => p.call(SETSCHEDULER, 0, policy, p.poke32(p.memory, priority));
  for (const policy of [3, 5, 0, 3]) expect([set(policy), p.call(GETSCHEDULER, 0)]).toEqual([0, policy]);
  expect([set(1, 1), set(2, 1), set(3, 1), set(4), set(-1), set(7)]).toEqual(Array(6).fill(-EINVAL));
  expect([p.call(SETPARAM, 0, p.poke32(p.memory, 0)), p.call(GETSCHEDULER, 0)]).toEqual([0, 3]);
  expect(p.call(GETSCHEDULER, p.call(NR.clone, 17))).toBe(3);
  expect(p.call(SCHED_GETATTR, 0, p.memory, 56, 0)).toBe(0);
  expect(p.peek32(p.memory + 4)).toBe(3);
});

test("priorities of a group are those of all its processes, of which the highest is told", () => {
  const [SETPRIORITY, GETPRIORITY, SETPGID] = [140, 141, 154];
  const [PROCESS, GROUP, USER] = [0, 1, 2];
  const [first, second] = [p.call(NR.clone, 17), p.call(NR.clone, 17)];
  expect([p.call(SETPGID, first, first), p.call(SETPGID, second, first)]).toEqual([0, 0]);
  expect(p.call(SETPRIORITY, GROUP, first, 7)).toBe(0);
  const nice = (which: number, who: number) => 20 - p.call(GETPRIORITY, which, who);
  expect([nice(PROCESS, first), nice(PROCESS, second), nice(PROCESS, 1)]).toEqual([7, 7, 0]);
  expect([p.call(SETPRIORITY, PROCESS, second, -3), nice(GROUP, first), nice(GROUP, 0)]).toEqual([0, -3, 0]);
  expect([nice(USER, 0), p.call(SETPRIORITY, USER, 0, 2), nice(PROCESS, first)]).toEqual([-3, 0, 2]);
  expect([p.call(GETPRIORITY, GROUP, 4000), p.call(GETPRIORITY, 3, 0)]).toEqual([-ESRCH, -EINVAL]);
});
