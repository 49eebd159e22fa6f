// The options that every command which boots a machine has, and how they become a MachineConfig.

import { type Command, Option } from "commander";
import type { Driver, MachineConfig } from "../machine/config.ts";
import { checkReportFile } from "./report-file.ts";
import { collectEnv, collectPolicies, parseInteger, parseSeconds, parseSize } from "./sizes.ts";

export interface MachineFlags {
  readonly root?: string;
  readonly rootTar?: string;
  readonly harts?: number;
  readonly ram?: number;
  readonly swap?: number;
  readonly tlb?: number;
  readonly seed?: number;
  readonly driver?: Driver;
  readonly strace?: boolean;
  readonly trace?: string;
  readonly traceEvents?: readonly string[];
  readonly policy?: Record<string, string>;
  readonly policyModule?: string;
  readonly mutate?: string;
  readonly timeout?: number;
  readonly env?: Record<string, string>;
  readonly stats?: boolean;
  readonly json?: string;
}

export function addMachineOptions(command: Command): Command {
  return command
    .option("--root <DIR>", "the guest's root file system; it is not written, PROGRAM is a path in it")
    .option("--root-tar <FILE>", "the same from a tar archive, plain or gzip")
    .addOption(new Option("--harts <N>", "emulated CPUs, 1 to 64 (also -smp N)").argParser(parseInteger))
    .addOption(new Option("--ram <SIZE>", "guest memory, 16M to 3G; default 256M (also -m SIZE)").argParser(parseSize))
    .addOption(
      new Option("--swap <SIZE>", "room for pages that memory has none for, below 4G; default none").argParser(
        parseSize,
      ),
    )
    .addOption(
      new Option("--tlb <ENTRIES>", "TLB entries per hart, a power of two from 64 to 4096; default 1024").argParser(
        parseInteger,
      ),
    )
    .addOption(new Option("--seed <N>", "seed of randomness, layout and schedule").argParser(parseInteger))
    .addOption(
      new Option("--driver <NAME>", "threaded: harts in parallel; deterministic: same seed, same run").choices([
        "threaded",
        "deterministic",
      ]),
    )
    .addOption(
      new Option("--policy <SEAM=NAME[,...]>", "memory-management policies; `pagewalk policies` lists them").argParser(
        collectPolicies,
      ),
    )
    .option("--policy-module <FILE>", "a module with policies of your own (host/policy/README.md)")
    .option("--mutate <ID>", "let the kernel make a mistake, A-M1 for example, to see what notices")
    .option("--stats", "print the machine's counters to stderr at the end")
    .addOption(new Option("--json <FILE>", "write exit status and counters to FILE").argParser(checkReportFile))
    .option("--strace", "print each system call to stderr (also -strace)")
    .option("--trace <FILE>", "write what the harts do to FILE, a line an event, as Linux's ftrace does")
    .addOption(
      new Option(
        "--trace-events <NAME[,...]>",
        "only events whose names begin so, `sched,tlb_flush` for example",
      ).argParser((text) => text.split(",")),
    )
    .addOption(new Option("--timeout <S>", "stop after S seconds, with exit code 124").argParser(parseSeconds))
    .addOption(new Option("-E, --env <K=V>", "set a variable in the guest's environment").argParser(collectEnv));
}

export function machineConfig(flags: MachineFlags, program: string, args: readonly string[]): MachineConfig {
  return {
    program,
    args: [program, ...args],
    env: flags.env,
    root: flags.root,
    rootTar: flags.rootTar,
    harts: flags.harts,
    ramBytes: flags.ram,
    swapBytes: flags.swap,
    tlbEntries: flags.tlb,
    seed: flags.seed,
    driver: flags.driver,
    strace: flags.strace,
    trace: flags.trace,
    traceEvents: flags.traceEvents,
    policy: flags.policy,
    policyModule: flags.policyModule,
    mutate: flags.mutate,
    timeoutSeconds: flags.timeout,
  };
}
