// What a policy module prints on a hart. Node hands the lines of a worker to the main thread one by one, each when the
// worker turns to its event loop, which a hart never does: so they go to this process's stderr as they are printed.

import { Console } from "node:console";
import { writeSync } from "node:fs";
import { Writable } from "node:stream";

const STDERR = 2;
const PAUSE_MS = 1;
/** Pauses in a row for a reader that takes nothing; then the rest of the line is lost. */
const PAUSES_MAX = 1000;

/** From now on console.log and its kin of this worker go to stderr, whatever the hart does. */
export function printAtOnce(): void {
  const stderr = new Writable({
    decodeStrings: true,
    write(bytes: Uint8Array, _encoding, done) {
      writeAll(bytes);
      done();
    },
  });
  globalThis.console = new Console({ stdout: stderr, stderr });
}

function writeAll(bytes: Uint8Array): void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  let pauses = 0;
  for (let done = 0; done < bytes.length && pauses < PAUSES_MAX; ) {
    try {
      done += writeSync(STDERR, bytes, done);
      pauses = 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return; // nobody reads it any more
      pauses++;
      Atomics.wait(never, 0, 0, PAUSE_MS);
    }
  }
}
