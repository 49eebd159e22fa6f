// `pagewalk run`: the guest's stdout, stderr, stdin and exit code are this process's.

import { fstatSync } from "node:fs";
import { Machine } from "../machine/machine.ts";
import { finish } from "./finish.ts";
import { type MachineFlags, machineConfig } from "./options.ts";
import { feedInput } from "./stdin.ts";

const EXIT_CODE_SIGNAL_BASE = 128;
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Returns the exit code. Throws what Machine.boot throws. */
export async function runCommand(flags: MachineFlags, program: string, args: readonly string[]): Promise<number> {
  let stopInput = () => {};
  const machine = await Machine.boot({
    ...machineConfig(flags, program, args),
    terminal: terminalSize(),
    onInputWanted: () => {
      stopInput = feedInput(machine.console);
    },
  });
  let interruptedBy = 0;
  for (const [name, number] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      interruptedBy = number;
      machine.stop();
    });
  }
  const running = machine.run();
  // After the start of the workers, because Node loads its stream code at the first touch of process.stdout.
  process.stdout.on("resize", () => machine.console.resize(process.stdout.columns, process.stdout.rows));
  const status = await running;
  stopInput();
  const code = await finish(machine, status, flags);
  return status.kind === "stopped" && interruptedBy !== 0 ? EXIT_CODE_SIGNAL_BASE + interruptedBy : code;
}

/** A terminal for the guest only if it is one at both ends, as for a program that is run directly. */
function terminalSize(): { columns: number; rows: number } | undefined {
  if (!fstatSync(0).isCharacterDevice() || !fstatSync(1).isCharacterDevice()) return undefined; // no stream code needed
  if (!process.stdout.isTTY || !process.stdin.isTTY) return undefined;
  return { columns: process.stdout.columns, rows: process.stdout.rows };
}
