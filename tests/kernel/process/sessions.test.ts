// Process groups, sessions, credentials and prctl, call by call.

import { beforeEach, describe, expect, test } from "vitest";
import { NO_RETURN, WAIT } from "../../../host/kernel/sched/wait.ts";
import { EINVAL, EPERM, ESRCH } from "../../../host/memory/errno.ts";
import { NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const SIGCHLD = 17;
let p: TestProcess;
beforeEach(() => {
  p = new TestProcess();
});

describe("process groups and sessions", () => {
  test("a child is in its parent's group until it gets one of its own", () => {
    const pid = p.call(NR.clone, SIGCHLD);
    expect([p.call(NR.getpgid, pid), p.call(NR.getsid, pid)]).toEqual([1, 1]);
    expect(p.call(NR.setpgid, pid, 0)).toBe(0);
    expect(p.call(NR.getpgid, pid)).toBe(pid);
    expect(p.call(NR.kill, -pid, 0)).toBe(0);
    const second = p.call(NR.clone, SIGCHLD);
    expect(p.call(NR.setpgid, second, pid)).toBe(0);
    expect(p.call(NR.wait4, -pid, 0, 1)).toBe(0);
    expect(p.call(NR.setpgid, second, 9999)).toBe(-EPERM);
    expect(p.call(NR.setpgid, second, -1)).toBe(-EINVAL);
    expect(p.call(NR.setpgid, 9999, 0)).toBe(-ESRCH);
    expect(p.call(NR.setpgid, 0, 0)).toBe(-EPERM); // init leads its session
  });

  test("setsid is for who leads no group", () => {
    expect(p.call(NR.setsid)).toBe(-EPERM);
    const pid = p.call(NR.clone, SIGCHLD);
    expect(p.call(NR.wait4, -1, 0, 0)).toBe(WAIT);
    expect(p.switchTask()).toBe(pid);
    expect(p.call(NR.setsid)).toBe(pid);
    expect([p.call(NR.getpgid, 0), p.call(NR.getsid, 0), p.call(NR.getsid, 1)]).toEqual([pid, pid, 1]);
    expect(p.call(NR.setsid)).toBe(-EPERM);
  });

  test("a signal to a parent's death comes when it dies", () => {
    const pid = p.call(NR.clone, SIGCHLD);
    p.call(NR.wait4, -1, 0, 0);
    p.switchTask();
    const grandchild = p.call(NR.clone, SIGCHLD);
    p.poke64(p.memory, 100, 0);
    p.call(NR.nanosleep, p.memory, 0);
    expect(p.switchTask()).toBe(grandchild);
    expect(p.call(NR.prctl, 1, 65)).toBe(-EINVAL);
    expect(p.call(NR.prctl, 1, 9)).toBe(0);
    p.poke64(p.memory, 100, 0);
    p.call(NR.nanosleep, p.memory, 0);
    expect(p.switchTask()).toBe(0);
    p.now += 101e9;
    p.expireTimers();
    // The parent first, whose sleep is over.
    expect(p.switchTask()).toBe(pid);
    expect(p.call(NR.exit_group, 0)).toBe(NO_RETURN);
    const next = [p.switchTask(), p.deliverSignals()];
    expect(next[0] === grandchild ? next[1] : p.switchTask() === grandchild && p.deliverSignals()).toBe(true);
  });
});

describe("credentials", () => {
  test("root becomes somebody else, and then is not root", () => {
    expect(p.call(NR.setgid, 50)).toBe(0);
    expect(p.call(NR.setresuid, -1, 1000, -1)).toBe(0);
    expect([p.call(NR.getuid), p.call(NR.geteuid), p.call(NR.getgid)]).toEqual([0, 1000, 50]);
    expect(p.call(NR.setuid, 7)).toBe(-EPERM);
    expect(p.call(NR.setuid, 0)).toBe(0);
    expect(p.call(NR.setuid, 1000)).toBe(0);
    expect(p.call(NR.getresuid, p.memory, p.memory + 4, p.memory + 8)).toBe(0);
    expect([0, 4, 8].map((at) => p.peek32(p.memory + at))).toEqual([1000, 1000, 1000]);
    expect(p.call(NR.setuid, 0)).toBe(-EPERM);
    expect(p.call(NR.setgroups, 0, 0)).toBe(-EPERM);
  });

  test("groups come back as they were set", () => {
    expect(p.call(NR.setgroups, 3, p.poke32(p.memory, 5, 6, 7))).toBe(0);
    expect(p.call(NR.getgroups, 0, 0)).toBe(3);
    expect(p.call(NR.getgroups, 2, p.memory + 64)).toBe(-EINVAL);
    expect(p.call(NR.getgroups, 8, p.memory + 64)).toBe(3);
    expect(p.peek32(p.memory + 72)).toBe(7);
  });

  test("a child is who its parent is", () => {
    p.call(NR.setresuid, 1, 2, 3);
    const pid = p.call(NR.clone, SIGCHLD);
    p.call(NR.wait4, -1, 0, 0);
    expect(p.switchTask()).toBe(pid);
    expect([p.call(NR.getuid), p.call(NR.geteuid)]).toEqual([1, 2]);
  });
});

test("flags of prctl are remembered", () => {
  expect([p.call(NR.prctl, 3), p.call(NR.prctl, 4, 0), p.call(NR.prctl, 3)]).toEqual([1, 0, 0]);
  expect([p.call(NR.prctl, 38, 1), p.call(NR.prctl, 39), p.call(NR.prctl, 38, 0)]).toEqual([0, 1, -EINVAL]);
  expect([p.call(NR.prctl, 36, 1), p.call(NR.prctl, 37, p.memory), p.peek32(p.memory)]).toEqual([0, 0, 1]);
});
