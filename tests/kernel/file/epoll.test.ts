// epoll instances: edges, and what may be watched how. The results are those that Linux 6.18 gave the same calls.

import { beforeEach, expect, test } from "vitest";
import { EINVAL } from "../../../host/memory/errno.ts";
import { NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const [EVENTFD2, EPOLL_CREATE1, EPOLL_CTL, EPOLL_PWAIT, PIPE2] = [19, 20, 21, 22, 59];
const [TIMERFD_CREATE, TIMERFD_SETTIME] = [85, 86];
const [ADD, MOD] = [1, 3];
const [IN, OUT, EXCLUSIVE, ET] = [1, 4, 1 << 28, 1 << 31];
const O_NONBLOCK = 0o4000;

let p: TestProcess;
let epoll: number;
beforeEach(() => {
  p = new TestProcess();
  epoll = p.call(EPOLL_CREATE1, 0);
});

function control(operation: number, fd: number, events: number): number {
  return p.call(EPOLL_CTL, epoll, operation, fd, p.poke32(p.memory, events, 0, fd, 0));
}

/** Pairs {descriptor, events}, without waiting. */
function ready(): [number, number][] {
  const count = p.call(EPOLL_PWAIT, epoll, p.memory, 8, 0, 0, 8);
  return Array.from({ length: count }, (_, i) => [p.peek32(p.memory + 16 * i + 8), p.peek32(p.memory + 16 * i)]);
}

function pipe(): [number, number] {
  expect(p.call(PIPE2, p.memory, O_NONBLOCK)).toBe(0);
  return [p.peek32(p.memory), p.peek32(p.memory + 4)];
}

/** Adds one to an eventfd. */
function signal(fd: number): void {
  expect(p.call(NR.write, fd, p.poke64(p.memory, 1), 8)).toBe(8);
}

test("an edge that falls between the read that drained a pipe and the next wait is not lost", () => {
  const [reader, writer] = pipe();
  expect(control(ADD, reader, IN | ET)).toBe(0);
  p.call(NR.write, writer, p.memory, 1);
  expect([ready(), ready()]).toEqual([[[reader, IN]], []]);
  expect(p.call(NR.read, reader, p.memory, 8)).toBe(1);
  p.call(NR.write, writer, p.memory, 1);
  expect([ready(), ready()]).toEqual([[[reader, IN]], []]);
});

test("bytes on top of bytes that nobody has read are an edge, a read that leaves some is none", () => {
  const [reader, writer] = pipe();
  control(ADD, reader, IN | ET);
  p.call(NR.write, writer, p.memory, 4);
  expect(ready()).toEqual([[reader, IN]]);
  p.call(NR.write, writer, p.memory, 4);
  expect(ready()).toEqual([[reader, IN]]);
  expect(p.call(NR.read, reader, p.memory, 1)).toBe(1);
  expect(ready()).toEqual([]);
});

test("a full pipe that was drained before the wait wakes its writer", () => {
  const [reader, writer] = pipe();
  control(ADD, writer, OUT | ET);
  expect([ready(), ready()]).toEqual([[[writer, OUT]], []]);
  while (p.call(NR.write, writer, p.memory, 4096) > 0);
  while (p.call(NR.read, reader, p.memory, 4096) > 0);
  expect([ready(), ready()]).toEqual([[[writer, OUT]], []]);
});

test("each write to an eventfd that nobody reads is an edge", () => {
  const fd = p.call(EVENTFD2, 0, O_NONBLOCK);
  control(ADD, fd, IN | ET);
  for (let i = 0; i < 3; i++) {
    signal(fd);
    expect([ready(), ready()]).toEqual([[[fd, IN]], []]);
  }
  expect(p.call(NR.write, fd, p.memory, 16)).toBe(-EINVAL);
  expect(p.call(NR.read, fd, p.memory, 8)).toBe(8);
  signal(fd);
  expect(ready()).toEqual([[fd, IN]]);
});

test("a timer that is read and expires again before the wait is an edge", () => {
  const fd = p.call(TIMERFD_CREATE, 1, O_NONBLOCK);
  control(ADD, fd, IN | ET);
  for (let i = 0; i < 2; i++) {
    expect(p.call(TIMERFD_SETTIME, fd, 0, p.poke64(p.memory, 0, 0, 0, 1000), 0)).toBe(0);
    p.now += 5000;
    p.expireTimers();
    expect([ready(), ready()]).toEqual([[[fd, IN]], []]);
    expect(p.call(NR.read, fd, p.memory, 8)).toBe(8);
  }
});

test("EPOLLEXCLUSIVE is for EPOLL_CTL_ADD, with few other bits", () => {
  const [reader, writer] = pipe();
  expect(control(ADD, reader, EXCLUSIVE | IN)).toBe(0);
  expect([control(MOD, reader, IN), control(MOD, reader, EXCLUSIVE | IN)]).toEqual([-EINVAL, -EINVAL]);
  expect(control(ADD, writer, EXCLUSIVE | OUT | 2)).toBe(-EINVAL);
  expect([control(ADD, writer, OUT), control(MOD, writer, EXCLUSIVE | OUT)]).toEqual([0, -EINVAL]);
});
