// The exhaustive strategy on toys: actors that are nothing but a row of accesses to words.

import { describe, expect, test } from "vitest";
import { POINT_ACQUIRE, POINT_RMW } from "../../host/memory/schedule.ts";
import { ExhaustiveStrategy } from "../../host/simulate/strategy/exhaustive.ts";
import { NOBODY } from "../../host/simulate/strategy.ts";

interface Access {
  readonly kind: number;
  readonly address: number;
}

const X = 64;
const Y = 128;
const store = (address: number): Access => ({ kind: POINT_RMW, address });
const load = (address: number): Access => ({ kind: POINT_ACQUIRE, address });

/** The order of one schedule, "001" for two steps of actor 0 and one of actor 1; null: none is left; "" if dropped. */
function orderOf(strategy: ExhaustiveStrategy, programs: readonly (readonly Access[])[], index: number): string | null {
  if (!strategy.begin(index)) return null;
  const at = programs.map(() => 0);
  const next = (actor: number) => programs[actor][at[actor]];
  let order = "";
  let current = -1;
  for (;;) {
    const enabled = programs.map((_, actor) => actor).filter((actor) => at[actor] < programs[actor].length);
    if (enabled.length === 0) return order;
    if (!enabled.includes(current)) current = -1;
    current = strategy.pick(Int32Array.from(enabled), enabled.length, current, {
      kindOf: (actor) => next(actor).kind,
      addressOf: (actor) => next(actor).address,
      events: 0,
      points: order.length,
      sharedWords: 1,
    });
    if (current === NOBODY) return "";
    order += current;
    at[current]++;
  }
}

/** All orders behind the warm-up that ran to their end, each once. */
function orders(programs: readonly (readonly Access[])[], depth: number, shard = 0, shards = 1): string[] {
  const strategy = new ExhaustiveStrategy(1, depth, shard, shards);
  const found = new Set<string>();
  for (let index = 0; ; index++) {
    const order = orderOf(strategy, programs, index);
    if (order === null) return [...found].sort();
    if (index >= 32 && order !== "") found.add(order);
  }
}

const CONFLICT = [
  [store(X), store(X)],
  [store(X), store(X)],
];

describe("two harts that write the same word twice", () => {
  test("without preemptions run one after the other", () => {
    expect(orders(CONFLICT, 1)).toEqual(["0011", "1100"]);
  });

  test("with one preemption may be interrupted once", () => {
    expect(orders(CONFLICT, 2)).toEqual(["0011", "0110", "1001", "1100"]);
  });

  test("with three preemptions run in all six orders", () => {
    expect(orders(CONFLICT, 4)).toEqual(["0011", "0101", "0110", "1001", "1010", "1100"]);
  });

  test("are divided among shards: together they try what one tries alone", () => {
    const parts = [0, 1, 2].flatMap((shard) => orders(CONFLICT, 4, shard, 3));
    expect([...new Set(parts)].sort()).toEqual(orders(CONFLICT, 4));
  });
});

test("harts that use different words, or only read one, are not tried in another order for that", () => {
  // The last step before an actor's end counts as touching everything, so the orders of the two ends remain.
  const apart = [
    [store(X), store(X), store(X)],
    [store(Y), store(Y), store(Y)],
  ];
  const together = [
    [store(X), store(X), store(X)],
    [store(X), store(X), store(X)],
  ];
  const readers = [
    [load(X), load(X), load(X)],
    [load(X), load(X), load(X)],
  ];
  expect(orders(together, 6)).toHaveLength(20);
  expect(orders(apart, 6).length).toBeLessThan(8);
  expect(orders(readers, 6)).toEqual(orders(apart, 6));
});
