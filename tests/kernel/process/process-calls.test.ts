// Calls about the process, the machine and time.

import { beforeEach, describe, expect, test } from "vitest";
import { WAIT } from "../../../host/kernel/sched/wait.ts";
import { EFAULT, EINVAL, EOPNOTSUPP, EPERM, ERESTART_RESTARTBLOCK, ESRCH } from "../../../host/memory/errno.ts";
import { BAD_ADDRESS, NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

let p: TestProcess;
beforeEach(() => {
  p = new TestProcess();
});

describe("identity", () => {
  test("the first process is 1 and has no parent", () => {
    expect([p.call(NR.getpid), p.call(NR.gettid), p.call(NR.getppid)]).toEqual([1, 1, 0]);
    expect(p.call(NR.set_tid_address, p.memory)).toBe(1);
  });

  test("prctl keeps the first 15 bytes of a name", () => {
    p.pokeText(p.memory, "a-name-of-twenty-one");
    expect(p.call(NR.prctl, 15, p.memory)).toBe(0);
    expect(p.call(NR.prctl, 16, p.memory + 64)).toBe(0);
    expect(new TextDecoder().decode(p.peek(p.memory + 64, 16))).toBe("a-name-of-twent\0");
    expect(p.call(NR.prctl, 15, BAD_ADDRESS)).toBe(-EFAULT);
    expect(p.call(NR.prctl, 9999)).toBe(-EINVAL);
  });

  test("uname says Linux on riscv64", () => {
    expect(p.call(NR.uname, p.memory)).toBe(0);
    const fields = new TextDecoder().decode(p.peek(p.memory, 390)).split(/\0+/);
    expect(fields.slice(0, 2)).toEqual(["Linux", "pagewalk"]);
    expect(fields[2]).toMatch(/^6\./);
    expect(fields[4]).toBe("riscv64");
    expect(p.call(NR.uname, BAD_ADDRESS)).toBe(-EFAULT);
  });
});

describe("clocks", () => {
  test("monotonic and wall clock differ by the time of boot", () => {
    p.now = 5_123_456_789;
    expect(p.call(NR.clock_gettime, 1, p.memory)).toBe(0);
    expect([p.peek64(p.memory), p.peek64(p.memory + 8)]).toEqual([5, 123_456_789]);
    expect(p.call(NR.clock_gettime, 0, p.memory)).toBe(0);
    expect(p.peek64(p.memory)).toBe(1_700_000_005);
    expect(p.call(NR.gettimeofday, p.memory, 0)).toBe(0);
    expect(p.peek64(p.memory)).toBe(1_700_000_005);
    expect(p.call(NR.clock_gettime, 10, p.memory)).toBe(-EINVAL);
    expect(p.call(NR.clock_gettime, 1, BAD_ADDRESS)).toBe(-EFAULT);
    expect(p.call(NR.clock_getres, 1, p.memory)).toBe(0);
    expect(p.peek64(p.memory + 8)).toBe(1);
  });

  test("processor time counts what the task has run", () => {
    p.call(NR.clock_gettime, 3, p.memory);
    const before = p.peek64(p.memory + 8);
    p.now += 7_000_000;
    p.call(NR.clock_gettime, 3, p.memory);
    expect(p.peek64(p.memory + 8) - before).toBe(7_000_000);
  });
});

describe("sleeping", () => {
  test("waits until its time has come, and a spurious wake-up does not end it", () => {
    p.poke64(p.memory, 2, 500);
    expect(p.call(NR.nanosleep, p.memory, 0)).toBe(WAIT);
    expect(p.restart()).toBe(WAIT);
    p.now += 2_000_000_499;
    expect(p.restart()).toBe(WAIT);
    p.now += 1;
    expect(p.restart()).toBe(0);
  });

  test("until an absolute time that is past returns at once", () => {
    p.poke64(p.memory, 0, 5);
    expect(p.call(NR.clock_nanosleep, 1, 1, p.memory, 0)).toBe(0);
    expect(p.call(NR.clock_nanosleep, 0, 1, p.memory, 0)).toBe(0);
  });

  test("refuses bad times and clocks", () => {
    p.poke64(p.memory, 0, 1_000_000_000, -1, 0);
    expect(p.call(NR.nanosleep, p.memory, 0)).toBe(-EINVAL);
    expect(p.call(NR.nanosleep, p.memory + 16, 0)).toBe(-EINVAL);
    expect(p.call(NR.nanosleep, BAD_ADDRESS, 0)).toBe(-EFAULT);
    expect(p.call(NR.clock_nanosleep, 3, 0, p.memory, 0)).toBe(-EOPNOTSUPP);
    expect(p.call(NR.clock_nanosleep, 4, 0, p.memory, 0)).toBe(-EOPNOTSUPP);
  });

  test("interrupted, writes what is left", () => {
    p.poke64(p.memory, 3, 0);
    expect(p.call(NR.nanosleep, p.memory, p.memory + 32)).toBe(WAIT);
    p.now += 1e9;
    // The signal's own call would replace the registers, so it comes from the kernel's side.
    p.signalCurrent(15);
    expect(p.restart()).toBe(-ERESTART_RESTARTBLOCK);
    expect(p.peek64(p.memory + 32)).toBe(2);
  });
});

describe("limits", () => {
  test("can be read and changed, the soft one up to the hard one", () => {
    expect(p.call(NR.prlimit64, 0, 3, 0, p.memory)).toBe(0);
    expect([p.peek64(p.memory), p.peek64(p.memory + 8)]).toEqual([8 << 20, -1]);
    p.poke64(p.memory, 65536, 131072);
    expect(p.call(NR.prlimit64, 0, 3, p.memory, p.memory + 32)).toBe(0);
    expect(p.peek64(p.memory + 32)).toBe(8 << 20);
    p.poke64(p.memory, 2, 1);
    expect(p.call(NR.prlimit64, 0, 3, p.memory, 0)).toBe(-EINVAL);
    expect(p.call(NR.prlimit64, 0, 16, p.memory, 0)).toBe(-EINVAL);
    expect(p.call(NR.prlimit64, 99, 3, 0, p.memory)).toBe(-ESRCH);
    p.poke64(p.memory, 5000, 5000);
    expect(p.call(NR.prlimit64, 0, 7, p.memory, 0)).toBe(-EPERM);
  });
});

describe("random numbers", () => {
  test("are the same for the same seed and differ for another", () => {
    const draw = (seed: number) => {
      const process = new TestProcess({ seed });
      expect(process.call(NR.getrandom, process.memory, 256, 0)).toBe(256);
      return Buffer.from(process.peek(process.memory, 256)).toString("hex");
    };
    expect(draw(5)).toBe(draw(5));
    expect(draw(5)).not.toBe(draw(6));
    expect(p.call(NR.getrandom, p.memory, 8, 8)).toBe(-EINVAL);
    expect(p.call(NR.getrandom, BAD_ADDRESS, 8, 0)).toBe(-EFAULT);
  });
});

describe("scheduling", () => {
  test("affinity is read as whole words and must name a hart that is there", () => {
    expect(p.call(NR.sched_getaffinity, 0, 128, p.memory)).toBe(8);
    expect(p.peek64(p.memory)).toBe(1);
    expect(p.call(NR.sched_getaffinity, 0, 4, p.memory)).toBe(-EINVAL);
    expect(p.call(NR.sched_setaffinity, 0, 8, p.poke64(p.memory, 2))).toBe(-EINVAL);
    expect(p.call(NR.sched_setaffinity, 0, 8, p.poke64(p.memory, 3))).toBe(0);
    expect(p.call(NR.sched_setaffinity, 77, 8, p.memory)).toBe(-ESRCH);
  });

  test("hwprobe answers known keys and marks unknown ones", () => {
    p.poke64(p.memory, 3, 0, 4, 0, 999, 7);
    expect(p.call(NR.riscv_hwprobe, p.memory, 3, 0, 0, 0)).toBe(0);
    expect([1, 3].map((i) => p.peek64(p.memory + i * 8))).toEqual([1, 3]);
    expect([p.peek64(p.memory + 32), p.peek64(p.memory + 40)]).toEqual([-1, 0]);
    expect(p.call(NR.riscv_hwprobe, p.memory, 3, 0, 0, 2)).toBe(-EINVAL);
    expect(p.call(NR.riscv_flush_icache, 0, 0, 0)).toBe(0);
    expect(p.call(NR.riscv_flush_icache, 0, 0, 2)).toBe(-EINVAL);
  });
});

describe("clocks of a certain process or thread", () => {
  const [PROF, SCHED, OF_THREAD] = [0, 2, 4];
  const clockOf = (pid: number, which: number) => (~pid << 3) | which;
  const read = (clock: number) => {
    const result = p.call(NR.clock_gettime, clock, p.memory);
    return result === 0 ? p.peek64(p.memory) * 1e9 + p.peek64(p.memory + 8) : result;
  };

  test("show what CLOCK_PROCESS_CPUTIME_ID and CLOCK_THREAD_CPUTIME_ID do", () => {
    p.now += 3_000_000;
    for (const pid of [0, 1]) {
      expect([read(clockOf(pid, SCHED)), read(clockOf(pid, PROF))]).toEqual([read(2), read(2)]);
      expect(read(clockOf(pid, SCHED | OF_THREAD))).toBe(read(3));
      expect(p.call(NR.clock_getres, clockOf(pid, SCHED), 0)).toBe(0);
    }
  });

  test("are not there for a number that nobody has, for a descriptor, and have no alarm to sleep on", () => {
    expect([read(clockOf(77, SCHED)), read(clockOf(77, SCHED | OF_THREAD)), read(clockOf(1, 3))]).toEqual([
      -EINVAL,
      -EINVAL,
      -EINVAL,
    ]);
    expect(p.call(NR.clock_nanosleep, clockOf(0, SCHED), 0, p.poke64(p.memory, 0, 1), 0)).toBe(-EOPNOTSUPP);
    expect(p.call(NR.clock_nanosleep, 8, 0, p.poke64(p.memory, 0, 1), 0)).toBe(-EOPNOTSUPP);
  });

  test("drive timers, if they are the caller's own", () => {
    const TIMER_CREATE = 107;
    const create = (clock: number) => p.call(TIMER_CREATE, clock, 0, p.memory);
    expect([create(clockOf(0, SCHED)), create(clockOf(1, SCHED | OF_THREAD)), create(clockOf(77, SCHED))]).toEqual([
      0,
      0,
      -EINVAL,
    ]);
  });
});
