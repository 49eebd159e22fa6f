// The harts of the IPI measurement, one worker each, bundled as build/bench-worker.js. Hart 0 sends and takes the time;
// hart 1 runs guest code (`j .`) or is parked. No kernel: mailbox, doorbell and the core's poll are all there is.

import { parentPort, workerData } from "node:worker_threads";
import {
  HART_DOORBELL,
  HART_PC,
  HART_RUN_STATE,
  IPI_BARRIER,
  MACHINE_BASE,
  MACHINE_STOP,
  RAM_BASE,
  RUN_KERNEL,
  RUN_PARKED,
  RUN_USER,
  STOP_HOST,
} from "../../assembly/layout.ts";
import { instantiateCore } from "../machine/core.ts";
import { MachineStopped } from "../memory/errors.ts";
import { HartLocal, hartBase } from "../memory/hart-local.ts";
import { sendIpi, serveMailbox } from "../memory/ipi.ts";
import { FOREVER, park } from "../memory/park.ts";
import { SharedMemory } from "../memory/shared.ts";

export interface IpiWorkerData {
  readonly memory: WebAssembly.Memory;
  readonly core: WebAssembly.Module;
  readonly id: number;
  readonly receiver: "running" | "parked";
  readonly rounds: number;
}

const RECEIVER = 1;
const RUN_BUDGET_INSTRS = 200_000;
/** The sender of the product spins about this long while harts fit the cores. */
const SPIN_COUNT = 200;

const data = workerData as IpiWorkerData;
const shared = new SharedMemory(data.memory);
const core = instantiateCore(data.core, data.memory);
const clock = { now: () => performance.now() * 1e6 };
const hart = new HartLocal(data.id, shared, core, clock, SPIN_COUNT);
const nothing = () => {};
hart.interrupts = {
  serve() {
    if (shared.loadOnce(hart.base + HART_DOORBELL) === 0) return;
    shared.exchange(hart.base + HART_DOORBELL, 0);
    serveMailbox(hart, nothing);
  },
};

core.bind(hart.base);
if (data.id === 0) {
  parentPort!.postMessage(send());
} else {
  try {
    receive();
  } catch (error) {
    if (!(error instanceof MachineStopped)) throw error;
  }
}

/** Nanoseconds an IPI, from before it is posted until its acknowledgement is seen. */
function send(): number {
  const mask = new Int32Array(8);
  mask[0] = 1 << RECEIVER;
  for (let round = 0; round < data.rounds / 4; round++) sendOne(mask); // until both sides are compiled
  let total = 0;
  for (let round = 0; round < data.rounds; round++) total += sendOne(mask);
  shared.storeRelease(MACHINE_BASE + MACHINE_STOP, STOP_HOST);
  shared.fetchOr(hartBase(RECEIVER) + HART_DOORBELL, 1);
  shared.notify(hartBase(RECEIVER) + HART_DOORBELL);
  return total / data.rounds;
}

function sendOne(mask: Int32Array): number {
  const wanted = data.receiver === "running" ? RUN_USER : RUN_PARKED;
  while (shared.loadOnce(hartBase(RECEIVER) + HART_RUN_STATE) !== wanted) {
    // it has not yet come back from serving the last one
  }
  const start = performance.now();
  sendIpi(hart, mask, IPI_BARRIER);
  return (performance.now() - start) * 1e6;
}

function receive(): void {
  const u32 = shared.u32;
  u32[(hart.base + HART_PC) >>> 2] = RAM_BASE; // bare: no translation
  for (;;) {
    hart.pollIrq();
    if (data.receiver === "parked") {
      park(hart, hart.base + HART_DOORBELL, 0, FOREVER);
    } else {
      shared.storeOnce(hart.base + HART_RUN_STATE, RUN_USER);
      core.run(RUN_BUDGET_INSTRS);
      shared.storeOnce(hart.base + HART_RUN_STATE, RUN_KERNEL);
    }
  }
}
