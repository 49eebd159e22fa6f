// One hart of atomic-workers.test.ts on a thread of its own: plain JavaScript, because vitest does not transform
// workers.

import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

const { path, memory, hart, job, va, rounds, go } = workerData;
const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(path)), {
  env: { memory },
  host: { fence() {} },
});
const mmu = instance.exports;
mmu.bind(hart);

const words = new Int32Array(memory.buffer);
Atomics.add(words, go >>> 2, 1);
while (Atomics.load(words, go >>> 2) < 2); // both at once

const ADD = 1;
const jobs = {
  /** Adds 1 `rounds` times with one AMO each. */
  amo(bytes) {
    for (let i = 0; i < rounds; i++) mmu.amo(ADD, va, 1n, bytes);
  },
  /** The same with LR and SC; counts the SCs that failed. */
  lrsc(bytes) {
    let failed = 0;
    for (let i = 0; i < rounds; i++) {
      while (mmu.storeConditional(va, mmu.loadReserved(va, bytes) + 1n, bytes) !== 0n) failed++;
    }
    return failed;
  },
  /** Adds 1 with Linux's futex_atomic_op_inuser and cmpxchg in turn. */
  user() {
    for (let i = 0; i < rounds; i += 2) {
      mmu.userRmw32(ADD, Number(va), 1);
      for (;;) {
        const old = Number(mmu.userLoad32(Number(va)));
        if (Number(mmu.userCmpxchg32(Number(va), old, (old + 1) >>> 0)) === old) break;
      }
    }
  },
  /** Walks again and again, so that this hart sets A and D while the other does. */
  walk() {
    for (let i = 0; i < rounds; i++) {
      mmu.flushAll();
      mmu.touch(va + BigInt(i % 512) * 4096n, i & 1);
    }
  },
};
parentPort.postMessage(jobs[job.name](job.bytes) ?? 0);
