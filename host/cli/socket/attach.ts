// `pagewalk attach PATH`: this terminal becomes a viewer of a machine that runs with --console-socket, and its keyboard
// if nobody else's is. Leaving does not stop the guest.

import { connect, type Socket } from "node:net";
import { HostError } from "../../machine/errors.ts";
import { EscapeKeys } from "../escape-keys.ts";
import { enterRawMode } from "../raw-terminal.ts";
import {
  FRAME_EXIT,
  FRAME_HELLO,
  FRAME_INPUT,
  FRAME_NOTICE,
  FRAME_OUTPUT,
  FRAME_SIZE,
  FrameReader,
  frame,
} from "./frames.ts";

const HELP = `
Ctrl-A x   leave: the machine goes on
Ctrl-A h   this help
Ctrl-A a   type a Ctrl-A
`;

export interface AttachFlags {
  /** Only look. */
  readonly view?: boolean;
}

/** Returns the exit code: the machine's when it ends, 0 after Ctrl-A x. */
export async function attachCommand(path: string, flags: AttachFlags): Promise<number> {
  const socket = await open(path);
  const { stdin, stdout } = process;
  return new Promise((resolve) => {
    let exitCode: number | null = null;
    const reader = new FrameReader((kind, bytes) => {
      if (kind === FRAME_OUTPUT) stdout.write(bytes);
      else if (kind === FRAME_NOTICE) process.stderr.write(`pagewalk: ${bytes.toString()}\n`);
      else if (kind === FRAME_EXIT) exitCode = bytes[0] ?? 0;
    });
    const leave = () => {
      exitCode = 0;
      socket.destroy();
    };
    if (!flags.view) connectKeyboard(socket, leave);
    socket.on("data", (chunk: Buffer) => reader.push(chunk));
    socket.on("error", () => {});
    process.on("SIGINT", leave);
    process.on("SIGTERM", leave);
    socket.on("close", () => {
      stdin.pause();
      if (exitCode === null) process.stderr.write("pagewalk: the machine is gone\n");
      resolve(exitCode ?? 125);
    });
  });
}

function connectKeyboard(socket: Socket, leave: () => void): void {
  const { stdin, stdout } = process;
  const type = (bytes: Uint8Array) => {
    // A key at a time is a frame; a long paste waits until the socket has taken it.
    if (!socket.write(frame(FRAME_INPUT, bytes))) {
      stdin.pause();
      socket.once("drain", () => stdin.resume());
    }
  };
  socket.write(frame(FRAME_HELLO, Uint8Array.of(1)));
  if (!stdin.isTTY) {
    stdin.on("data", type);
    return;
  }
  const help = () => void stdout.write(HELP);
  const keys = new EscapeKeys({ typed: type, leave, help, info: help });
  const sendSize = () => {
    const size = Buffer.alloc(4);
    size.writeUInt16LE(stdout.columns ?? 80, 0);
    size.writeUInt16LE(stdout.rows ?? 24, 2);
    socket.write(frame(FRAME_SIZE, size));
  };
  sendSize();
  stdout.on("resize", sendSize);
  const leaveRawMode = enterRawMode();
  socket.once("close", leaveRawMode);
  stdin.on("data", (typed: Buffer) => keys.type(typed));
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket));
    socket.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "ENOENT" ? "there is no such socket" : "no machine is listening there";
      reject(new HostError(`attach ${path}: ${reason}`));
    });
  });
}
