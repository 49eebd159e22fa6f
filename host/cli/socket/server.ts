// `run --console-socket PATH`: the guest's terminal behind a unix socket. Any number of viewers see the output, one of
// them may type. A viewer that comes late gets the last of what was shown; one that does not read is let go, so that
// nothing grows without bound and the guest is never held up.

import { existsSync, lstatSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { HostError } from "../../machine/errors.ts";
import type { MachineConsole } from "../../machine/machine.ts";
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
import { guardSocketFile } from "./guard.ts";

/** What a late viewer is shown. */
const BACKLOG_BYTES = 1 << 16;
/** A viewer with more than this unread is let go. */
const UNREAD_BYTES_MAX = 1 << 22;

export class ConsoleSocket {
  readonly #server: Server;
  readonly #removeFile: () => void;
  readonly #viewers = new Set<Socket>();
  /** Those that want to write, in the order they came; the first may. */
  readonly #writers: Socket[] = [];
  #console: MachineConsole | null = null;
  #backlog: Buffer = Buffer.alloc(0);

  /** Listens on `path`, readable and writable for this user only. Throws HostError. */
  static async listen(path: string): Promise<ConsoleSocket> {
    await removeStale(path);
    const server = createServer();
    const before = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(path, resolve);
      });
    } catch (error) {
      // The host calls a folder that is not there EACCES.
      const code = existsSync(dirname(path)) ? (error as NodeJS.ErrnoException).code : "ENOENT";
      throw new HostError(`--console-socket ${path}: ${code ?? error}`);
    } finally {
      process.umask(before);
    }
    return new ConsoleSocket(server, guardSocketFile(path));
  }

  private constructor(server: Server, removeFile: () => void) {
    this.#server = server;
    this.#removeFile = removeFile;
    server.on("connection", (socket) => this.#welcome(socket));
  }

  /** From here on input goes to the machine. */
  connectTo(target: MachineConsole): void {
    this.#console = target;
  }

  /** Shows `bytes` to every viewer. */
  show(bytes: Uint8Array): void {
    this.#backlog = Buffer.concat([this.#backlog, bytes]);
    if (this.#backlog.length > BACKLOG_BYTES) this.#backlog = Buffer.from(this.#backlog.subarray(-BACKLOG_BYTES));
    const output = frame(FRAME_OUTPUT, bytes);
    for (const viewer of this.#viewers) {
      if (viewer.writableLength > UNREAD_BYTES_MAX) viewer.destroy();
      else viewer.write(output);
    }
  }

  /** The machine is over: tells the viewers and removes the file. */
  async close(exitCode: number): Promise<void> {
    this.#removeFile();
    this.#server.close();
    const last = frame(FRAME_EXIT, Uint8Array.of(exitCode));
    const ends = [...this.#viewers].map((viewer) => {
      return new Promise<void>((resolve) => {
        viewer.once("close", () => resolve());
        viewer.end(last, () => resolve());
        setTimeout(() => viewer.destroy(), 500).unref();
      });
    });
    await Promise.all(ends);
  }

  #welcome(socket: Socket): void {
    this.#viewers.add(socket);
    if (this.#backlog.length > 0) socket.write(frame(FRAME_OUTPUT, this.#backlog));
    const reader = new FrameReader((kind, bytes) => this.#serve(socket, kind, bytes));
    socket.on("data", (chunk: Buffer) => {
      if (!reader.push(chunk)) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => this.#leave(socket));
  }

  #serve(socket: Socket, kind: number, bytes: Buffer): void {
    const mayWrite = this.#writers[0] === socket;
    switch (kind) {
      case FRAME_HELLO:
        if (bytes[0] !== 1 || this.#writers.includes(socket)) return;
        this.#writers.push(socket);
        if (this.#writers[0] !== socket) socket.write(notice("somebody else is typing: you see, and your turn comes"));
        return;
      case FRAME_INPUT:
        if (!mayWrite || this.#console === null) return;
        // One piece at a time: the guest takes it before the next is read.
        socket.pause();
        void this.#console.write(Buffer.from(bytes)).then(() => socket.resume());
        return;
      case FRAME_SIZE:
        if (mayWrite && bytes.length === 4) this.#console?.resize(bytes.readUInt16LE(0), bytes.readUInt16LE(2));
        return;
      default:
        socket.destroy();
    }
  }

  #leave(socket: Socket): void {
    this.#viewers.delete(socket);
    const place = this.#writers.indexOf(socket);
    if (place < 0) return;
    this.#writers.splice(place, 1);
    if (place === 0) this.#writers[0]?.write(notice("you may type now"));
  }
}

function notice(text: string): Buffer {
  return frame(FRAME_NOTICE, Buffer.from(text));
}

/** A socket file that nobody listens on any more is removed; anything else at `path` is an error. */
async function removeStale(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = lstatSync(path).isSocket();
  } catch {
    return;
  }
  if (!isSocket) throw new HostError(`--console-socket ${path}: there is a file of that name`);
  if (await isListenedOn(path)) throw new HostError(`--console-socket ${path}: another machine is listening there`);
  const { unlinkSync } = await import("node:fs");
  unlinkSync(path);
}

function isListenedOn(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}
