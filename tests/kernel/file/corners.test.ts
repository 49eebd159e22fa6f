// Corners of calls on files, where a result is easily another one. They are those that Linux 6.18 gave.

import { beforeEach, expect, test } from "vitest";
import { EBADF, EFAULT, EINVAL, ENOENT, ENOTTY } from "../../../host/memory/errno.ts";
import { BAD_ADDRESS, NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const [PIPE2, GETDENTS64, COPY_FILE_RANGE, UTIMENSAT] = [59, 61, 285, 88];
const AT_FDCWD = -100;
const [O_RDONLY, O_RDWR, O_CREAT, O_DIRECTORY, O_PATH] = [0, 2, 0o100, 0o200000, 0o10000000];
const SEEK_SET = 0;

let p: TestProcess;
let file: number;
beforeEach(() => {
  p = new TestProcess();
  file = open("/tmp/file", O_RDWR | O_CREAT);
  expect(p.call(NR.write, file, p.pokeText(p.memory, "hello"), 5)).toBe(5);
});

function open(path: string, flags: number): number {
  return p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory + 1000, path), flags, 0o600);
}

test("lseek goes no further than the largest file", () => {
  const last = 2 ** 42 - 4096; // files end at 4 TiB
  expect(p.call(NR.lseek, file, last, SEEK_SET)).toBe(last);
  for (const far of [2 ** 43, 2 ** 62, 2 ** 63 - 1024]) expect(p.call(NR.lseek, file, far, SEEK_SET)).toBe(-EINVAL);
});

test("a read at the end of the file gives 0, and looks at no buffer", () => {
  expect(p.call(NR.read, file, BAD_ADDRESS, 10)).toBe(0);
  expect(p.call(NR.pread64, file, BAD_ADDRESS, 10, 5)).toBe(0);
  expect(p.call(NR.pread64, file, BAD_ADDRESS, 10, 4)).toBe(-EFAULT);
});

test("the empty path is no link: ENOENT, where a file's own name is EINVAL", () => {
  const link = (path: string) => p.call(NR.readlinkat, AT_FDCWD, p.pokeText(p.memory, path), p.memory + 1000, 10);
  expect([link(""), link("/tmp/file")]).toEqual([-ENOENT, -EINVAL]);
});

test("copy_file_range past the end copies nothing, and overlaps nothing", () => {
  const copy = (from: number, to: number, bytes: number) =>
    p.call(COPY_FILE_RANGE, file, p.poke64(p.memory, from), file, p.poke64(p.memory + 8, to), bytes, 0);
  expect([copy(5, 5, 100), copy(0, 5, 100), copy(0, 4, 100)]).toEqual([0, 5, -EINVAL]);
});

test("a directory that was only named is EBADF for getdents64", () => {
  expect(p.call(GETDENTS64, open("/tmp", O_PATH), p.memory, 1000)).toBe(-EBADF);
  expect(p.call(GETDENTS64, open("/tmp", O_RDONLY | O_DIRECTORY), p.memory, 1000)).toBeGreaterThan(0);
});

test("utimensat without a path and without a descriptor is EFAULT", () => {
  expect(p.call(UTIMENSAT, AT_FDCWD, 0, 0, 0)).toBe(-EFAULT);
  expect(p.call(UTIMENSAT, file, 0, 0, 0)).toBe(0);
});

test("FIONREAD of a file is what is left of it", () => {
  const [FIONREAD, FIGETBSZ] = [0x541b, 2];
  const asked = (request: number) => [p.call(NR.ioctl, file, request, p.memory), p.peek32(p.memory)];
  expect(p.call(NR.lseek, file, 2, SEEK_SET)).toBe(2);
  expect([asked(FIONREAD), asked(FIGETBSZ)]).toEqual([
    [0, 3],
    [0, 4096],
  ]);
  expect(p.call(NR.ioctl, file, 0x5401, p.memory)).toBe(-ENOTTY);
});

test("F_GETOWN_EX says whether the owner is a process or a group", () => {
  const [SETOWN, SETOWN_EX, GETOWN_EX] = [8, 15, 16];
  const owner = () => [p.call(NR.fcntl, file, GETOWN_EX, p.memory), p.peek32(p.memory), p.peek32(p.memory + 4)];
  expect(p.call(NR.fcntl, file, SETOWN, 7)).toBe(0);
  expect(owner()).toEqual([0, 1, 7]);
  expect(p.call(NR.fcntl, file, SETOWN_EX, p.poke32(p.memory, 2, 9))).toBe(0);
  expect(owner()).toEqual([0, 2, 9]);
  expect(p.call(NR.fcntl, file, SETOWN_EX, p.poke32(p.memory, 3, 9))).toBe(-EINVAL);
});

test("F_SETPIPE_SZ of 0 is one page, of more than 2 GiB EINVAL", () => {
  const SETPIPE_SZ = 1031;
  expect(p.call(PIPE2, p.memory, 0)).toBe(0);
  const fd = p.peek32(p.memory);
  expect([p.call(NR.fcntl, fd, SETPIPE_SZ, 0), p.call(NR.fcntl, fd, SETPIPE_SZ, -1)]).toEqual([4096, -EINVAL]);
});
