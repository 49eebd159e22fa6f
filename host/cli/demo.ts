// `pagewalk demo`, which `npm start` runs: two guest programs on several harts, what they show, and what it cost.

import { fileURLToPath } from "node:url";
import { resolveConfig } from "../machine/config.ts";
import { exitCodeOf } from "../machine/exit-status.ts";
import { Machine } from "../machine/machine.ts";
import type { MachineStats } from "../observe/stats.ts";

interface Stop {
  readonly program: string;
  readonly args: readonly string[];
  readonly about: string;
}

const TOUR: readonly Stop[] = [
  {
    program: "mmap-fault-exit",
    args: [],
    about: "One process maps memory, touches it, changes its protection, faults, unmaps, and checks each result.",
  },
  {
    program: "fault-storm",
    args: [],
    about: "Threads on all harts map, touch and unmap at once: every munmap must reach the TLBs of the other harts.",
  },
];

const ROWS: readonly { readonly label: string; readonly value: (stats: MachineStats) => string }[] = [
  { label: "time", value: ({ seconds }) => `${(seconds * 1000).toFixed(0)} ms` },
  { label: "instructions", value: ({ total }) => count(total.instret) },
  { label: "page faults", value: ({ total }) => count(total.pgfault) },
  { label: "page-table walks", value: ({ total }) => count(total.ptw) },
  { label: "TLB misses", value: ({ total }) => count(total.tlb_miss) },
  { label: "  per 1,000 instructions", value: ({ total }) => ((total.tlb_miss / total.instret) * 1000).toFixed(2) },
  { label: "TLB shootdowns", value: ({ total }) => count(total.nr_tlb_remote_flush) },
  { label: "  IPIs sent for them", value: ({ total }) => count(total.ipi_sent) },
  { label: "  left to sleeping harts", value: ({ total }) => count(total.tlb_flush_deferred) },
  { label: "frames allocated", value: ({ total }) => count(total.pgalloc) },
  { label: "frames lost", value: ({ framesFreeAtBoot, framesFree }) => count(framesFreeAtBoot - framesFree) },
];

/** Returns 0 if both programs passed their own checks. */
export async function demoCommand(harts: number): Promise<number> {
  resolveConfig({ program: "", harts }); // a wrong number before the first line of the tour
  say(`pagewalk: a RISC-V machine with ${harts} harts, one worker thread each. Real Sv39 page tables, real TLBs.\n`);
  const results: MachineStats[] = [];
  for (const stop of TOUR) {
    say(`\n-- ${stop.program} --\n${stop.about}\n\n`);
    const program = fileURLToPath(new URL(`../guest-programs/prebuilt/${stop.program}`, import.meta.url));
    const machine = await Machine.boot({ program, args: [stop.program, ...stop.args], harts });
    const status = await machine.run();
    results.push(machine.stats());
    await machine.dispose();
    if (exitCodeOf(status) !== 0) {
      say(`\n${stop.program} failed: ${"message" in status ? status.message : `exit code ${exitCodeOf(status)}`}\n`);
      return 1;
    }
  }
  say(`\n${table(results)}`);
  say("\nNext: pagewalk run --harts 4 --stats PROGRAM   (any static Linux/riscv64 executable; pagewalk --help)\n");
  return 0;
}

function table(results: readonly MachineStats[]): string {
  const cell = (text: string) => text.padStart(18);
  const lines = [`${"".padEnd(26)}${TOUR.map(({ program }) => cell(program)).join("")}`];
  for (const { label, value } of ROWS)
    lines.push(label.padEnd(26) + results.map((stats) => cell(value(stats))).join(""));
  return `${lines.join("\n")}\n`;
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function say(text: string): void {
  process.stdout.write(text);
}
