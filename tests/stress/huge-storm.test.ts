// Threads that use memory while its huge pages are made, split, collapsed and shared by fork, on workers
// (guest-programs/huge-storm.c). STRESS_SEED replays; STRESS_STEPS lengthens.

import { expect, test } from "vitest";
import { capture, Machine } from "../machine/library.ts";
import { PREBUILT } from "../support/paths.ts";
import { seedFrom } from "../support/seeds.ts";

const SEED = seedFrom("STRESS_SEED");
const STEPS = Number(process.env.STRESS_STEPS ?? 100);
const TIMEOUT_SECONDS = 120;
const MEGABYTE = 2 ** 20;

test.each([
  [1, 64, "refcount"],
  [3, 64, "refcount"],
  [4, 32, "refcount"],
  [3, 64, "speculative"],
])("%d harts, %d MiB, vma-lock=%s: no word is lost, and all memory comes back", async (harts, ram, vmaLock) => {
  const { stdout, stderr, output } = capture();
  const machine = await Machine.boot({
    program: `${PREBUILT}/huge-storm`,
    args: ["huge-storm", `${STEPS}`, `${SEED % 1e9}`],
    harts,
    seed: SEED,
    ramBytes: ram * MEGABYTE,
    swapBytes: 64 * MEGABYTE,
    policy: { "vma-lock": vmaLock },
    output,
    timeoutSeconds: TIMEOUT_SECONDS,
  });
  try {
    const status = await machine.run();
    const replay = `STRESS_SEED=${SEED} STRESS_STEPS=${STEPS} npm test -- tests/stress/huge-storm`;
    expect([stdout() + stderr(), status], replay).toEqual([
      `huge-storm: 3 threads, ${STEPS} steps, no word lost\n`,
      { kind: "exit", code: 0 },
    ]);
    const { framesFree, framesFreeAtBoot, total } = machine.stats();
    expect(framesFree, replay).toBe(framesFreeAtBoot);
    expect(total.thp_collapse_alloc, "it must collapse to prove anything").toBeGreaterThan(0);
    expect(total.thp_split_pmd).toBeGreaterThan(0);
  } finally {
    await machine.dispose();
  }
});
