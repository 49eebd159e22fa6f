// Statements of the debates that the policies come from, one test each. The title begins with the statement's id: S0 is
// Nick Piggin's mail of 4 December 2020, S3 Andy Lutomirski's of 10 January 2022.

import { expect, test } from "vitest";
import {
  COUNTER_IPI_SENT,
  COUNTER_LOADED_DIVERGES,
  COUNTER_SHOOT_LAZIES_SENT,
  COUNTER_SHOOT_LAZIES_USEFUL,
  COUNTER_UNLAZY_IN_FLUSH,
  HART_LOADED_MM,
  MM_COUNT,
  MM_MEMBARRIER,
  TASK_ACTIVE_MM,
} from "../../assembly/layout.ts";
import { firmwareCall } from "../../host/kernel/memory/text-poke.ts";
import { kthreadUnuseMm, kthreadUseMm } from "../../host/kernel/sched/kthread-mm.ts";
import { schedule } from "../../host/kernel/sched/switch.ts";
import { mmAlloc, mmdrop, mmget, mmgrab, mmput } from "../../host/mm/mm.ts";
import { choosePolicies } from "../../host/policy/choose.ts";
import { LazyMachine } from "./lazy-machine.ts";

/** Two other harts borrow the mm whose last user exits on hart 0. Returns the machine before hart 0 exits. */
function borrowed(policy: Readonly<Record<string, string>>, mutate = "") {
  const machine = new LazyMachine(policy, { mutate });
  const { mm, tasks } = machine.process(3);
  for (const hart of machine.harts) machine.run(hart, tasks[hart.id]);
  machine.exit(machine.harts[1]);
  machine.exit(machine.harts[2]);
  return { machine, mm };
}

function ipisAtExit(policy: Readonly<Record<string, string>>) {
  const { machine } = borrowed(policy);
  const before = machine.counter(COUNTER_IPI_SENT);
  machine.exit(machine.harts[0]);
  expect(machine.problems()).toEqual([]);
  return {
    machine,
    ipis: machine.counter(COUNTER_IPI_SENT) - before,
    shot: machine.counter(COUNTER_SHOOT_LAZIES_SENT),
    useful: machine.counter(COUNTER_SHOOT_LAZIES_USEFUL),
    inFlush: machine.counter(COUNTER_UNLAZY_IN_FLUSH),
  };
}

/** How often the policy's own calls of an idle round trip touch shared memory: all of it, and read-modify-writes. */
function fastPath(lazy: string): { accesses: number; rmws: number } {
  const machine = new LazyMachine({ "lazy-tlb": lazy });
  const { mm, tasks } = machine.process(1);
  const [hart] = machine.harts;
  machine.run(hart, tasks[0]);
  const count = { accesses: 0, rmws: 0 };
  const spied = ["loadOnce", "storeOnce", "loadAcquire", "storeRelease", "get", "set"] as const;
  const rmw = ["fetchAdd", "exchange", "compareExchange", "fetchOr", "fetchAnd", "barrier"] as const;
  const shared = machine.shared as unknown as Record<string, (...args: number[]) => number>;
  for (const name of [...spied, ...rmw]) {
    const real = shared[name].bind(shared);
    shared[name] = (...args: number[]) => {
      count.accesses++;
      if ((rmw as readonly string[]).includes(name)) count.rmws++;
      return real(...args);
    };
  }
  const policy = hart.policies.lazyTlb;
  policy.grab(hart, mm);
  policy.resume(hart);
  policy.put(hart, mm);
  const reference = policy.finish(hart);
  if (reference !== 0) mmdrop(hart, reference);
  return count;
}

test("S0-2: by mm_cpumask, hazard pointers miss a borrower that the mask has forgotten; a scan of all does not", () => {
  const policy = { "lazy-tlb": "hazard-mask", cpumask: "early_clear" };
  expect(choosePolicies(policy)).toMatchObject({ error: expect.stringContaining("early_clear") });
  const { machine } = borrowed(policy, "A-M5");
  machine.exit(machine.harts[0]);
  expect(machine.problems().join()).toContain("active_mm is no mm any more");

  const scanAll = borrowed({ "lazy-tlb": "hazard", cpumask: "early_clear" });
  scanAll.machine.exit(scanAll.machine.harts[0]);
  expect(scanAll.machine.problems()).toEqual([]);
  expect(scanAll.machine.finish()).toEqual([]);
});

test("S0-1, S0-3: hazard pointers send no IPI at exit, and their fast path has no atomic read-modify-write", () => {
  expect(ipisAtExit({ "lazy-tlb": "hazard" }).shot).toBe(0);
  expect(fastPath("hazard").rmws).toBe(0);
  expect(fastPath("refcount").rmws).toBe(2);
});

test("S0-5, S3-4: with the shooting moved into the final flush, the last reference sends no IPI", () => {
  const { shot, inFlush } = ipisAtExit({ "lazy-tlb": "shoot-at-flush" });
  expect({ shot, inFlush }).toEqual({ shot: 0, inFlush: 2 });
});

test("S0-6, S3-2: a hash MMU cannot shoot at the flush, and says why; shooting apart from it works", () => {
  const refused = choosePolicies({ "lazy-tlb": "shoot-at-flush", "tlb-flush": "hash-batch" });
  expect(refused).toMatchObject({ error: expect.stringContaining("runs no code on other harts") });
  expect(choosePolicies({ "lazy-tlb": "last-mmput", "tlb-flush": "hash-batch" })).toHaveProperty("error");
  expect(choosePolicies({ "lazy-tlb": "shoot-hash" })).toMatchObject({ names: { "tlb-flush": "hash-batch" } });
  const { shot, useful } = ipisAtExit({ "lazy-tlb": "shoot-hash" });
  expect({ shot, useful }).toEqual({ shot: 2, useful: 2 });
});

test.each(["broadcast", "hybrid"])("S0-7: shooting lazies is sufficient next to %s", (flush) => {
  const { machine, useful } = ipisAtExit({ "lazy-tlb": "shoot", "tlb-flush": flush });
  expect(useful).toBeLessThanOrEqual(2);
  expect(machine.finish()).toEqual([]);
});

test("S3-1: one scheme ends the borrowing at the last mmput, the other at the last mmdrop", () => {
  for (const [lazy, after] of [
    ["last-mmput", false],
    ["shoot", true],
  ] as const) {
    const { machine, mm } = borrowed({ "lazy-tlb": lazy });
    mmgrab(machine.harts[0], mm); // a pin, such as that of a /proc file
    machine.exit(machine.harts[0]);
    expect(machine.harts.map((hart) => machine.borrows(hart, mm))).toEqual([after, after, after]);
    mmdrop(machine.harts[0], mm);
    expect(machine.problems()).toEqual([]);
    expect(machine.finish()).toEqual([]);
  }
});

test("S3-3: hazard pointers need no IPI, so they go with an MMU that has none", () => {
  const { machine, ipis } = ipisAtExit({ "lazy-tlb": "hazard", "tlb-flush": "hash-batch" });
  expect(ipis).toBe(0);
  expect(machine.finish()).toEqual([]);
});

test("S3-5: dropping lazies at the last mmput costs no IPI with IPI flushes; with a broadcast it does", () => {
  const withIpi = ipisAtExit({ "lazy-tlb": "last-mmput", "tlb-flush": "ipi-mask" });
  expect({ shot: withIpi.shot, inFlush: withIpi.inFlush }).toEqual({ shot: 0, inFlush: 2 });
  const withBroadcast = ipisAtExit({ "lazy-tlb": "last-mmput", "tlb-flush": "broadcast" });
  expect({ shot: withBroadcast.shot, inFlush: withBroadcast.inFlush }).toEqual({ shot: 2, inFlush: 0 });
  const chosen = choosePolicies({ "lazy-tlb": "last-mmput", "tlb-flush": "broadcast" });
  expect(chosen).toMatchObject({ notices: [expect.stringContaining("sends IPIs")] });
});

test("A2r with a broadcast flush runs as A2: its IPIs are counted, with a notice", () => {
  const policy = { "lazy-tlb": "shoot-at-flush", "tlb-flush": "broadcast" };
  expect(choosePolicies(policy)).toMatchObject({ notices: [expect.stringContaining("runs as shoot")] });
  const { shot, useful } = ipisAtExit(policy);
  expect({ shot, useful }).toEqual({ shot: 2, useful: 2 });
});

test("S3-6, S3-13: what is shot or dropped at the last mmput adds nothing to the fast path", () => {
  const table = Object.fromEntries(
    ["refcount", "is-lazy", "hazard", "qsbr", "shoot", "shoot-at-flush", "last-mmput"].map((name) => [
      name,
      fastPath(name).accesses,
    ]),
  );
  expect(table).toMatchObject({ shoot: 0, "shoot-at-flush": 0, "last-mmput": 0 });
  expect(table.hazard).toBeGreaterThan(0);
  expect(table["is-lazy"]).toBeGreaterThan(table.refcount);
});

test("S3-7: the mm in the MMU is not always active_mm, and what counts is the loaded one", () => {
  const machine = new LazyMachine({ "lazy-tlb": "is-lazy", cpumask: "early_clear" });
  const { mm, tasks } = machine.process(1);
  const [hart] = machine.harts;
  machine.run(hart, tasks[0]);
  machine.idle(hart);
  expect(machine.shared.get(hart.current + TASK_ACTIVE_MM)).toBe(mm);
  expect(hart.get(HART_LOADED_MM)).toBe(machine.initMm);
  expect(machine.counter(COUNTER_LOADED_DIVERGES)).toBe(1);
  machine.run(hart, tasks[0]);
  expect(hart.get(HART_LOADED_MM)).toBe(mm);
  machine.exit(hart);
  expect(machine.finish()).toEqual([]);
});

test.each([
  ["refcount", 0],
  ["shoot", 1],
  ["hazard", 1],
])("S3-8: mmdrop was a barrier for membarrier; %s pays %i explicit ones in its place", (lazy, barriers) => {
  const machine = new LazyMachine({ "lazy-tlb": lazy });
  const { mm, tasks } = machine.process(1);
  const [hart] = machine.harts;
  let count = 0;
  machine.run(hart, tasks[0]);
  machine.shared.set(mm + MM_MEMBARRIER, 8);
  machine.idle(hart);
  const { shared } = machine;
  const real = shared.barrier.bind(shared);
  shared.barrier = (address: number) => {
    count++;
    real(address);
  };
  machine.enqueue(hart, tasks[0]);
  schedule(hart);
  expect(hart.current).toBe(tasks[0]);
  expect(count).toBe(barriers);
  machine.exit(hart);
  expect(machine.finish()).toEqual([]);
});

test.each(["refcount", "shoot", "hazard"])(
  "S3-9: mms used by kernel threads go through one pair, %s balances",
  (lazy) => {
    const machine = new LazyMachine({ "lazy-tlb": lazy });
    const { mm, tasks } = machine.process(1);
    const [one, two] = machine.harts;
    machine.run(one, tasks[0]);
    machine.run(two, machine.kthread());
    const before = machine.shared.get(mm + MM_COUNT);
    mmget(two, mm);
    kthreadUseMm(two, mm);
    expect(machine.shared.get(mm + MM_COUNT)).toBe(before + 1);
    kthreadUnuseMm(two);
    mmput(two, mm);
    expect(machine.shared.get(mm + MM_COUNT)).toBe(before + (lazy === "refcount" ? 1 : 0));
    machine.exit(one);
    expect(machine.finish()).toEqual([]);
  },
);

test("S3-9: the old transfer of the borrower's reference breaks a policy that has none", () => {
  const machine = new LazyMachine({ "lazy-tlb": "shoot" }, { mutate: "A-M10" });
  const { mm, tasks } = machine.process(1);
  const [one] = machine.harts;
  machine.run(one, tasks[0]);
  machine.run(one, machine.kthread());
  mmget(one, mm);
  kthreadUseMm(one, mm);
  kthreadUnuseMm(one);
  mmput(one, mm);
  expect(() => machine.finish().join() || mmput(one, mm)).toThrow(/without a reference|without a user/);
});

test("S3-10: an NMI that meets an active_mm whose mm has been freed is caught", () => {
  const { machine } = borrowed({ "lazy-tlb": "shoot" }, "A-M3");
  machine.exit(machine.harts[0]);
  expect(machine.problems().join()).toContain("NMI");
});

test("S3-11: a temporary mm on top of a borrowed one: a count protects it, shooting does not, unlazying does", () => {
  const firmwareWhileExiting = (lazy: string, mutate: string) => {
    const machine = new LazyMachine({ "lazy-tlb": lazy }, { mutate });
    const { tasks } = machine.process(2);
    const [one, two] = machine.harts;
    machine.run(one, tasks[0]);
    machine.run(two, tasks[1]);
    machine.exit(one);
    const firmware = mmAlloc(two);
    const { interrupts } = one;
    one.interrupts = {
      serve: () => {
        one.interrupts = interrupts;
        if (machine.harts[1].current === tasks[1]) machine.exit(two);
      },
    };
    firmwareCall(one, firmware, 1);
    return machine.problems();
  };
  expect(firmwareWhileExiting("refcount", "A-M9")).toEqual([]);
  expect(firmwareWhileExiting("shoot", "A-M9")).not.toEqual([]);
  expect(firmwareWhileExiting("shoot", "F-M3")).not.toEqual([]);
  expect(firmwareWhileExiting("shoot", "")).toEqual([]);
});

test("S3-12: without active_mm at all, what is loaded is what is borrowed", () => {
  const { machine, shot, inFlush } = ipisAtExit({ "lazy-tlb": "active-free" });
  expect({ shot, inFlush }).toEqual({ shot: 0, inFlush: 2 });
  for (const hart of machine.harts) expect(machine.shared.get(hart.current + TASK_ACTIVE_MM)).toBe(machine.initMm);
  expect(machine.finish()).toEqual([]);
});
