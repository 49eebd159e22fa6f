// Random system calls with random arguments: whatever a guest passes, the kernel answers with a number. A KernelBug, a
// TypeError or a result that is no errno fails the test; so does a lock or read section left open.

import { expect, test } from "vitest";
import {
  HART_IRQ_OFF_DEPTH,
  HART_LOCK_COUNT,
  HART_RCU_NESTING,
  MACHINE_STOP,
  STOP_NONE,
  TASK_DEAD,
  TASK_RESTART_CALL,
  TASK_STATE,
} from "../../assembly/layout.ts";
import { finishWait, NO_RETURN, WAIT } from "../../host/kernel/sched/wait.ts";
import { SYSCALLS } from "../../host/kernel/syscall/table.ts";
import { Random, seedFrom } from "../support/seeds.ts";
import { NR } from "./numbers.ts";
import { TestProcess } from "./test-process.ts";

const CALL_COUNT = 30_000;
const ERRNO_MAX = 4095;
/** These end the process: the test ends it itself when it wants a new one. */
const ENDING: readonly number[] = [NR.exit, NR.exit_group];

const seed = seedFrom("CALL_FUZZ_SEED");
const replay = `CALL_FUZZ_SEED=${seed} npx vitest run --config tests/vitest.config.ts tests/kernel/fuzz-calls.test.ts`;

test(`random calls always have a result (replay: ${replay})`, () => {
  const random = new Random(seed);
  const numbers = SYSCALLS.flatMap((row, number) => (row === undefined || ENDING.includes(number) ? [] : [number]));
  let p = newProcess(random);
  for (let i = 0; i < CALL_COUNT; i++) {
    const number = random.chance(0.02) ? random.below(600) : random.pick(numbers);
    if (ENDING.includes(number)) continue;
    const args = Array.from({ length: 6 }, () => argument(random, p));
    const what = `call ${i}: ${SYSCALLS[number]?.name ?? number}(${args.join(", ")}); replay: ${replay}`;
    const result = attempt(() => p.call(number, ...args), what);
    expect(
      [HART_LOCK_COUNT, HART_RCU_NESTING, HART_IRQ_OFF_DEPTH].map((f) => p.hart.get(f)),
      what,
    ).toEqual([0, 0, 0]);
    if (result === WAIT) giveUp(p);
    else if (result !== NO_RETURN) expect(Number.isSafeInteger(result) && result >= -ERRNO_MAX, what).toBe(true);
    p.deliverSignals();
    // Its children, which never run here, would keep the machine up.
    const isDead = p.shared.get(p.hart.current + TASK_STATE) === TASK_DEAD;
    if (isDead || p.machine(MACHINE_STOP) !== STOP_NONE) p = newProcess(random);
  }
});

function newProcess(random: Random): TestProcess {
  return new TestProcess({
    seed: random.next(),
    terminal: random.chance(0.5) ? { columns: 80, rows: 24 } : undefined,
  });
}

/** What the restarted call would do if it ended without a result. */
function giveUp(p: TestProcess): void {
  finishWait(p.hart);
  p.shared.set(p.hart.current + TASK_RESTART_CALL, 0);
}

function attempt(call: () => number, what: string): number {
  try {
    return call();
  } catch (error) {
    throw new Error(what, { cause: error });
  }
}

const EDGES = [0, 1, 2, 3, 4, 7, 8, 16, 24, 100, 4095, 4096, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 38];

function argument(random: Random, p: TestProcess): number {
  switch (random.below(5)) {
    case 0:
      return random.pick(EDGES);
    case 1:
      return -random.pick(EDGES);
    case 2:
      return p.memory + random.below(65536 / 8) * 8;
    case 3:
      return random.below(70);
    default:
      return 2 ** random.below(63) + random.below(4096);
  }
}
