// This process as a host: its output streams and its processor.

/** Why the guest's output got lost, other than that its reader has gone; "" = nothing got lost. */
let outputFailure = "";

/** Streams whose errors have a listener of ours. */
const heard = new WeakSet<NodeJS.WriteStream>();

/** The default sink: the guest's stdout and stderr are this process's. Rejects when the stream is closed. */
export function writeToProcess(fd: 1 | 2, bytes: Uint8Array): Promise<void> {
  const stream = fd === 2 ? process.stderr : process.stdout;
  hearErrors(stream);
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => {
      if (!error) return resolve();
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "EPIPE" && outputFailure === "") outputFailure = `${fd === 2 ? "stderr" : "stdout"}: ${message}`;
      reject(error);
    });
  });
}

/** One line that says why output of this process's guest got lost, a full disk for example, or "". */
export function readOutputFailure(): string {
  return outputFailure;
}

/** Besides calling back with an error, a stream emits it; unheard, that would end the process with a stack trace. */
export function hearErrors(stream: NodeJS.WriteStream): void {
  if (heard.has(stream)) return;
  heard.add(stream);
  stream.on("error", () => {});
}

/** On arm64 an atomic read-modify-write is no full barrier (see fence.ts). */
export function hostNeedsFence(): boolean {
  return process.arch === "arm64";
}
