// The harts' workers, seen from the main thread: started together, watched, and in the end gone. The main thread never
// serves a fault or a system call; what it does here is to notice a worker that died and to see to it that a stop
// really ends.

import {
  MACHINE_BASE,
  MACHINE_BOOTED,
  MACHINE_WORKERS_INSIDE,
  STOP_NONE,
  STOP_WORKER_DIED,
} from "../../assembly/layout.ts";
import { currentPulse, nextPulse } from "../devices/console-pump.ts";
import { stopMachine, stopReason, wakeEveryHart } from "../devices/power.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { writeOops } from "../observe/oops.ts";
import { type HartWorker, processorCount, startWorker } from "./node/workers.ts";
import type { WorkerData } from "./worker-data.ts";

/** How long harts have for leaving once the machine has stopped. */
const LEAVE_MS_MAX = 1000;
/** How long the end of a worker's thread may take. */
const TERMINATE_MS_MAX = 2000;
/** How often those that have not left are woken again. */
const WAKE_AGAIN_MS = 10;
/** Turns of a waiting hart before it parks: about 20 µs. To park and be woken costs more than that. */
const SPIN_COUNT = 2000;

export class HartWorkers {
  readonly #shared: SharedMemory;
  readonly #workers: HartWorker[] = [];
  #gone = 0;
  #allStarted: Promise<void> = Promise.resolve();

  constructor(shared: SharedMemory) {
    this.#shared = shared;
  }

  /**
   * Starts as many workers as there are processors, and the others once hart 0 has booted, so that sixty of them do not
   * hold it up. Not so in the deterministic driver, where hart 0 hands the baton on while it boots.
   */
  start(harts: number, data: Omit<WorkerData, "hartId" | "spinCount" | "workerCount">): void {
    this.#allStarted = this.#startAll(harts, data);
  }

  async #startAll(harts: number, data: Omit<WorkerData, "hartId" | "spinCount" | "workerCount">): Promise<void> {
    const processors = processorCount();
    const first = data.driver === "threaded" ? Math.min(harts, processors) : harts;
    // A hart that spins while the one it waits for has no processor only delays it.
    const spinCount = harts <= processors ? SPIN_COUNT : 0;
    for (let hartId = 0; hartId < first; hartId++) this.#startOne({ ...data, hartId, spinCount, workerCount: harts });
    if (first === harts) return;
    const booted = Atomics.waitAsync(this.#shared.i32, (MACHINE_BASE + MACHINE_BOOTED) >>> 2, 0);
    if (booted.async) await booted.value;
    for (let hartId = first; hartId < harts && stopReason(this.#shared) === STOP_NONE; hartId++) {
      this.#startOne({ ...data, hartId, spinCount, workerCount: harts });
      // One turn of the event loop: a start takes milliseconds, and there may be output to carry.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /** Resolves when the machine has stopped and its memory is quiet; false if some harts had to be given up. */
  async untilQuiet(): Promise<boolean> {
    const shared = this.#shared;
    for (;;) {
      const pulse = currentPulse(shared); // before the look, so that a stop right after it ends the wait
      if (stopReason(shared) !== STOP_NONE) break;
      await nextPulse(shared, pulse);
    }
    const startMs = performance.now();
    for (;;) {
      const pulse = currentPulse(shared);
      const inside = Atomics.load(shared.i32, (MACHINE_BASE + MACHINE_WORKERS_INSIDE) >>> 2);
      if (inside === 0 || this.#gone >= this.#workers.length) return true;
      if (performance.now() - startMs > LEAVE_MS_MAX) return false;
      wakeEveryHart(shared);
      await nextPulse(shared, pulse, WAKE_AGAIN_MS);
    }
  }

  /** Ends every worker, whatever it is doing. False: one hangs, in a call of the host, and was given up. */
  async terminate(): Promise<boolean> {
    const ended = Promise.all(this.#workers.map((worker) => worker.terminate())).then(() => true);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), TERMINATE_MS_MAX);
    });
    const allEnded = await Promise.race([ended, late]);
    clearTimeout(timer);
    return allEnded;
  }

  /** Ends one worker as if it had crashed; one that has yet to start, once it has. */
  async kill(hartId: number): Promise<void> {
    await this.#allStarted;
    await this.#workers[hartId]?.terminate();
  }

  #startOne(data: WorkerData): void {
    const init = data.hartId === 0 ? data.init : null;
    const onGone = (error: Error | null) => this.#onGone(data.hartId, error);
    try {
      this.#workers.push(startWorker({ ...data, init }, onGone));
    } catch (error) {
      onGone(error as Error); // the host is out of threads or memory
    }
  }

  #onGone(hartId: number, error: Error | null): void {
    this.#gone++;
    if (stopReason(this.#shared) !== STOP_NONE) return;
    writeOops(this.#shared, `hart ${hartId}: its worker died: ${error?.message ?? "it was terminated"}`);
    stopMachine(this.#shared, STOP_WORKER_DIED, 0, hartId);
  }
}
