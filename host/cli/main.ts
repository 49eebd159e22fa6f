// The pagewalk command. Commands are loaded when they are chosen, so that `run` starts quickly.

import "./start-quickly.ts";
import { Command, CommanderError, Option } from "commander";
import { EXIT_CODE_HOST_ERROR } from "../machine/exit-status.ts";
import { hearErrors } from "../machine/node/process.ts";
import { addBench } from "./bench.ts";
import { addExplore } from "./explore/explore.ts";
import { reportFailure, sayError } from "./failure.ts";
import { addMachineOptions, type MachineFlags } from "./options.ts";
import { translateQemuNames } from "./qemu-names.ts";
import type { RunFlags } from "./run.ts";
import { parseInteger } from "./sizes.ts";
import { readVersion } from "./version.ts";

const RUN_EXAMPLES = `
Examples:
  pagewalk run ./hello
  pagewalk run --harts 4 --stats ./threads 8
  pagewalk run -smp 2 -m 512 -E LANG=C ./busybox sort < words
  pagewalk run --driver deterministic --seed 7 ./munmap-race

Exit code: the guest's own; 128 + signal if one killed it; 124 --timeout; 125 wrong command line or host error;
126 the file cannot be run; 127 the file is not there.`;

const CONSOLE_EXAMPLES = `
Examples:
  pagewalk console --harts 2 ./busybox sh

Ctrl-A x leaves, Ctrl-A h shows the other keys.`;

const ATTACH_EXAMPLES = `
Examples:
  pagewalk run --console-socket /tmp/guest.sock --harts 2 ./busybox sh &
  pagewalk attach /tmp/guest.sock

Ctrl-A x leaves and the machine goes on. Any number may look; one types, the next in line when it leaves.
Exit code: the machine's own when it ends; 0 after Ctrl-A x; 125 if it is gone without a word.`;

const DEMO_EXAMPLES = `
Example:
  pagewalk demo --harts 4`;

const POLICIES_EXAMPLES = `
Examples:
  pagewalk policies
  pagewalk run --harts 4 --policy lazy-tlb=hazard,tlb-flush=broadcast --stats ./threads`;

const SYSCALLS_EXAMPLES = `
Example:
  pagewalk syscalls | grep partial`;

function makeCommand(setExitCode: (code: number) => void): Command {
  const command = new Command("pagewalk")
    .description("A small multi-core RISC-V machine with a real MMU, and a Linux-ABI kernel, for real Linux programs")
    .version(readVersion())
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        hearErrors(process.stdout);
        process.stdout.write(text);
      },
      writeErr: sayError,
      outputError: (text, write) => write(`pagewalk: ${text.replace(/^error: /, "").replace(/\n\(/, " (")}`),
    })
    .addHelpText("after", "\nExample:\n  pagewalk run --harts 4 --stats ./threads\n");

  addMachineOptions(command.command("run"))
    .description("run a Linux/riscv64 program: its stdin, stdout, stderr and exit code are this command's")
    .argument("<program>", "a static riscv64 executable of the host; with --root, a path in it")
    .argument("[args...]", "the program's own arguments and options")
    .option("--console-socket <PATH>", "the guest's terminal is at this unix socket: see attach")
    .passThroughOptions()
    .addHelpText("after", RUN_EXAMPLES)
    .action(async (program: string, args: string[], flags: RunFlags) => {
      const { runCommand } = await import("./run.ts");
      setExitCode(await runCommand(flags, program, args));
    });

  addMachineOptions(command.command("console"))
    .description("run a program on a raw terminal with a line editor")
    .argument("<program>", "a static riscv64 executable of the host; with --root, a path in it")
    .argument("[args...]", "the program's own arguments and options")
    .passThroughOptions()
    .addHelpText("after", CONSOLE_EXAMPLES)
    .action(async (program: string, args: string[], flags: MachineFlags) => {
      const { consoleCommand } = await import("./console.ts");
      setExitCode(await consoleCommand(flags, program, args));
    });

  command
    .command("attach")
    .description("this terminal becomes the console of a machine that runs with --console-socket")
    .argument("<socket>", "the path given to --console-socket")
    .option("--view", "only look: somebody else may type")
    .addHelpText("after", ATTACH_EXAMPLES)
    .action(async (socket: string, flags: { view?: boolean }) => {
      const { attachCommand } = await import("./socket/attach.ts");
      setExitCode(await attachCommand(socket, flags));
    });

  command
    .command("demo")
    .description("a guided tour: map, fault, unmap on several harts, and what it cost")
    .addOption(new Option("--harts <N>", "emulated CPUs").argParser(parseInteger).default(4))
    .addHelpText("after", DEMO_EXAMPLES)
    .action(async (flags: { harts: number }) => {
      const { demoCommand } = await import("./demo.ts");
      setExitCode(await demoCommand(flags.harts));
    });

  command
    .command("policies")
    .description("list the memory-management policies by seam")
    .option("--policy-module <FILE>", "and those of a module of your own (host/policy/README.md)")
    .addHelpText("after", POLICIES_EXAMPLES)
    .action(async ({ policyModule }: { policyModule?: string }) => {
      const { loadPolicyModule, moduleAddress } = await import("../machine/node/policy-module.ts");
      const { describePolicies } = await import("./policies.ts");
      const extra = policyModule === undefined ? [] : await loadPolicyModule(moduleAddress(policyModule));
      process.stdout.write(describePolicies(extra));
    });

  command
    .command("syscalls")
    .description("list the system calls: which are there, in full or in part, and which are not")
    .addHelpText("after", SYSCALLS_EXAMPLES)
    .action(async () => {
      const { describeCalls } = await import("../kernel/syscall/describe.ts");
      process.stdout.write(describeCalls());
    });

  addBench(command);
  addExplore(command, setExitCode);
  return command;
}

/** Names of the options of `run` or `console` that take a value. */
function optionsWithValue(command: Command, name: string): Set<string> {
  const options = command.commands.find((subcommand) => subcommand.name() === name)?.options ?? [];
  return new Set(options.filter(({ required }) => required).flatMap(({ long, short }) => [long ?? "", short ?? ""]));
}

async function main(): Promise<number> {
  let exitCode = 0;
  const command = makeCommand((code) => {
    exitCode = code;
  });
  const argv = process.argv.slice(2);
  if (argv[0] !== "run") hearErrors(process.stdout); // run writes to it by the machine's own sink
  try {
    await command.parseAsync(translateQemuNames(argv, optionsWithValue(command, argv[0])), { from: "user" });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportFailure(error);
    // commander has printed it: help and version end with 0.
    return error.exitCode === 0 ? 0 : EXIT_CODE_HOST_ERROR;
  }
}

void main().then((code) => process.exit(code));
