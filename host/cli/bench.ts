// `pagewalk bench SUITE`. What measures is loaded when it is needed.

import { type Command, InvalidArgumentError, Option } from "commander";
import type { SuiteName } from "../bench/run.ts";
import { Progress } from "./progress.ts";
import { checkReportFile } from "./report-file.ts";
import { parseInteger } from "./sizes.ts";

const REPEATS_DEFAULT = 5;
const REPEATS_MAX = 1000;

interface SuiteHelp {
  readonly name: SuiteName;
  readonly description: string;
  readonly examples: readonly string[];
}

interface BenchFlags {
  readonly json?: string;
  readonly repeat: number;
  readonly filter: string;
}

const SUITES: readonly SuiteHelp[] = [
  {
    name: "core",
    description: "guest MIPS, TLB, walks, flushes, reference counts, round trips, start and memory",
    examples: ["pagewalk bench core --json core.json", "pagewalk bench core --filter kernels --repeat 9"],
  },
  {
    name: "faults",
    description: "page faults a second on one and two harts",
    examples: ["pagewalk bench faults", "pagewalk bench faults --filter own --json faults.json"],
  },
  {
    name: "kernel",
    description: "fork, exec, pipes, context switches, copy on write, file and swap faults",
    examples: ["pagewalk bench kernel", "pagewalk bench kernel --filter processes"],
  },
  {
    name: "policies",
    description: "the same workloads under each memory-management policy: which wins where",
    examples: ["pagewalk bench policies", "pagewalk bench policies --filter ctxsw --repeat 3"],
  },
  {
    name: "vma-lock",
    description: "what a fault locks: faults a second under each vma-lock policy on 1, 2, 4 and 8 harts",
    examples: ["pagewalk bench vma-lock", "pagewalk bench vma-lock --filter 'own vmas, 2' --repeat 3"],
  },
];

export function addBench(command: Command): void {
  const bench = command
    .command("bench")
    .description("measure the machine next to its baselines: qemu-riscv64, gcc -O2, native Linux")
    .addHelpText("after", "\nExample:\n  pagewalk bench core");
  for (const { name, description, examples } of SUITES) {
    bench
      .command(name)
      .description(description)
      .addOption(
        new Option("--json <FILE>", "write every sample, and on what host, to FILE").argParser(checkReportFile),
      )
      .addOption(new Option("--repeat <N>", "repetitions of each row").argParser(parseRepeats).default(REPEATS_DEFAULT))
      .option("--filter <NAME>", "only rows whose group/name contains NAME", "")
      .addHelpText("after", `\nExamples:\n${examples.map((line) => `  ${line}`).join("\n")}`)
      .action((flags: BenchFlags) => benchCommand(name, flags));
  }
}

async function benchCommand(name: SuiteName, { json, repeat, filter }: BenchFlags): Promise<void> {
  const { runSuite } = await import("../bench/run.ts");
  const { formatReport } = await import("../bench/report.ts");
  const progress = new Progress();
  const report = await runSuite(name, { repeats: repeat, filter, onProgress: (text) => progress.show(text) });
  progress.clear();
  process.stdout.write(`${formatReport(report).join("\n")}\n`);
  if (json === undefined) return;
  const { writeFile } = await import("node:fs/promises");
  await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
}

function parseRepeats(text: string): number {
  const repeats = parseInteger(text);
  if (repeats < 1 || repeats > REPEATS_MAX) throw new InvalidArgumentError(`Give 1 to ${REPEATS_MAX}.`);
  return repeats;
}
