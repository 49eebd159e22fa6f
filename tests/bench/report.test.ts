// The shape of a report: no time is ever judged here.

import { describe, expect, test } from "vitest";
import { select } from "../../host/bench/bench.ts";
import { kernelGeomean } from "../../host/bench/kernels.ts";
import { formatReport, type Report } from "../../host/bench/report.ts";
import { makeRow, type Row } from "../../host/bench/row.ts";
import { SUITES } from "../../host/bench/run.ts";
import { formatTable } from "../../host/bench/table.ts";

const KERNELS = ["sieve", "crc32", "chase", "memcpy", "sha256", "qsort", "fib", "calls", "mix"];

function namesOf(suite: keyof typeof SUITES, filter = ""): string[] {
  return select(SUITES[suite], filter).flatMap(({ group, names }) => names.map((name) => `${group}/${name}`));
}

function kernelRow(name: string, ours: readonly number[], theirs: readonly number[] | null): Row {
  const baseline = theirs && { name: "qemu-riscv64", samples: theirs };
  return makeRow({ group: "kernels", name, unit: "MIPS" }, ours, { baseline });
}

describe("rows", () => {
  test.each([{ atLeast: 0.28 }, { atMost: 1.2 }])("what could not be measured reaches no goal: %o", (bound) => {
    expect(
      makeRow({ group: "mmu", name: "walk", unit: "ns" }, [Number.NaN], { goal: { of: "value", ...bound } }).met,
    ).toBe(false);
  });

  test("bench core has every kernel, MMU operation, round trip, the start and the size", () => {
    const names = namesOf("core");
    expect(names).toEqual(expect.arrayContaining(KERNELS.map((kernel) => `kernels/${kernel}`)));
    expect(names).toEqual(
      expect.arrayContaining([
        "mmu/TLB hit, load",
        "mmu/TLB hit, store",
        "mmu/walk",
        "mmu/fill, flush one",
        "mmu/flush ASID",
        "mmu/flush all",
        "mmu/refcount inc, dec",
        "mmu/inc-not-zero",
        "round trips/system call",
        "round trips/trap",
        "round trips/IPI, running hart",
        "round trips/IPI, parked hart",
        "start and size/hello",
        "start and size/host memory, 4 harts",
      ]),
    );
  });

  test("bench faults has 1 and 2 harts, own and shared vma, and the scaling between them", () => {
    expect(namesOf("faults")).toEqual(
      expect.arrayContaining([
        "faults/1 hart, own vmas",
        "faults/2 harts, own vmas",
        "faults/1 hart, one vma",
        "faults/2 harts, one vma",
        "faults/2 harts against 1, own vmas",
        "faults/2 harts against 1, one vma",
      ]),
    );
  });

  test("no name occurs twice", () => {
    const names = [...namesOf("core"), ...namesOf("faults")];
    expect(new Set(names).size).toBe(names.length);
  });

  test("a filter selects by part of group/name", () => {
    expect(namesOf("core", "kernels/")).toHaveLength(KERNELS.length);
    expect(namesOf("core", "walk")).toContain("mmu/walk");
    expect(namesOf("core", "no such row")).toEqual([]);
  });
});

describe("geometric mean of the kernels", () => {
  test("is taken in each repetition, over the kernels but not the mix", () => {
    const rows = [
      kernelRow("sieve", [2, 4], [4, 4]),
      kernelRow("fib", [8, 4], [4, 4]),
      kernelRow("mix", [1000, 1000], [1, 1]),
    ];
    const [mean] = kernelGeomean(rows);
    expect(mean.name).toBe("geometric mean of 2");
    expect(mean.value.samples.map(Math.round)).toEqual([4, 4]);
    expect(mean.ratio!.median).toBeCloseTo(1, 12);
  });

  test("is absent without baselines, and over a single kernel", () => {
    expect(kernelGeomean([kernelRow("sieve", [1], null), kernelRow("fib", [1], null)])).toEqual([]);
    expect(kernelGeomean([kernelRow("sieve", [1], [1])])).toEqual([]);
  });
});

describe("report", () => {
  const rows = [
    kernelRow("sieve", [100, 300, 200], [400, 400, 400]),
    makeRow({ group: "mmu", name: "walk", unit: "ns" }, [9], {
      baseline: { name: "gcc -O2", samples: [5] },
      goal: { of: "ratio", atMost: 1.7 },
    }),
    makeRow({ group: "mmu", name: "alone", unit: "ns" }, [5], { goal: { of: "ratio", atMost: 1 }, note: "why" }),
  ];
  const report: Report = {
    schema: 1,
    suite: "core",
    started: "2024-01-01T00:00:00.000Z",
    repeats: 3,
    host: { cpu: "a cpu", cores: 2, platform: "linux x64", node: "v20.0.0", v8: "11", qemu: null, gcc: null },
    missing: ["no qemu-riscv64: install qemu-user"],
    rows,
  };

  test("the table shows median, extremes, baseline, ratio and verdict of each row", () => {
    const table = formatTable(rows);
    expect(table[1]).toMatch(
      /^ {2}sieve +200 \(100\.\.300\) MIPS +400 \(400\.\.400\) qemu-riscv64 +0\.50 \(0\.25\.\.0\.75\)$/,
    );
    expect(table.join("\n")).toMatch(/walk +9\.00 ns +5\.00 gcc -O2 +1\.80 +<= 1\.7x +NOT MET/);
    expect(table).toContain("  alone: why");
  });

  test("the text says what is missing and how many goals were met", () => {
    const text = formatReport(report);
    expect(text).toContain("no qemu-riscv64: install qemu-user");
    expect(text.at(-1)).toBe("0 of 1 goals met; not met: walk; 1 without a baseline here");
  });

  test("JSON keeps every sample and what host it was", () => {
    const read = JSON.parse(JSON.stringify(report)) as Report;
    expect(read).toEqual(report);
    expect(read.rows[0].value.samples).toEqual([100, 300, 200]);
    expect(read.host).toMatchObject({ cpu: "a cpu", node: "v20.0.0" });
  });
});
