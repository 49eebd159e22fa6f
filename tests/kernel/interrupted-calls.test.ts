// Every call that can wait, at each point where it is entered again: woken without a reason it waits again, a signal
// ends it as it does in Linux, and a death on the queue leaves nothing behind.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { TASK_STATE, TASK_UNINTERRUPTIBLE, TASK_WAIT_QUEUE } from "../../assembly/layout.ts";
import { UFFD_FEATURE_EVENT_REMOVE, UFFD_FEATURE_EVENT_UNMAP } from "../../host/kernel/memory/userfaultfd-uapi.ts";
import { groupExit } from "../../host/kernel/process/exit.ts";
import { WAIT } from "../../host/kernel/sched/wait.ts";
import {
  EINTR,
  ERESTARTNOHAND,
  ERESTARTNOINTR,
  ERESTARTSYS,
  ERESTART_RESTARTBLOCK as RESTARTBLOCK,
} from "../../host/memory/errno.ts";
import { PREBUILT, ROOT } from "../support/paths.ts";
import { NR, THREAD_FLAGS } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const SIGUSR1 = 10;
const SIGCHLD = 17;
const AT_FDCWD = -100;
const O_RDWR_CREAT = 0o102;
const CLONE_VFORK = 0x4000;
const PIPE_BYTES = 65536;
const [MKNODAT, FLOCK, PIPE2, SENDFILE, PSELECT6, EVENTFD2, EPOLL_CREATE1, EPOLL_PWAIT] = [
  33, 32, 59, 71, 72, 19, 20, 22,
];
const [SIGNALFD4, TIMERFD_CREATE, SIGSUSPEND, SIGTIMEDWAIT, USERFAULTFD] = [74, 85, 133, 137, 282];
const FUTEX_LOCK_PI = 6;
const [F_SETLKW, F_OFD_SETLKW] = [7, 38];

const HELLO = readFileSync(`${PREBUILT}/hello`);
/** A function that makes its task wait, not one that hands on what another said. */
const WAITS = /(?:return|\?|[^=!]=) WAIT\b|: WAIT;/;

interface Waiting {
  readonly name: string;
  /** Where it waits: files below host/kernel. */
  readonly where: readonly string[];
  /** Makes everything ready and returns the call that waits. */
  readonly begin: (p: TestProcess) => () => number;
  /** What a signal makes of it; null: only death ends it. */
  readonly interrupted: number | null;
  readonly terminal?: boolean;
}

function pipe(p: TestProcess): [number, number] {
  expect(p.call(PIPE2, p.memory, 0)).toBe(0);
  return [p.peek32(p.memory), p.peek32(p.memory + 4)];
}

/** A file that another open file has locked in a way that `command` must wait for. */
function lockedFile(p: TestProcess): number {
  const path = p.pokeText(p.memory + 512, "/tmp/locked");
  const other = p.call(NR.openat, AT_FDCWD, path, O_RDWR_CREAT, 0o600);
  const fd = p.call(NR.openat, AT_FDCWD, path, O_RDWR_CREAT, 0o600);
  p.poke(p.memory + 1024, new Uint8Array(32));
  p.poke32(p.memory + 1024, 1); // F_WRLCK, all of it
  expect(p.call(NR.fcntl, other, F_OFD_SETLKW, p.memory + 1024)).toBe(0);
  expect(p.call(FLOCK, other, 2)).toBe(0);
  return fd;
}

const CALLS: readonly Waiting[] = [
  {
    name: "read of an empty pipe",
    where: ["file/pipe.ts"],
    begin: (p) => {
      const [readEnd] = pipe(p);
      return () => p.call(NR.read, readEnd, p.memory, 10);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "write to a full pipe",
    where: ["file/pipe.ts"],
    begin: (p) => {
      const [, writeEnd] = pipe(p);
      expect(p.call(NR.write, writeEnd, p.memory, PIPE_BYTES)).toBe(PIPE_BYTES);
      return () => p.call(NR.write, writeEnd, p.memory, 10);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "write that has filled a pipe",
    where: ["file/pipe.ts"],
    begin: (p) => {
      const [, writeEnd] = pipe(p);
      const big = p.call(NR.mmap, 0, 2 * PIPE_BYTES, 3, 0x22, -1, 0);
      return () => p.call(NR.write, writeEnd, big, PIPE_BYTES + 1000);
    },
    interrupted: PIPE_BYTES,
  },
  {
    name: "sendfile to a full pipe",
    where: ["file/pipe.ts", "syscall/copy-range.ts"],
    begin: (p) => {
      const [, writeEnd] = pipe(p);
      expect(p.call(NR.write, writeEnd, p.memory, PIPE_BYTES)).toBe(PIPE_BYTES);
      const file = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, "/tmp/source"), O_RDWR_CREAT, 0o600);
      expect(p.call(NR.write, file, p.memory, 100)).toBe(100);
      expect(p.call(NR.lseek, file, 0, 0)).toBe(0);
      return () => p.call(SENDFILE, writeEnd, file, 0, 100);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "open of a FIFO",
    where: ["file/fifo.ts", "file/open.ts"],
    begin: (p) => {
      expect(p.call(MKNODAT, AT_FDCWD, p.pokeText(p.memory, "/tmp/fifo"), 0o010600, 0)).toBe(0);
      return () => p.call(NR.openat, AT_FDCWD, p.memory, 0, 0);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "read of an eventfd",
    where: ["file/eventfd.ts"],
    begin: (p) => {
      const fd = p.call(EVENTFD2, 0, 0);
      return () => p.call(NR.read, fd, p.memory, 8);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "write to a full eventfd",
    where: ["file/eventfd.ts"],
    begin: (p) => {
      const fd = p.call(EVENTFD2, 0, 0);
      p.poke64(p.memory, -2n);
      expect(p.call(NR.write, fd, p.memory, 8)).toBe(8);
      return () => p.call(NR.write, fd, p.poke64(p.memory, 2 ** 53), 8);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "read of a timerfd",
    where: ["time/timerfd.ts"],
    begin: (p) => {
      const fd = p.call(TIMERFD_CREATE, 1, 0);
      return () => p.call(NR.read, fd, p.memory, 8);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "read of a signalfd",
    where: ["signal/signalfd.ts"],
    begin: (p) => {
      const fd = p.call(SIGNALFD4, -1, p.poke64(p.memory, 1 << (12 - 1)), 8, 0);
      return () => p.call(NR.read, fd, p.memory, 128);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "read of a userfaultfd",
    where: ["memory/userfaultfd-read.ts"],
    begin: (p) => {
      const fd = p.call(USERFAULTFD, 0);
      expect(p.call(NR.ioctl, fd, 0xc018aa3f, p.poke64(p.memory, 0xaa, 0, 0))).toBe(0);
      return () => p.call(NR.read, fd, p.memory, 32);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "a copy from a page that userfaultfd delivers",
    where: ["syscall/enter.ts"],
    begin: (p) => {
      const area = registered(p, 0);
      return () => p.call(NR.write, 1, area, 10);
    },
    interrupted: null,
  },
  {
    name: "munmap of what a userfaultfd wants to hear of",
    where: ["memory/userfaultfd-events.ts"],
    begin: (p) => {
      const area = registered(p, UFFD_FEATURE_EVENT_UNMAP);
      return () => p.call(NR.munmap, area, 4096);
    },
    interrupted: null,
  },
  {
    name: "madvise that gives up what a userfaultfd wants to hear of",
    where: ["syscall/memory.ts"],
    begin: (p) => {
      const area = registered(p, UFFD_FEATURE_EVENT_REMOVE);
      return () => p.call(NR.madvise, area, 4096, 4);
    },
    interrupted: null,
  },
  {
    name: "read of the console",
    where: ["tty/console-io.ts"],
    begin: (p) => () => p.call(NR.read, 0, p.memory, 10),
    interrupted: -ERESTARTSYS,
  },
  {
    name: "read of a terminal",
    where: ["tty/tty-read.ts"],
    begin: (p) => () => p.call(NR.read, 0, p.memory, 10),
    interrupted: -ERESTARTSYS,
    terminal: true,
  },
  {
    name: "ppoll",
    where: ["file/poll-until.ts"],
    begin: (p) => () => p.call(NR.ppoll, 0, 0, 0, 0, 0),
    interrupted: -ERESTARTNOHAND,
  },
  {
    name: "pselect6",
    where: ["file/poll-until.ts"],
    begin: (p) => () => p.call(PSELECT6, 0, 0, 0, 0, 0, 0),
    interrupted: -ERESTARTNOHAND,
  },
  {
    name: "epoll_pwait",
    where: ["file/poll-until.ts"],
    begin: (p) => {
      const fd = p.call(EPOLL_CREATE1, 0);
      return () => p.call(EPOLL_PWAIT, fd, p.memory, 1, -1, 0);
    },
    interrupted: -EINTR,
  },
  {
    name: "nanosleep",
    where: ["syscall/time.ts"],
    begin: (p) => () => p.call(NR.nanosleep, p.poke64(p.memory, 5, 0), 0),
    interrupted: -RESTARTBLOCK,
  },
  {
    name: "clock_nanosleep to a time",
    where: ["syscall/time.ts"],
    begin: (p) => () => p.call(NR.clock_nanosleep, 1, 1, p.poke64(p.memory, 5000, 0), 0),
    interrupted: -ERESTARTNOHAND,
  },
  {
    name: "futex, for ever",
    where: ["futex/futex.ts"],
    begin: (p) => () => p.call(NR.futex, p.poke32(p.memory, 7), 0, 7, 0),
    interrupted: -ERESTARTSYS,
  },
  {
    name: "futex, for a time",
    where: ["futex/futex.ts"],
    begin: (p) => () => p.call(NR.futex, p.poke32(p.memory, 7), 0, 7, p.poke64(p.memory + 64, 5, 0)),
    interrupted: -RESTARTBLOCK,
  },
  {
    name: "futex with priority inheritance",
    where: ["futex/futex-pi.ts"],
    begin: (p) => {
      const owner = p.call(NR.clone, THREAD_FLAGS);
      return () => p.call(NR.futex, p.poke32(p.memory, owner), FUTEX_LOCK_PI, 0, 0);
    },
    interrupted: -ERESTARTNOINTR,
  },
  {
    name: "wait4",
    where: ["process/wait-child.ts"],
    begin: (p) => {
      expect(p.call(NR.clone, SIGCHLD)).toBeGreaterThan(1);
      return () => p.call(NR.wait4, -1, 0, 0, 0);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "waitid",
    where: ["process/wait-child.ts"],
    begin: (p) => {
      expect(p.call(NR.clone, SIGCHLD)).toBeGreaterThan(1);
      return () => p.call(NR.waitid, 0, 0, p.memory, 4, 0);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "rt_sigsuspend",
    where: ["syscall/sigwait.ts"],
    begin: (p) => () => p.call(SIGSUSPEND, p.poke64(p.memory, 0), 8),
    interrupted: -ERESTARTNOHAND,
  },
  {
    name: "rt_sigtimedwait",
    where: ["syscall/sigwait.ts"],
    begin: (p) => () => p.call(SIGTIMEDWAIT, p.poke64(p.memory, 1 << (12 - 1)), 0, 0, 8),
    interrupted: -EINTR,
  },
  {
    name: "flock",
    where: ["file/file-locks.ts"],
    begin: (p) => {
      const fd = lockedFile(p);
      return () => p.call(FLOCK, fd, 2);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "fcntl F_SETLKW",
    where: ["file/file-locks.ts"],
    begin: (p) => {
      const fd = lockedFile(p);
      return () => p.call(NR.fcntl, fd, F_SETLKW, p.memory + 1024);
    },
    interrupted: -ERESTARTSYS,
  },
  {
    name: "vfork",
    where: ["syscall/clone.ts"],
    begin: (p) => () => p.call(NR.clone, CLONE_VFORK | SIGCHLD),
    interrupted: null,
  },
  {
    name: "execve while there are other threads",
    where: ["process/de-thread.ts"],
    begin: (p) => {
      expect(p.call(NR.clone, THREAD_FLAGS)).toBeGreaterThan(1);
      const file = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, "/tmp/hello"), O_RDWR_CREAT, 0o755);
      expect(p.call(NR.write, file, p.poke(p.memory + 1024, HELLO), HELLO.length)).toBe(HELLO.length);
      p.call(NR.close, file);
      return () => p.call(NR.execve, p.memory, 0, 0);
    },
    interrupted: null,
  },
];

/** A page that is registered with a userfaultfd of these features. */
function registered(p: TestProcess, features: number): number {
  const fd = p.call(USERFAULTFD, 0);
  expect(p.call(NR.ioctl, fd, 0xc018aa3f, p.poke64(p.memory, 0xaa, features, 0))).toBe(0);
  const area = p.call(NR.mmap, 0, 4096, 3, 0x22, -1, 0);
  expect(p.call(NR.ioctl, fd, 0xc020aa00, p.poke64(p.memory, area, 4096, 1, 0))).toBe(0);
  return area;
}

describe.each(CALLS)("$name", ({ begin, interrupted, terminal }) => {
  const start = (): TestProcess => {
    const p = new TestProcess({ terminal: terminal ? { columns: 80, rows: 24 } : undefined });
    // With a handler: SIGUSR1 would be the end of the process.
    expect(p.call(NR.rt_sigaction, SIGUSR1, p.poke64(p.memory + 60_000, 0x10000, 0, 0), 0, 8)).toBe(0);
    expect(begin(p)()).toBe(WAIT);
    return p;
  };

  test("waits again if it is entered again for no reason", () => {
    const p = start();
    expect(p.restart()).toBe(WAIT);
    expect(p.restart()).toBe(WAIT);
  });

  test("ends when a signal comes, or goes on waiting if only death ends it", () => {
    const p = start();
    p.signalCurrent(SIGUSR1);
    expect(p.restart()).toBe(interrupted ?? WAIT);
    if (interrupted !== null) expect(p.shared.get(p.hart.current + TASK_WAIT_QUEUE)).toBe(0);
    else expect(p.shared.get(p.hart.current + TASK_STATE)).toBe(TASK_UNINTERRUPTIBLE);
  });

  test("ends when a signal comes after it was entered twice", () => {
    if (interrupted === null) return;
    const p = start();
    expect(p.restart()).toBe(WAIT);
    p.signalCurrent(SIGUSR1);
    expect(p.restart()).toBe(interrupted);
  });

  test("can be killed while it waits", () => {
    const p = start();
    const task = p.hart.current;
    groupExit(p.hart, 9);
    expect(p.shared.get(task + TASK_WAIT_QUEUE)).toBe(0);
  });
});

test("no other call waits: each `return WAIT` of the kernel has its row above", () => {
  const kernel = `${ROOT}/host/kernel`;
  const files = readdirSync(kernel, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const waits = files.filter((file) => WAITS.test(readFileSync(`${kernel}/${file}`, "utf8")));
  const covered = CALLS.flatMap(({ where }) => where);
  expect(covered.filter((name) => !files.includes(name))).toEqual([]);
  expect(waits.length).toBeGreaterThan(10);
  expect(waits.filter((file) => !covered.includes(file))).toEqual([]);
});
