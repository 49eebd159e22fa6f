// This process's stdin, read piece by piece as the guest takes it.

import type { MachineConsole } from "../machine/machine.ts";

/** Feeds stdin to the console until it ends. Returns a function that stops reading. */
export function feedInput(target: MachineConsole): () => void {
  const stdin = process.stdin;
  stdin.on("data", (chunk: Buffer) => {
    // One chunk at a time: the next is read when the guest's buffer has taken this one.
    stdin.pause();
    void target.write(chunk).then(() => stdin.resume());
  });
  stdin.on("end", () => void target.end());
  stdin.on("error", () => void target.end());
  return () => stdin.pause();
}
