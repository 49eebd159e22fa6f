// Two harts on two threads: counters add up, a reservation is lost to the other hart, PTE updates lose nothing.

import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import {
  ACCESS_LOAD,
  HART_BASE,
  HART_BYTES,
  PAGE_BYTES,
  PTE_A,
  PTE_D,
  PTE_PPN_SHIFT,
  PTE_SOFT0,
} from "../../../assembly/layout.ts";
import { modulePath } from "./core.ts";
import { newMemory, READ_WRITE, TestHart } from "./machine.ts";

const VA = 0x10_0000_0000n;
const FAILED = 1n;

function twoHarts(): [TestHart, TestHart] {
  const memory = newMemory();
  const first = new TestHart({ memory });
  const second = new TestHart({ id: 1, memory });
  second.switchTo(first.root);
  return [first, second];
}

/** Runs the job on both harts at once; what each answered. */
async function together(
  harts: [TestHart, TestHart],
  job: { name: string; bytes: number },
  rounds: number,
): Promise<number[]> {
  const go = harts[0].frame() * PAGE_BYTES;
  const path = fileURLToPath(new URL("./worker.mjs", import.meta.url));
  const workers = harts.map((_hart, id) => {
    const workerData = {
      path: modulePath,
      memory: harts[0].memory,
      hart: HART_BASE + id * HART_BYTES,
      job,
      va: VA,
      rounds,
      go,
    };
    return new Worker(path, { workerData });
  });
  const answers = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0] as number));
  await Promise.all(workers.map((worker) => worker.terminate()));
  return answers;
}

test.each([
  ["amoadd.w", { name: "amo", bytes: 4 }],
  ["amoadd.d", { name: "amo", bytes: 8 }],
  ["lr.w and sc.w", { name: "lrsc", bytes: 4 }],
  ["lr.d and sc.d", { name: "lrsc", bytes: 8 }],
  ["the kernel's futex operations", { name: "user", bytes: 4 }],
])("two harts count together with %s", async (_title, job) => {
  const rounds = 200_000;
  const harts = twoHarts();
  const pfn = harts[0].frame();
  harts[0].map(VA, pfn, READ_WRITE);
  const start = 0xffff_ff00; // the 8-byte counter carries into its upper half, the 4-byte one wraps
  harts[0].words[(pfn * PAGE_BYTES) >>> 2] = start;
  const answers = await together(harts, job, rounds);
  const sum = BigInt(start + 2 * rounds);
  expect(harts[0].doubles[(pfn * PAGE_BYTES) >>> 3]).toBe(job.bytes === 8 ? sum : sum & 0xffff_ffffn);
  if (job.name === "lrsc") console.log(`${job.bytes} bytes: SCs that failed ${answers.join(", ")}`);
});

test("SC fails after another hart stored a different value, and succeeds after the same value (ABA)", () => {
  const [first, second] = twoHarts();
  first.map(VA, first.frame(), READ_WRITE);
  for (const bytes of [4, 8]) {
    first.exports.loadReserved(VA, bytes);
    second.store(VA, 5n, bytes);
    expect(first.exports.storeConditional(VA, 6n, bytes)).toBe(FAILED);
    expect(first.load(VA, bytes)).toBe(5n);
    first.exports.loadReserved(VA, bytes);
    second.store(VA, 77n, bytes);
    second.store(VA, 5n, bytes);
    expect(first.exports.storeConditional(VA, 6n, bytes)).toBe(0n);
    second.store(VA, 0n, bytes);
  }
});

test("a reservation belongs to its hart", () => {
  const [first, second] = twoHarts();
  first.map(VA, first.frame(), READ_WRITE);
  first.exports.loadReserved(VA, 4);
  expect(second.exports.storeConditional(VA, 6n, 4)).toBe(FAILED);
  expect(first.exports.storeConditional(VA, 6n, 4)).toBe(0n);
});

test("while two harts set A and D, the kernel's concurrent changes of the same PTEs are not lost", async () => {
  const harts = twoHarts();
  const [hart] = harts;
  const ptes: number[] = [];
  const clean = READ_WRITE & ~(PTE_A | PTE_D);
  for (let i = 0; i < 512; i++) ptes.push(hart.map(VA + BigInt(i) * 4096n, hart.frame(), clean));
  const expected = ptes.map((pte) => hart.pte(pte) >>> PTE_PPN_SHIFT);
  const words = new Int32Array(hart.memory.buffer);

  let running = true;
  const walks = together(harts, { name: "walk", bytes: 0 }, 200_000).finally(() => {
    running = false;
  });
  // The kernel clears A and D and flips its own bit by compare-and-swap; a walker that wrote back what it had read
  // would bring the old bit back.
  const flips = new Array<number>(512).fill(0);
  let pass = 0;
  while (running) {
    for (let i = 0; i < 512; i++) {
      const index = ptes[i] >>> 2;
      const old = Atomics.load(words, index);
      if (Atomics.compareExchange(words, index, old, (old & ~(PTE_A | PTE_D)) ^ PTE_SOFT0) === old) flips[i]++;
    }
    if (++pass % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await walks;
  for (let i = 0; i < 512; i++) {
    const pte = hart.pte(ptes[i]);
    expect(pte >>> PTE_PPN_SHIFT).toBe(expected[i]);
    expect((pte & PTE_SOFT0) !== 0, `page ${i}`).toBe(flips[i] % 2 === 1);
  }
  expect(hart.exports.walk(VA, ACCESS_LOAD)).not.toBe(0);
});
