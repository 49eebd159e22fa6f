// `pagewalk run`: the guest's stdout, stderr, stdin and exit code are this process's.

import { fstatSync } from "node:fs";
import type { MachineConfig } from "../machine/config.ts";
import { EXIT_CODE_HOST_ERROR } from "../machine/exit-status.ts";
import { Machine } from "../machine/machine.ts";
import { writeToProcess } from "../machine/node/process.ts";
import { killOwnProcess } from "./end-process.ts";
import { finish } from "./finish.ts";
import { type MachineFlags, machineConfig } from "./options.ts";
import type { ConsoleSocket } from "./socket/server.ts";
import { feedInput } from "./stdin.ts";

export interface RunFlags extends MachineFlags {
  /** Path of a unix socket for `pagewalk attach`. */
  readonly consoleSocket?: string;
}

const EXIT_CODE_SIGNAL_BASE = 128;
/** Until somebody attaches and says how large it is. */
const SOCKET_TERMINAL = { columns: 80, rows: 24 };
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Returns the exit code. Throws what Machine.boot throws. */
export async function runCommand(flags: RunFlags, program: string, args: readonly string[]): Promise<number> {
  let interruptedBy = 0;
  let stop = (): void => process.exit(EXIT_CODE_SIGNAL_BASE + interruptedBy);
  for (const [name, number] of Object.entries(SIGNALS)) {
    process.on(name, () => {
      interruptedBy = number;
      stop();
    });
  }
  const socket = flags.consoleSocket === undefined ? null : await listen(flags.consoleSocket);
  let stopInput = () => {};
  const machine = await bootOrClose(socket, {
    ...machineConfig(flags, program, args),
    terminal: socket === null ? hostTerminal() : SOCKET_TERMINAL,
    output: socket === null ? undefined : (fd, bytes) => showTo(socket, fd, bytes),
    onInputWanted: () => {
      // Keys come from who attaches.
      if (socket === null) stopInput = feedInput(machine.console);
    },
  });
  socket?.connectTo(machine.console);
  stop = () => machine.stop();
  for (const notice of machine.notices) process.stderr.write(`pagewalk: ${notice}\n`);
  const running = machine.run();
  // After the start of the workers, because Node loads its stream code at the first touch of process.stdout.
  if (socket === null) {
    process.stdout.on("resize", () => machine.console.resize(process.stdout.columns, process.stdout.rows));
  }
  const status = await running;
  stopInput();
  const ended = await finish(machine, status, flags);
  if (machine.hasHungWorker) killOwnProcess();
  const code = status.kind === "stopped" && interruptedBy !== 0 ? EXIT_CODE_SIGNAL_BASE + interruptedBy : ended;
  await socket?.close(code);
  return code;
}

async function listen(path: string): Promise<ConsoleSocket> {
  const { ConsoleSocket } = await import("./socket/server.ts");
  return ConsoleSocket.listen(path);
}

async function bootOrClose(socket: ConsoleSocket | null, config: MachineConfig): Promise<Machine> {
  try {
    return await Machine.boot(config);
  } catch (error) {
    await socket?.close(EXIT_CODE_HOST_ERROR);
    throw error;
  }
}

/** Whoever watches sees both streams, and so do this command's own. */
function showTo(socket: ConsoleSocket, fd: 1 | 2, bytes: Uint8Array): Promise<void> {
  socket.show(bytes);
  return writeToProcess(fd, bytes);
}

/** A terminal for the guest only if it is one at both ends, as for a program that is run directly. */
function hostTerminal(): MachineConfig["terminal"] {
  if (!fstatSync(0).isCharacterDevice() || !fstatSync(1).isCharacterDevice()) return undefined; // no stream code needed
  if (!process.stdout.isTTY || !process.stdin.isTTY) return undefined;
  return { columns: process.stdout.columns, rows: process.stdout.rows, external: true };
}
