// What a user waits for and pays: `pagewalk run hello` from process start to exit, and the host memory of four harts.

import { readFileSync } from "node:fs";
import type { Bench, Measurable } from "./bench.ts";
import { runChild } from "./child.ts";
import { guestProgram, runGuest } from "./guest.ts";
import { interleave, type Measurement } from "./interleave.ts";
import { makeRow, type Row } from "./row.ts";

const GROUP = "start and size";
const HELLO_MS = 150;
const MEMORY_MIB = 120;
const MEMORY_HARTS = 4;
/** All four harts fault, unmap and wait for each other for about a second. */
const MEMORY_PROGRAM = ["fault-loop", "4", "64", "10000", "own"] as const;
const SAMPLE_MS = 20;

export const startMeasurables: readonly Measurable[] = [
  { group: GROUP, names: ["hello", "an empty node"], measure: measureHello },
  { group: GROUP, names: ["host memory, 4 harts"], measure: measureMemory },
];

async function measureHello({ paths, repeats, baselines }: Bench): Promise<Row[]> {
  const { qemu } = baselines;
  const hello = guestProgram(paths, "hello");
  const measurements: Measurement[] = [
    async () => (await runGuest(paths, [], "hello", [])).elapsedMs,
    async () => (await runChild(process.execPath, ["--eval", "0"])).elapsedMs,
  ];
  if (qemu !== null) measurements.push(async () => (await runChild(qemu, [hello])).elapsedMs);
  const [ours, node, theirs] = await interleave(2 * repeats, measurements);
  return [
    makeRow({ group: GROUP, name: "hello", unit: "ms" }, ours, {
      baseline: theirs === undefined ? null : { name: "qemu-riscv64", samples: theirs },
      goal: { of: "value", atMost: HELLO_MS },
      note: "process start to exit, 1 hart",
    }),
    makeRow({ group: GROUP, name: "an empty node", unit: "ms" }, node, {
      note: "the part of it that is Node's own start",
    }),
  ];
}

async function measureMemory({ paths, repeats }: Bench): Promise<Row[]> {
  if (process.platform !== "linux") return [];
  const [program, ...args] = MEMORY_PROGRAM;
  const samples: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const peak = new PeakWatch();
    await runGuest(paths, ["--harts", `${MEMORY_HARTS}`], program, args, (pid) => peak.start(pid));
    samples.push(peak.stop());
  }
  return [
    makeRow({ group: GROUP, name: "host memory, 4 harts", unit: "MiB" }, samples, {
      goal: { of: "value", atMost: MEMORY_MIB },
      note: "peak resident set (VmHWM), with the 1 MiB of guest RAM that the program touches",
    }),
  ];
}

/** Looks at a process's high-water mark until it is gone; the last look counts. */
class PeakWatch {
  #kibibytes = 0;
  #timer: NodeJS.Timeout | undefined;

  start(pid: number): void {
    this.#timer = setInterval(() => this.#look(pid), SAMPLE_MS);
  }

  /** MiB */
  stop(): number {
    clearInterval(this.#timer);
    return this.#kibibytes / 1024;
  }

  #look(pid: number): void {
    let status: string;
    try {
      status = readFileSync(`/proc/${pid}/status`, "utf8");
    } catch {
      return; // it has ended
    }
    const match = /^VmHWM:\s+(\d+) kB$/m.exec(status);
    if (match !== null) this.#kibibytes = Number(match[1]);
  }
}
