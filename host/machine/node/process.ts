// This process as a host: its output streams and its processor.

/** The default sink: the guest's stdout and stderr are this process's. Rejects when the stream is closed. */
export function writeToProcess(fd: 1 | 2, bytes: Uint8Array): Promise<void> {
  const stream = fd === 2 ? process.stderr : process.stdout;
  // Besides calling back with the error, the stream emits it; unheard, that would end the process with a stack trace.
  if (stream.listenerCount("error") === 0) stream.on("error", () => {});
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** On arm64 an atomic read-modify-write is no full barrier (see fence.ts). */
export function hostNeedsFence(): boolean {
  return process.arch === "arm64";
}
