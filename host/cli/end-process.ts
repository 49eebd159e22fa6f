// The end of a process one of whose workers hangs in a call of the host, on a file system that has gone for example.
// process.exit would wait for that worker for ever.

import { writeSync } from "node:fs";

const STDERR = 2;
const SIGKILL_STATUS = 137;

/** Lets exit handlers bring the terminal back, says why, and kills this process. */
export function killOwnProcess(): void {
  process.emit("exit", SIGKILL_STATUS);
  writeSync(STDERR, "pagewalk: a call of the host does not return, so this process kills itself\n");
  process.kill(process.pid, "SIGKILL");
}
