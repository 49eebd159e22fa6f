// Locks, waiting, IPIs and RCU between real workers. Goal: no lost wake-up, no deadlock, no broken exclusion, with
// spinning and with parking at once. Method: many short rounds, each file of words private to a run.

import { Worker } from "node:worker_threads";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import {
  HART_BASE,
  HART_BYTES,
  MACHINE_BASE,
  MACHINE_HART_COUNT,
  MACHINE_HARTS_RUNNING,
  RQ_BASE,
} from "../../assembly/layout.ts";
import { SharedMemory } from "../../host/memory/shared.ts";

// The same words as in scenarios.ts, which only a worker may import.
const COUNT_WORD = RQ_BASE + 64;
const TWIN_WORD = RQ_BASE + 128;
const BAD_WORD = RQ_BASE + 192;
let source = "";

beforeAll(async () => {
  const bundle = await build({
    entryPoints: ["tests/memory/scenarios.ts"],
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    define: { __SCHEDULE_POINTS__: "false" },
    minifySyntax: true,
  });
  source = bundle.outputFiles[0].text;
});

async function run(scenario: string, harts: number, rounds: number, spinCount: number): Promise<SharedMemory> {
  const pages = Math.ceil((HART_BASE + HART_BYTES * harts) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const shared = new SharedMemory(memory);
  shared.set(MACHINE_BASE + MACHINE_HART_COUNT, harts);
  shared.set(MACHINE_BASE + MACHINE_HARTS_RUNNING, harts);
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const workers = Array.from({ length: harts }, (_, id) => {
    const worker = new Worker(url, { workerData: { memory, id, scenario, rounds, spinCount } });
    return new Promise<void>((resolve, reject) => {
      worker.on("error", reject);
      worker.on("exit", () => resolve());
    });
  });
  await Promise.all(workers);
  return shared;
}

// spinCount 0: every wait parks at once, as when harts outnumber cores.
describe.each([
  { harts: 2, spinCount: 100 },
  { harts: 2, spinCount: 0 },
  { harts: 4, spinCount: 20 },
])("$harts harts, spin $spinCount", ({ harts, spinCount }) => {
  test("a spin lock excludes", async () => {
    const shared = await run("spinlock", harts, 20_000, spinCount);
    expect(shared.get(COUNT_WORD)).toBe(20_000 * harts);
  });

  test("a writer excludes readers and writers", async () => {
    const shared = await run("rwlock", harts, 10_000, spinCount);
    expect(shared.get(COUNT_WORD)).toBe((10_000 / 4) * harts);
    expect(shared.get(TWIN_WORD)).toBe((10_000 / 4) * harts);
    expect(shared.get(BAD_WORD)).toBe(0);
  });

  test("harts that interrupt each other all at once do not deadlock", async () => {
    await run("crossIpi", harts, 2_000, spinCount);
  });

  test("no reader sees an object after its grace period", async () => {
    const shared = await run("rcu", harts, 20_000, spinCount);
    expect(shared.get(BAD_WORD)).toBe(0);
  });
});

test.each([0, 100])("ping-pong between two harts loses no wake-up, spin %i", async (spinCount) => {
  const shared = await run("pingPong", 2, 50_000, spinCount);
  expect(shared.get(COUNT_WORD)).toBe(50_000);
});

test("unsound twin: without a grace period a reader does see it", async () => {
  const shared = await run("rcuWithoutGracePeriod", 2, 20_000, 100);
  expect(shared.get(BAD_WORD)).toBeGreaterThan(0);
});
