// Descriptor and path calls on the console: results and errno, in Linux's order of checks.

import { beforeEach, describe, expect, test } from "vitest";
import { CONSOLE_OUTPUT_CLOSED, MACHINE_BASE, MACHINE_CONSOLE_FLAGS } from "../../../assembly/layout.ts";
import { WAIT } from "../../../host/kernel/sched/wait.ts";
import {
  EAGAIN,
  EBADF,
  EFAULT,
  EINVAL,
  EMFILE,
  ENOENT,
  ENOSYS,
  ENOTDIR,
  ENOTTY,
  EPIPE,
  ESPIPE,
} from "../../../host/memory/errno.ts";
import { BAD_ADDRESS, NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;
const O_NONBLOCK = 0o4000;

let p: TestProcess;
beforeEach(() => {
  p = new TestProcess();
});

describe("write", () => {
  test("takes bytes, and says EBADF before EFAULT", () => {
    p.pokeText(p.memory, "hello");
    expect(p.call(NR.write, 1, p.memory, 5)).toBe(5);
    expect(p.call(NR.write, 1, p.memory, 0)).toBe(0);
    expect(p.call(NR.write, 77, BAD_ADDRESS, 5)).toBe(-EBADF);
    expect(p.call(NR.write, 0, p.memory, 5)).toBe(-EBADF);
    expect(p.call(NR.write, 1, BAD_ADDRESS, 5)).toBe(-EFAULT);
    expect(p.call(NR.write, 1, p.memory, -1)).toBe(-EINVAL);
  });

  test("gathers an iovec, skips empty pieces, refuses a negative count or length", () => {
    p.pokeText(p.memory + 1024, "hello, world");
    p.poke64(p.memory, p.memory + 1024, 5, 0, 0, p.memory + 1029, 7);
    expect(p.call(NR.writev, 1, p.memory, 3)).toBe(12);
    expect(p.call(NR.writev, 1, p.memory, -1)).toBe(-EINVAL);
    expect(p.call(NR.writev, 1, p.memory, 1025)).toBe(-EINVAL);
    p.poke64(p.memory, p.memory + 1024, -1);
    expect(p.call(NR.writev, 1, p.memory, 1)).toBe(-EINVAL);
    expect(p.call(NR.writev, 1, BAD_ADDRESS, 1)).toBe(-EFAULT);
  });

  test("waits when the ring is full, or says EAGAIN if the descriptor does not block", () => {
    const big = p.call(NR.mmap, 0, 1 << 20, 3, 0x22, -1, 0);
    expect(p.call(NR.write, 1, big, 1 << 20)).toBe(WAIT);
    expect(p.call(NR.fcntl, 1, 4, O_NONBLOCK)).toBe(0);
    expect(p.call(NR.write, 1, big, 4096)).toBe(-EAGAIN);
  });

  test("to a closed stream is EPIPE with SIGPIPE pending", () => {
    p.shared.fetchOr(MACHINE_BASE + MACHINE_CONSOLE_FLAGS, CONSOLE_OUTPUT_CLOSED);
    expect(p.call(NR.write, 1, p.memory, 5)).toBe(-EPIPE);
  });
});

describe("descriptors", () => {
  test("dup takes the lowest free one, dup3 the one it is told, close frees it", () => {
    expect(p.call(NR.dup, 1)).toBe(3);
    expect(p.call(NR.dup3, 1, 9, 0)).toBe(9);
    expect(p.call(NR.dup3, 1, 1, 0)).toBe(-EINVAL);
    expect(p.call(NR.dup3, 1, 1024, 0)).toBe(-EBADF);
    expect(p.call(NR.dup3, 50, 4, 0)).toBe(-EBADF);
    expect(p.call(NR.close, 3)).toBe(0);
    expect(p.call(NR.close, 3)).toBe(-EBADF);
    expect(p.call(NR.dup, 2)).toBe(3);
    expect(p.call(NR.dup, -1)).toBe(-EBADF);
  });

  test("end at RLIMIT_NOFILE", () => {
    let last = 0;
    while (last >= 0) last = p.call(NR.dup, 1);
    expect(last).toBe(-EMFILE);
    expect(p.call(NR.write, 1023, p.memory, 1)).toBe(1);
  });

  test("fcntl duplicates from a number on, keeps close-on-exec and the status flags", () => {
    expect(p.call(NR.fcntl, 1, 1030, 20)).toBe(20);
    expect(p.call(NR.fcntl, 20, 1)).toBe(1);
    expect(p.call(NR.fcntl, 20, 2, 0)).toBe(0);
    expect(p.call(NR.fcntl, 20, 1)).toBe(0);
    expect(p.call(NR.fcntl, 1, 3)).toBe(1);
    expect(p.call(NR.fcntl, 1, 4, O_NONBLOCK)).toBe(0);
    expect(p.call(NR.fcntl, 20, 3)).toBe(1 | O_NONBLOCK);
    expect(p.call(NR.fcntl, 1, 0, 5000)).toBe(-EINVAL);
    expect(p.call(NR.fcntl, 1, 999)).toBe(-EINVAL);
    expect(p.call(NR.fcntl, 99, 3)).toBe(-EBADF);
  });

  test("have no position", () => {
    expect(p.call(NR.lseek, 1, 0, 0)).toBe(-ESPIPE);
    expect(p.call(NR.lseek, 99, 0, 0)).toBe(-EBADF);
    expect(p.call(NR.pread64, 0, p.memory, 1, 0)).toBe(-ESPIPE);
  });
});

describe("stat", () => {
  test("shows a pipe, or a character device if the host is a terminal", () => {
    expect(p.call(NR.fstat, 1, p.memory)).toBe(0);
    expect(p.peek32(p.memory + 16) & 0o170000).toBe(S_IFIFO);
    expect(p.call(NR.ioctl, 1, 0x5401, p.memory)).toBe(-ENOTTY);
    const tty = new TestProcess({ terminal: { columns: 90, rows: 25 } });
    expect(tty.call(NR.fstat, 1, tty.memory)).toBe(0);
    expect(tty.peek32(tty.memory + 16) & 0o170000).toBe(S_IFCHR);
    expect(tty.call(NR.ioctl, 1, 0x5401, tty.memory)).toBe(0);
    expect(tty.call(NR.ioctl, 1, 0x5413, tty.memory)).toBe(0);
    expect(tty.peek32(tty.memory)).toBe(25 | (90 << 16));
  });

  test("newfstatat and statx take an empty path", () => {
    const empty = p.pokeText(p.memory + 512, "");
    expect(p.call(NR.newfstatat, 1, empty, p.memory, AT_EMPTY_PATH)).toBe(0);
    expect(p.call(NR.newfstatat, 1, empty, p.memory, 0)).toBe(-ENOENT);
    expect(p.call(NR.newfstatat, 44, empty, p.memory, AT_EMPTY_PATH)).toBe(-EBADF);
    expect(p.call(NR.newfstatat, 1, empty, p.memory, 0x8000)).toBe(-EINVAL);
    expect(p.call(NR.statx, 1, empty, AT_EMPTY_PATH, 0x7ff, p.memory)).toBe(0);
    expect(p.peek32(p.memory) & 0x7ff).toBe(0x7ff);
  });
});

describe("paths", () => {
  test("lead nowhere", () => {
    const name = p.pokeText(p.memory, "/etc/passwd");
    const relative = p.pokeText(p.memory + 100, "x");
    expect(p.call(NR.openat, AT_FDCWD, name, 0)).toBe(-ENOENT);
    expect(p.call(NR.openat, AT_FDCWD, relative, 0)).toBe(-ENOENT);
    expect(p.call(NR.openat, 1, relative, 0)).toBe(-ENOTDIR);
    expect(p.call(NR.openat, 40, relative, 0)).toBe(-EBADF);
    expect(p.call(NR.openat, AT_FDCWD, BAD_ADDRESS, 0)).toBe(-EFAULT);
    expect(p.call(NR.faccessat, AT_FDCWD, name, 4)).toBe(-ENOENT);
  });

  test("/proc/self/exe is the program, cut to the buffer", () => {
    const name = p.pokeText(p.memory, "/proc/self/exe");
    const length = p.call(NR.readlinkat, AT_FDCWD, name, p.memory + 512, 400);
    expect(new TextDecoder().decode(p.peek(p.memory + 512, length))).toMatch(/prebuilt\/hello$/);
    expect(p.call(NR.readlinkat, AT_FDCWD, name, p.memory + 512, 4)).toBe(4);
    expect(p.call(NR.readlinkat, AT_FDCWD, name, p.memory + 512, 0)).toBe(-EINVAL);
  });
});

test("a call that does not exist is ENOSYS, whatever its number", () => {
  for (const number of [425, 442, 511, 512, 100000, -1, 2 ** 32 + NR.getpid]) {
    expect(p.call(number), String(number)).toBe(-ENOSYS);
  }
});

test("flock leaves the record locks of the same open file alone", () => {
  const path = p.pokeText(p.memory, "/tmp/locked");
  const [one, other] = [0, 1].map(() => p.call(NR.openat, AT_FDCWD, path, 0o102, 0o600));
  p.poke(p.memory + 1024, new Uint8Array(32));
  p.poke32(p.memory + 1024, 1); // F_WRLCK, all of it
  const F_OFD_SETLK = 37;
  expect(p.call(NR.fcntl, one, F_OFD_SETLK, p.memory + 1024)).toBe(0);
  expect(p.call(32, one, 2)).toBe(0); // flock, LOCK_EX
  expect(p.call(NR.fcntl, other, F_OFD_SETLK, p.memory + 1024)).toBe(-EAGAIN);
});
