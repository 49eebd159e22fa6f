// What the counters of policies A and B say of a few steps, against what was worked out by hand. Those of policies D
// are in vma-lock-counted.test.ts.

import { describe, expect, test } from "vitest";
import {
  ASID_COUNT,
  HART_IS_LAZY,
  HART_LOADED_MM,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MM_TLB_GEN,
  PAGE_BYTES,
} from "../../assembly/layout.ts";
import { firmwareCall } from "../../host/kernel/memory/text-poke.ts";
import { handleNmi } from "../../host/kernel/nmi.ts";
import { exitMm, switchActiveMm } from "../../host/kernel/sched/switch.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { switchMm } from "../../host/mm/context.ts";
import { mmAlloc, mmput } from "../../host/mm/mm.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../host/mm/uapi.ts";
import { MmMachine } from "../mm/harness.ts";
import { type Counts, counted } from "../support/counted.ts";
import { LazyMachine } from "./lazy-machine.ts";

const LAZY = [
  "lazy_enter",
  "lazy_exit_same",
  "lazy_exit_switch",
  "mm_count_atomics",
  "mm_count_bounces",
  "shoot_lazies_ipi_sent",
  "shoot_lazies_ipi_useful",
  "hazard_scan_cpus",
  "hazard_hits",
  "drop_mm_stolen",
  "unlazy_in_flush",
  "mmput_last",
  "mmdrop_last",
  "temp_mm_enter",
  "nmi_active_mm_reads",
];

/** Three harts run threads of one process; hart 1 idles and comes back; harts 1 and 2 exit, hart 0 last. */
function lives(lazy: string): Counts[] {
  const machine = new LazyMachine({ "lazy-tlb": lazy });
  const { harts } = machine;
  const { tasks } = machine.process(3);
  for (const hart of harts) machine.run(hart, tasks[hart.id]);
  const steps = [
    () => {
      machine.idle(harts[1]);
      machine.run(harts[1], tasks[1]);
    },
    () => {
      machine.exit(harts[1]);
      machine.exit(harts[2]);
    },
    () => machine.exit(harts[0]),
  ];
  const counts = steps.map((step) => counted(harts, LAZY, step));
  expect(machine.finish()).toEqual([]);
  return counts;
}

describe("an idle round trip, two exits with borrowers left, and the last exit:", () => {
  const trip = { lazy_enter: 1, lazy_exit_same: 1 };
  const exits = { lazy_enter: 2 };
  const last = { lazy_enter: 1, mmput_last: 1, mm_count_atomics: 1, mm_count_bounces: 1 };

  test("refcount counts up and down for each borrowing, and the users' own reference goes at the end", () => {
    expect(lives("refcount")).toEqual([
      { ...trip, mm_count_atomics: 2, mm_count_bounces: 1 },
      // Hart 1 was the last to touch the count.
      { ...exits, mm_count_atomics: 2, mm_count_bounces: 1 },
      { ...last, mm_count_atomics: 2 },
    ]);
  });

  test("hazard looks at three harts, finds three that borrow, and pays them with one update", () => {
    expect(lives("hazard")).toEqual([
      trip,
      exits,
      { ...last, hazard_scan_cpus: 3, hazard_hits: 3, mm_count_atomics: 2 },
    ]);
  });

  test("shoot tells the two others when the last reference goes", () => {
    const shot = { shoot_lazies_ipi_sent: 2, shoot_lazies_ipi_useful: 2, mmdrop_last: 1 };
    expect(lives("shoot")).toEqual([trip, exits, { ...last, ...shot }]);
  });

  test("shoot-at-flush tells them by the last flush", () => {
    expect(lives("shoot-at-flush")).toEqual([trip, exits, { ...last, unlazy_in_flush: 2, mmdrop_last: 1 }]);
  });
});

test("a return to another mm than the borrowed one counts as such", () => {
  const machine = new LazyMachine({ "lazy-tlb": "shoot" });
  const [hart, other] = machine.harts;
  const [first, second] = [machine.process(2), machine.process(1)];
  machine.run(hart, first.tasks[0]);
  machine.run(other, first.tasks[1]);
  machine.idle(hart);
  expect(counted(machine.harts, LAZY, () => machine.run(hart, second.tasks[0]))).toEqual({ lazy_exit_switch: 1 });
  machine.exit(hart);
  machine.run(hart, first.tasks[0]);
  machine.exit(hart);
  machine.exit(other);
  expect(machine.finish()).toEqual([]);
});

test("hazard: an exit takes the place of a reference that its hart has not dropped yet, and drops it", () => {
  const machine = new LazyMachine({ "lazy-tlb": "hazard" });
  const [one, two] = machine.harts;
  const [first, second] = [machine.process(2), machine.process(2)];
  for (const hart of [one, two]) machine.run(hart, first.tasks[hart.id]);
  machine.exit(one);
  machine.exit(two); // leaves a reference with hart 0
  machine.run(two, second.tasks[1]);
  switchActiveMm(one, one.current, second.tasks[0]);
  one.setCurrent(second.tasks[0]); // and is stopped before finish() could drop it
  mmput(one, exitMm(one)); // borrows the second mm
  expect(counted(machine.harts, LAZY, () => machine.exit(two))).toMatchObject({
    hazard_scan_cpus: 3,
    hazard_hits: 2,
    drop_mm_stolen: 1,
    mmdrop_last: 1,
  });
  expect(machine.isAlive(first.mm)).toBe(false);
  expect(machine.isAlive(second.mm)).toBe(true);
  expect(machine.finish()).toEqual([]);
});

test("a firmware call enters one temporary mm, an NMI looks at active_mm once", () => {
  const machine = new LazyMachine({ "lazy-tlb": "refcount" });
  const [hart] = machine.harts;
  const { tasks } = machine.process(1);
  machine.run(hart, tasks[0]);
  const firmware = mmAlloc(hart);
  expect(counted(machine.harts, ["temp_mm_enter"], () => firmwareCall(hart, firmware, 1))).toEqual({
    temp_mm_enter: 1,
  });
  const nmi = counted(machine.harts, ["nmi_active_mm_reads"], () => handleNmi(hart));
  expect(nmi).toEqual({ nmi_active_mm_reads: 1 });
  mmput(hart, firmware);
  machine.exit(hart);
  expect(machine.finish()).toEqual([]);
});

const FLUSH = [
  "nr_tlb_remote_flush",
  "nr_tlb_remote_flush_received",
  "ipi_sent",
  "ipi_useless",
  "tlbi_broadcast",
  "tlb_flush_range_pages",
  "tlb_gen_skips",
  "tlb_flush_skipped_lazy",
  "mmu_gather_batches",
  "asid_rollover",
];
const BASE = 0x1000_0000;
const VPN = BASE / PAGE_BYTES;
const PAGES = 200;

/** Three harts with the same mm loaded, and pages in it. */
function mapped(policy: Readonly<Record<string, string>>) {
  const machine = new MmMachine(3, 1 << 25, policy);
  const mm = machine.start();
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  doMmap(machine.hart, mm, BASE, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, flags, 0);
  machine.touch(BASE, PAGES);
  const unmap = (page: number, pages: number) => () => {
    doMunmap(machine.hart, mm, BASE + page * PAGE_BYTES, pages * PAGE_BYTES);
  };
  const countUnmap = (page: number, pages: number) => counted(machine.harts, FLUSH, unmap(page, pages));
  return { machine, mm, countUnmap };
}

describe("munmap of 1, 3 and 100 pages on one of three harts:", () => {
  const ipis = { nr_tlb_remote_flush: 1, nr_tlb_remote_flush_received: 2, ipi_sent: 2, mmu_gather_batches: 1 };

  test.each([
    ["ipi-mask", ipis, { tlb_flush_range_pages: 1 }, { tlb_flush_range_pages: 3 }],
    ["asid-local", ipis, { tlb_flush_range_pages: 1 }, { tlb_flush_range_pages: 3 }],
    ["asid-global", ipis, { tlb_flush_range_pages: 1 }, { tlb_flush_range_pages: 3 }],
    [
      "broadcast",
      { tlbi_broadcast: 1, mmu_gather_batches: 1 },
      { tlb_flush_range_pages: 1 },
      { tlb_flush_range_pages: 3 },
    ],
  ])("%s", (flush, always, one, three) => {
    const { machine, countUnmap } = mapped({ "tlb-flush": flush });
    expect(countUnmap(0, 1)).toEqual({ ...always, ...one });
    expect(countUnmap(10, 3)).toEqual({ ...always, ...three });
    expect(countUnmap(50, 100)).toEqual(always); // above the ceiling of 64: all of the mm
    expect(machine.finish()).toEqual([]);
  });

  test("full-all tells everybody for each page", () => {
    const { machine, countUnmap } = mapped({ "tlb-flush": "full-all" });
    const times = (count: number) => ({
      nr_tlb_remote_flush: count,
      nr_tlb_remote_flush_received: 2 * count,
      ipi_sent: 2 * count,
      mmu_gather_batches: 1,
    });
    expect(countUnmap(0, 1)).toEqual(times(1));
    expect(countUnmap(10, 3)).toEqual(times(3));
    expect(machine.finish()).toEqual([]);
  });
});

test("a hart that the mask has kept although it has another mm loaded is told for nothing", () => {
  const { machine, mm, countUnmap } = mapped({ cpumask: "sticky" });
  const [, , away] = machine.harts;
  const initMm = machine.shared.get(MACHINE_BASE + MACHINE_INIT_MM);
  switchMm(away, mm, initMm);
  expect(countUnmap(0, 1)).toMatchObject({ ipi_sent: 2, nr_tlb_remote_flush_received: 2, ipi_useless: 1 });
  switchMm(away, away.get(HART_LOADED_MM), mm);
  expect(machine.finish()).toEqual([]);
});

test("a flush of a generation that the hart has reached already is skipped", () => {
  const { machine, mm, countUnmap } = mapped({});
  const [, other] = machine.harts;
  countUnmap(0, 1);
  const generation = machine.shared.get(mm + MM_TLB_GEN);
  const late = (of: number) => () => other.policies.tlbFlush.onIpi(other, mm, VPN, 1, of);
  expect(counted(machine.harts, ["tlb_gen_skips"], late(generation))).toEqual({ tlb_gen_skips: 1 });
  expect(counted(machine.harts, ["tlb_gen_skips"], late(generation + 1))).toEqual({});
  expect(machine.finish()).toEqual([]);
});

test("is-lazy: a lazy hart is left out, unless tables go", () => {
  const { machine, mm, countUnmap } = mapped({ "lazy-tlb": "is-lazy" });
  const [, lazy] = machine.harts;
  lazy.set(HART_IS_LAZY, 1);
  expect(countUnmap(0, 1)).toMatchObject({ tlb_flush_skipped_lazy: 1, ipi_sent: 1 });
  // The pages without it, then the table with it.
  expect(countUnmap(1, PAGES - 1)).toMatchObject({ tlb_flush_skipped_lazy: 1, ipi_sent: 1 + 2 });
  lazy.set(HART_IS_LAZY, 0);
  lazy.policies.tlbFlush.catchUp(lazy, mm);
  expect(machine.finish()).toEqual([]);
});

test("asid-global begins a new generation when each number but 0 has been given away", () => {
  const { machine } = mapped({ "tlb-flush": "asid-global" });
  const { hart, mm } = machine;
  const load = (count: number) => () => {
    for (let i = 0; i < count; i++) {
      const next = mmAlloc(hart);
      switchMm(hart, mm, next);
      switchMm(hart, next, mm);
      mmput(hart, next);
    }
  };
  // init_mm and the mm of the machine have one each.
  expect(counted(machine.harts, ["asid_rollover"], load(ASID_COUNT - 3))).toEqual({});
  expect(counted(machine.harts, ["asid_rollover"], load(1))).toEqual({ asid_rollover: 1 });
  expect(machine.finish()).toEqual([]);
});
