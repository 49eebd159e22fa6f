// What every lazy-tlb policy promises, alone and with every cpumask and tlb-flush policy that it may meet.

import { describe, expect, test } from "vitest";
import { firmwareCall, pokeNop } from "../../host/kernel/memory/text-poke.ts";
import { joinScanSet, leaveScanSet } from "../../host/kernel/sched/hotplug.ts";
import { kthreadUnuseMm, kthreadUseMm } from "../../host/kernel/sched/kthread-mm.ts";
import { mmAlloc, mmget, mmput } from "../../host/mm/mm.ts";
import { choosePolicies } from "../../host/policy/choose.ts";
import { POLICIES } from "../../host/policy/registry.ts";
import { LazyMachine } from "../policy/lazy-machine.ts";

const names = (seam: string) => POLICIES.filter((entry) => entry.seam === seam).map((entry) => entry.name);

const combinations = names("lazy-tlb").flatMap((lazy) => [
  ...names("cpumask").map((cpumask) => ({ "lazy-tlb": lazy, "tlb-flush": "ipi-mask", cpumask })),
  ...names("tlb-flush").map((flush) => ({ "lazy-tlb": lazy, "tlb-flush": flush, cpumask: "exact" })),
]);
const allowed = combinations.filter((policy) => !("error" in choosePolicies(policy)));

describe.each(allowed.map((policy) => [Object.values(policy).join(", "), policy] as const))("%s", (_names, policy) => {
  test("an mm whose last user exits while others borrow it is never walked after it is gone", () => {
    const machine = new LazyMachine(policy);
    const { mm, tasks } = machine.process(3);
    for (const hart of machine.harts) machine.run(hart, tasks[hart.id]);
    for (const hart of machine.harts) {
      machine.exit(hart);
      expect(machine.problems()).toEqual([]);
    }
    expect(machine.isUsed(mm)).toBe(false);
    expect(machine.finish()).toEqual([]);
  });

  test("a borrowed mm survives being handed from kernel thread to kernel thread", () => {
    const machine = new LazyMachine(policy);
    const { tasks } = machine.process(2);
    const [one, two] = machine.harts;
    machine.run(one, tasks[0]);
    machine.run(two, tasks[1]);
    machine.run(one, machine.kthread());
    machine.run(one, machine.kthread());
    machine.run(one, tasks[0]);
    machine.idle(one);
    machine.exit(two);
    expect(machine.problems()).toEqual([]);
    machine.run(one, tasks[0]);
    machine.exit(one);
    expect(machine.finish()).toEqual([]);
  });

  test("slots of dead mms are used again at once, and nobody's reference is lost", () => {
    const machine = new LazyMachine(policy);
    for (let round = 0; round < 8; round++) {
      const { tasks } = machine.process(3);
      for (const hart of machine.harts) machine.run(hart, tasks[hart.id]);
      machine.idle(machine.harts[round % 3]);
      machine.run(machine.harts[round % 3], tasks[round % 3]);
      for (const hart of machine.harts) machine.exit(hart);
      expect(machine.problems()).toEqual([]);
    }
    expect(machine.finish()).toEqual([]);
  });

  test("a kernel thread uses and leaves the mm that it borrows, and another one", () => {
    const machine = new LazyMachine(policy);
    const [first, second] = [machine.process(1), machine.process(1)];
    const [one, two] = machine.harts;
    machine.run(one, first.tasks[0]);
    machine.run(two, second.tasks[0]);
    machine.run(one, machine.kthread());
    for (const { mm } of [first, second, first]) {
      mmget(one, mm);
      kthreadUseMm(one, mm);
      expect(machine.problems()).toEqual([]);
      kthreadUnuseMm(one);
      mmput(one, mm);
    }
    machine.exit(two);
    expect(machine.problems()).toEqual([]);
    machine.run(one, first.tasks[0]);
    machine.exit(one);
    expect(machine.finish()).toEqual([]);
  });

  test("a temporary mm gives back what was there, although the borrowed mm died meanwhile", () => {
    const machine = new LazyMachine(policy);
    const { tasks } = machine.process(2);
    const [one, two] = machine.harts;
    machine.run(one, tasks[0]);
    machine.run(two, tasks[1]);
    machine.exit(one);
    const firmware = mmAlloc(two);
    const { interrupts } = one;
    let died = false;
    const exitTwo = () => {
      if (died) return;
      died = true;
      one.interrupts = interrupts;
      machine.exit(two);
    };
    one.interrupts = { serve: exitTwo };
    firmwareCall(one, firmware, 1);
    expect(died).toBe(true);
    expect(machine.problems()).toEqual([]);
    expect(pokeNop(one, 7)).toBe(true);
    expect(machine.problems()).toEqual([]);
    mmput(two, firmware);
    expect(machine.finish()).toEqual([]);
  });

  test("a hart that leaves the machine borrows nothing any more", () => {
    const machine = new LazyMachine(policy);
    const { mm, tasks } = machine.process(2);
    const [one, two] = machine.harts;
    machine.run(one, tasks[0]);
    machine.run(two, tasks[1]);
    machine.exit(one);
    leaveScanSet(one);
    expect(machine.borrows(one, mm)).toBe(false);
    machine.exit(two);
    expect(machine.problems()).toEqual([]);
    joinScanSet(one);
    expect(machine.finish()).toEqual([]);
  });
});
