// Processes, call by call: fork and wait on one hart, whose turn it is decided by the test.

import { beforeEach, describe, expect, test } from "vitest";
import {
  MACHINE_BASE,
  MACHINE_EXIT_STATUS,
  MACHINE_STOP,
  MACHINE_TASK_COUNT,
  MACHINE_TASK_COUNT_MAX,
  PSIG_STOP_COUNT,
  STOP_EXIT,
  STOP_NONE,
  TASK_PROCESS,
  TASK_STOP_PENDING,
} from "../../../assembly/layout.ts";
import { findTask } from "../../../host/kernel/process/task.ts";
import { NO_RETURN, WAIT } from "../../../host/kernel/sched/wait.ts";
import { psigOf } from "../../../host/kernel/signal/sigqueue.ts";
import { E2BIG, EAGAIN, ECHILD, EFAULT, EINVAL, ERESTARTNOINTR, ESRCH } from "../../../host/memory/errno.ts";
import { BAD_ADDRESS, NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const SIGUSR1 = 10;
const SIGCHLD = 17;
const THREAD_FLAGS = 0x50f00;
const CLONE_VFORK = 0x4000;
const WNOHANG = 1;
const WALL = 0x40000000;
const CLONE_ARGS_BYTES = 64;

let p: TestProcess;
beforeEach(() => {
  p = new TestProcess();
});

function fork(flags = 0): number {
  const pid = p.call(NR.clone, flags | SIGCHLD);
  expect(pid).toBeGreaterThan(1);
  return pid;
}

/** Runs the child to its end. */
function exitAs(pid: number, code: number): void {
  expect(p.switchTask()).toBe(pid);
  expect(p.call(NR.exit_group, code)).toBe(NO_RETURN);
}

describe("wait4", () => {
  test("waits until the child has ended, takes its status, and frees its number", () => {
    const pid = fork();
    expect(p.call(NR.wait4, pid, 0, WNOHANG)).toBe(0);
    expect(p.call(NR.wait4, -1, p.memory, 0)).toBe(WAIT);
    exitAs(pid, 5);
    expect(p.switchTask()).toBe(1);
    expect(p.call(NR.kill, pid, 0)).toBe(0); // a zombie has its number
    expect(p.call(NR.wait4, -1, p.memory, 0)).toBe(pid);
    expect(p.peek32(p.memory)).toBe(0x500);
    expect(p.call(NR.kill, pid, 0)).toBe(-ESRCH);
    expect(p.call(NR.wait4, -1, p.memory, 0)).toBe(-ECHILD);
  });

  test("takes only whom it asks for", () => {
    const pid = fork();
    expect(p.call(NR.wait4, pid + 1, 0, WNOHANG)).toBe(-ECHILD);
    expect(p.call(NR.wait4, -1234, 0, WNOHANG)).toBe(-ECHILD);
    expect(p.call(NR.wait4, 0, 0, WNOHANG)).toBe(0);
    expect(p.call(NR.wait4, pid, 0, 0x100)).toBe(-EINVAL);
    expect(p.call(NR.wait4, -(2 ** 31), 0, 0)).toBe(-ESRCH);
    expect(p.call(NR.wait4, pid, 0, WNOHANG | 0x80000000)).toBe(-ECHILD); // __WCLONE
    expect(p.call(NR.wait4, pid, 0, WNOHANG | WALL)).toBe(0);
  });

  test("a bad address loses the status, but not the child's end", () => {
    const pid = fork();
    expect(p.call(NR.wait4, pid, BAD_ADDRESS, 0)).toBe(WAIT);
    exitAs(pid, 0);
    expect(p.switchTask()).toBe(1);
    expect(p.restart()).toBe(-EFAULT);
    expect(p.call(NR.wait4, pid, 0, 0)).toBe(-ECHILD);
  });
});

describe("clone", () => {
  test("a signal that is pending is delivered first, and is not the child's", () => {
    const tasks = p.machine(MACHINE_TASK_COUNT);
    p.signalCurrent(SIGUSR1);
    expect(p.call(NR.clone, SIGCHLD)).toBe(-ERESTARTNOINTR);
    expect(p.machine(MACHINE_TASK_COUNT)).toBe(tasks);
  });

  test("a thread that is made while its group stops stops with it", () => {
    const psig = psigOf(p.shared.get(p.hart.current + TASK_PROCESS));
    p.shared.set(psig + PSIG_STOP_COUNT, 1); // another thread has yet to stop
    const tid = p.call(NR.clone, THREAD_FLAGS);
    expect(p.shared.get(findTask(p.shared, tid) + TASK_STOP_PENDING)).toBe(1);
    expect(p.shared.get(psig + PSIG_STOP_COUNT)).toBe(2);
  });

  test("vfork's caller goes on when the child has gone", () => {
    const result = p.call(NR.clone, CLONE_VFORK | SIGCHLD);
    expect(result).toBe(WAIT);
    const pid = p.switchTask();
    expect(p.call(NR.exit_group, 1)).toBe(NO_RETURN);
    expect(p.switchTask()).toBe(1);
    expect(p.restart()).toBe(pid);
  });

  test("clone3 checks the size and what is in its struct", () => {
    const args = (...words: number[]) => p.poke64(p.memory, ...words.concat(Array(11 - words.length).fill(0)));
    args(0, 0, 0, 0, SIGCHLD);
    expect(p.call(NR.clone3, p.memory, CLONE_ARGS_BYTES - 8)).toBe(-EINVAL);
    expect(p.call(NR.clone3, p.memory, 8192)).toBe(-E2BIG);
    expect(p.call(NR.clone3, BAD_ADDRESS, CLONE_ARGS_BYTES)).toBe(-EFAULT);
    args(SIGCHLD);
    expect(p.call(NR.clone3, p.memory, CLONE_ARGS_BYTES)).toBe(-EINVAL);
    args(0, 0, 0, 0, 65);
    expect(p.call(NR.clone3, p.memory, CLONE_ARGS_BYTES)).toBe(-EINVAL);
    args(0, 0, 0, 0, 0, 4096);
    expect(p.call(NR.clone3, p.memory, CLONE_ARGS_BYTES)).toBe(-EINVAL);
    p.poke64(p.memory, ...Array(12).fill(0), 1);
    expect(p.call(NR.clone3, p.memory, 13 * 8)).toBe(-E2BIG);
    args(0, 0, 0, 0, SIGCHLD);
    expect(p.call(NR.clone3, p.memory, 12 * 8)).toBeGreaterThan(1);
  });

  test("is EAGAIN at threads-max, and works again when somebody has gone", () => {
    const pid = fork();
    p.shared.set(MACHINE_BASE + MACHINE_TASK_COUNT_MAX, p.machine(MACHINE_TASK_COUNT));
    expect(p.call(NR.clone, SIGCHLD)).toBe(-EAGAIN);
    expect(p.call(NR.wait4, pid, 0, 0)).toBe(WAIT);
    exitAs(pid, 0);
    p.switchTask();
    expect(p.restart()).toBe(pid);
    fork();
  });
});

test("the machine ends when init has ended and every other process with it, with init's status", () => {
  const pid = fork();
  expect(p.call(NR.exit_group, 3)).toBe(NO_RETURN);
  expect(p.machine(MACHINE_STOP)).toBe(STOP_NONE);
  expect(p.switchTask()).toBe(pid);
  expect(p.deliverSignals()).toBe(true);
  expect([p.machine(MACHINE_STOP), p.machine(MACHINE_EXIT_STATUS)]).toEqual([STOP_EXIT, 3]);
});
