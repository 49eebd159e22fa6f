import { expect, test } from "vitest";
import { RAM_BASE } from "../../assembly/layout.ts";
import { MachineStopped } from "../../host/memory/errors.ts";
import { callRcu, type RcuCallback, rcuAdvance, rcuDrainAll, rcuPending, rcuQuiescent } from "../../host/memory/rcu.ts";
import { MmMachine } from "../mm/harness.ts";

const KIND = 1;

test("a stop in the middle of a callback leaves it, and those behind it, to the last hart", () => {
  const { hart } = new MmMachine();
  const heads = [0, 1, 2].map((index) => RAM_BASE + index * 64);
  const done: number[] = [];
  let isStopping = true;
  const callbacks: RcuCallback[] = [];
  callbacks[KIND] = (_, head) => {
    if (head === heads[1] && isStopping) throw new MachineStopped();
    done.push(head);
  };
  for (const head of heads) callRcu(hart, head, KIND);
  const advance = () => {
    while (rcuPending(hart)) {
      rcuQuiescent(hart);
      rcuAdvance(hart, callbacks);
    }
  };
  expect(advance).toThrow(MachineStopped);
  isStopping = false;
  rcuDrainAll(hart, callbacks);
  expect(done).toEqual(heads);
  expect(rcuPending(hart)).toBe(false);
});
