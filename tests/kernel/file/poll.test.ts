// ppoll, read and FIONREAD on the console's input.

import { beforeEach, describe, expect, test } from "vitest";
import {
  CONSOLE_INPUT_EOF,
  MACHINE_BASE,
  MACHINE_CONSOLE_FLAGS,
  MACHINE_CONSOLE_READERS,
  WAITQ_HEAD,
} from "../../../assembly/layout.ts";
import { CONSOLE_IN } from "../../../host/devices/console.ts";
import { ringAddress, setRingTail } from "../../../host/devices/ring.ts";
import { replaceFd } from "../../../host/kernel/file/files.ts";
import { WAIT } from "../../../host/kernel/sched/wait.ts";
import { EAGAIN, EBADF, EFAULT, EINVAL, ERESTARTNOHAND } from "../../../host/memory/errno.ts";
import { BAD_ADDRESS, NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const POLLIN = 1;
const POLLOUT = 4;
const POLLNVAL = 32;
const FIONREAD = 0x541b;
const O_NONBLOCK = 0o4000;

let p: TestProcess;
beforeEach(() => {
  p = new TestProcess();
});

/** What the main thread does with bytes from its stdin. */
function type(text: string): void {
  const bytes = new TextEncoder().encode(text);
  bytes.forEach((byte, i) => {
    p.shared.u8[ringAddress(CONSOLE_IN, i)] = byte;
  });
  setRingTail(p.shared, CONSOLE_IN, bytes.length);
}

function pollFds(...fds: [number, number][]): number {
  return p.poke32(p.memory, ...fds.flat());
}

function revents(index: number): number {
  return p.peek32(p.memory + index * 8 + 4) >>> 16;
}

test("a read whose descriptor was closed while it waited leaves the queue of readers", () => {
  const fd = p.call(NR.dup, 0);
  expect(p.call(NR.read, fd, p.memory, 1)).toBe(WAIT);
  expect(p.machine(MACHINE_CONSOLE_READERS + WAITQ_HEAD)).not.toBe(0);
  replaceFd(p.hart, fd, 0, 0); // as another thread would; the file itself stays open as 0
  expect(p.restart()).toBe(-EBADF);
  expect(p.machine(MACHINE_CONSOLE_READERS + WAITQ_HEAD)).toBe(0);
});

test("another call in place of one that waits is a call of its own", () => {
  expect(p.call(NR.read, 0, p.memory, 1)).toBe(WAIT);
  expect(p.call(NR.getpid)).toBe(1);
  expect(p.machine(MACHINE_CONSOLE_READERS + WAITQ_HEAD)).toBe(0);
});

describe("ppoll", () => {
  test("reports what is ready, a descriptor that is closed, and skips negative ones", () => {
    type("x");
    pollFds([0, POLLIN], [1, POLLIN | POLLOUT], [30, POLLIN], [-1, POLLIN], [0, POLLOUT]);
    expect(p.call(NR.ppoll, p.memory, 5, 0, 0, 8)).toBe(3);
    expect([0, 1, 2, 3, 4].map(revents)).toEqual([POLLIN, POLLOUT, POLLNVAL, 0, 0]);
  });

  test("waits for input, and ends at its timeout with nothing", () => {
    pollFds([0, POLLIN]);
    const timeout = p.poke64(p.memory + 64, 1, 0);
    expect(p.call(NR.ppoll, p.memory, 1, timeout, 0, 8)).toBe(WAIT);
    p.now += 1e9;
    expect(p.restart()).toBe(0);
    expect(p.call(NR.ppoll, p.memory, 1, 0, 0, 8)).toBe(WAIT);
    type("abc");
    expect(p.restart()).toBe(1);
    expect(p.call(NR.ioctl, 0, FIONREAD, p.memory)).toBe(0);
    expect(p.peek32(p.memory)).toBe(3);
  });

  test("ends by a signal, and refuses bad arguments", () => {
    pollFds([0, POLLIN]);
    expect(p.call(NR.ppoll, p.memory, 1, 0, 0, 8)).toBe(WAIT);
    p.signalCurrent(10);
    expect(p.restart()).toBe(-ERESTARTNOHAND);
    expect(p.call(NR.ppoll, p.memory, 5000, 0, 0, 8)).toBe(-EINVAL);
    expect(p.call(NR.ppoll, BAD_ADDRESS, 1, 0, 0, 8)).toBe(-EFAULT);
  });
});

describe("read", () => {
  test("waits for the first byte and then takes what is there, into all its buffers", () => {
    expect(p.call(NR.read, 0, p.memory, 10)).toBe(WAIT);
    type("hello");
    expect(p.restart()).toBe(5);
    type("hello, more");
    p.poke64(p.memory, p.memory + 256, 2, p.memory + 512, 100);
    expect(p.call(NR.readv, 0, p.memory, 2)).toBe(6);
    expect(new TextDecoder().decode(p.peek(p.memory + 256, 2))).toBe(", ");
    expect(new TextDecoder().decode(p.peek(p.memory + 512, 4))).toBe("more");
  });

  test("gives 0 at the end of the input, and EAGAIN if it may not block", () => {
    expect(p.call(NR.fcntl, 0, 4, O_NONBLOCK)).toBe(0);
    expect(p.call(NR.read, 0, p.memory, 10)).toBe(-EAGAIN);
    p.shared.fetchOr(MACHINE_BASE + MACHINE_CONSOLE_FLAGS, CONSOLE_INPUT_EOF);
    expect(p.call(NR.read, 0, p.memory, 10)).toBe(0);
    expect(p.call(NR.read, 1, p.memory, 10)).toBe(-EBADF);
    expect(p.call(NR.read, 9, BAD_ADDRESS, 10)).toBe(-EBADF);
  });
});
