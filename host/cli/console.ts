// `pagewalk console`: the guest on this terminal, which is put into raw mode so that every key but Ctrl-A goes there.

import { HostError } from "../machine/errors.ts";
import { Machine } from "../machine/machine.ts";
import { formatStats } from "../observe/stats.ts";
import { killOwnProcess } from "./end-process.ts";
import { EscapeKeys } from "./escape-keys.ts";
import { finish } from "./finish.ts";
import { type MachineFlags, machineConfig } from "./options.ts";
import { enterRawMode } from "./raw-terminal.ts";

const HELP = `
Ctrl-A x   leave: stop the machine
Ctrl-A i   show the machine's counters
Ctrl-A h   this help
Ctrl-A a   type a Ctrl-A
`;

/** Returns the exit code: the guest's own, 0 after Ctrl-A x. */
export async function consoleCommand(flags: MachineFlags, program: string, args: readonly string[]): Promise<number> {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new HostError("console needs a terminal for stdin and stdout: use pagewalk run");
  }
  const machine = await Machine.boot({
    ...machineConfig(flags, program, args),
    terminal: { columns: stdout.columns, rows: stdout.rows },
    onInputWanted: () => {}, // keys are taken from the start, wanted or not
  });
  stdout.write("pagewalk console: Ctrl-A x leaves, Ctrl-A h helps\n");
  stdout.on("resize", () => machine.console.resize(stdout.columns, stdout.rows));
  process.on("SIGTERM", () => machine.stop());
  const keys = connectKeys(machine);
  const leaveRawMode = enterRawMode();
  stdin.on("data", (typed: Buffer) => keys.type(typed));
  const status = await machine.run();
  stdin.pause();
  leaveRawMode();
  const code = await finish(machine, status, flags);
  if (machine.hasHungWorker) killOwnProcess();
  return status.kind === "stopped" ? 0 : code;
}

function connectKeys(machine: Machine): EscapeKeys {
  const say = (text: string) => process.stdout.write(text.replaceAll("\n", "\r\n"));
  return new EscapeKeys({
    typed: (bytes) => void machine.console.write(Buffer.from(bytes)),
    leave: () => machine.stop(),
    help: () => say(HELP),
    info: () => say(`\n${formatStats(machine.stats())}`),
  });
}
