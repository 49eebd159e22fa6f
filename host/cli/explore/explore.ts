// `pagewalk explore`: searches schedules of a scenario for a bug. What explores is loaded when it is needed.

import { availableParallelism } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import { INJECTIONS_FOR_ALL, type Injection } from "../../simulate/injection.ts";
import { STRATEGY_NAMES } from "../../simulate/job.ts";
import { checkReportFile } from "../report-file.ts";
import { collectPolicies, parseCount, parseInteger } from "../sizes.ts";
import { type ExploreFlags, STRATEGY_DEFAULT } from "./explore-flags.ts";

const SCHEDULES_DEFAULT = 10_000;
const DEPTH_DEFAULT = 3;
/** Each is a worker with a heap of its own. */
const JOBS_MAX = 64;

const EXAMPLES = `
Examples:
  pagewalk explore --list
  pagewalk explore A/exit-while-lazy --policy lazy-tlb=shoot --mutate A-M1
  pagewalk explore A/exit-while-lazy --strategy pct --depth 4 --schedules 100000
  pagewalk explore A/exit-while-lazy --shard 2/8 --json part2.json
  pagewalk explore --merge part*.json
  pagewalk explore A/exit-while-lazy --show 0
  pagewalk explore --replay schedule.json
  pagewalk explore --all --family A,B --mutations
  pagewalk explore --all --controls 10000 --log controls.log
  pagewalk explore --all --medians 20 --schedules 5000 --log medians.log

Exit code: 0 nothing found; 1 a schedule with a bug, which is printed and kept; 125 wrong command line.`;

export function addExplore(command: Command, setExitCode: (code: number) => void): void {
  command
    .command("explore")
    .description("search the schedules of a scenario for a bug; a failing one can be replayed to the byte")
    .argument("[scenario]", "one of --list")
    .addOption(new Option("--strategy <NAME>", "who goes next").choices(STRATEGY_NAMES).default(STRATEGY_DEFAULT))
    .addOption(
      new Option("--depth <D>", "bug depth that pct looks for; exhaustive: D - 1 preemptions")
        .argParser(parseCount)
        .default(DEPTH_DEFAULT),
    )
    .addOption(new Option("--seed <N>", "another seed, other schedules").argParser(parseInteger).default(1))
    .addOption(new Option("--schedules <N>", "how many at most").argParser(parseCount).default(SCHEDULES_DEFAULT))
    .addOption(new Option("--shard <I/N>", "only every N-th schedule, from the I-th").argParser(parseShard))
    .addOption(new Option("--mutate <ID>", "with one mistake put in, such as A-M1").default(""))
    .addOption(
      new Option("--policy <SEAM=NAME,...>", "instead of the scenario's own policies")
        .argParser(collectPolicies)
        .default({}),
    )
    .addOption(
      new Option("--inject <NAME,...>", `more than the scenario's own: ${INJECTIONS_FOR_ALL.join(", ")}`)
        .argParser(parseInjections)
        .default([]),
    )
    .addOption(
      new Option("--jobs <N>", "explorers at a time")
        .argParser(parseJobs)
        .default(Math.min(JOBS_MAX, availableParallelism())),
    )
    .addOption(new Option("--json <FILE>", "write the result to FILE").argParser(checkReportFile))
    .addOption(
      new Option(
        "--keep <FILE>",
        "where a failing schedule goes; default: SCENARIO-MUTATION-SEED.schedule.json",
      ).argParser(checkReportFile),
    )
    .option("--replay <FILE>", "run a kept schedule again")
    .addOption(
      new Option("--show <N>", "print schedule number N, whether something is wrong or not").argParser(parseInteger),
    )
    .addOption(
      new Option("--after <N>", "with --show: again, after N schedules that are given up in the middle")
        .argParser(parseInteger)
        .default(0),
    )
    .option("--strong-memory", "without the memory model, in scenarios that have it")
    .option("--merge <FILES...>", "add up what shards have written with --json")
    .option("--all", "all scenarios of --family, with --mutations, --medians or --controls")
    .option("--family <LETTERS>", "families for --all", "A,B,D,F")
    .option("--mutations", "with --all: every mutation must be caught, and the same without it must not be accused")
    .addOption(
      new Option("--medians <SEEDS>", "with --all: schedules until each mutation is found, by each strategy")
        .argParser(parseCount)
        .conflicts("mutations"),
    )
    .addOption(
      new Option(
        "--controls <N>",
        "with --all: N schedules of each scenario without a mistake; goes on where --log ends",
      )
        .argParser(parseCount)
        .conflicts("mutations"),
    )
    .option("--log <FILE>", "where --controls keeps what is done (default: explore-controls.log), and --medians")
    .option("--list", "the scenarios, and what each finds")
    .addHelpText("after", EXAMPLES)
    .action(async (scenario: string | undefined, flags: ExploreFlags, explore: Command) => {
      const given = Object.keys(flags).filter((name) => explore.getOptionValueSource(name) === "cli");
      const { exploreCommand } = await import("./explore-run.ts");
      setExitCode(await exploreCommand(scenario ?? "", flags, given));
    });
}

function parseJobs(text: string): number {
  const jobs = parseCount(text);
  if (jobs > JOBS_MAX) throw new InvalidArgumentError(`Give 1 to ${JOBS_MAX}.`);
  return jobs;
}

function parseShard(text: string): { index: number; count: number } {
  const [, index, count] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (!(index >= 1 && index <= count)) throw new InvalidArgumentError("Give I/N with I from 1 to N.");
  return { index, count };
}

function parseInjections(text: string, soFar: readonly Injection[]): readonly Injection[] {
  const found = text.split(",").map((name) => INJECTIONS_FOR_ALL.find((injection) => injection === name));
  if (found.includes(undefined)) throw new InvalidArgumentError(`There is ${INJECTIONS_FOR_ALL.join(", ")}.`);
  return [...soFar, ...found.filter((injection) => injection !== undefined)];
}
