// Processes that do everything to their pages in less memory than these need (guest-programs/vm-storm.c). STRESS_SEED
// replays; STRESS_STEPS lengthens.

import { expect, test } from "vitest";
import { capture, Machine } from "../machine/library.ts";
import { PREBUILT } from "../support/paths.ts";
import { seedFrom } from "../support/seeds.ts";

const SEED = seedFrom("STRESS_SEED");
const STEPS = Number(process.env.STRESS_STEPS ?? 120);
const PROCESSES = 8;
const TIMEOUT_SECONDS = 120;
const MEGABYTE = 2 ** 20;

test.each([
  [1, "refcount"],
  [2, "refcount"],
  [4, "refcount"],
  [4, "mmap-lock"],
])("%d harts, vma-lock=%s: no page loses a word, and all memory comes back", async (harts, vmaLock) => {
  const { stdout, stderr, output } = capture();
  const machine = await Machine.boot({
    program: `${PREBUILT}/vm-storm`,
    args: ["vm-storm", `${PROCESSES}`, `${STEPS}`, `${SEED % 1e9}`],
    harts,
    seed: SEED,
    ramBytes: 16 * MEGABYTE,
    swapBytes: 64 * MEGABYTE,
    policy: { "vma-lock": vmaLock },
    output,
    timeoutSeconds: TIMEOUT_SECONDS,
  });
  try {
    const status = await machine.run();
    const replay = `STRESS_SEED=${SEED} STRESS_STEPS=${STEPS} npm test -- tests/stress/vm-storm`;
    expect([stdout() + stderr(), status], replay).toEqual([
      `vm-storm: ${PROCESSES} processes, ${STEPS} steps each, no page lost a word\n`,
      { kind: "exit", code: 0 },
    ]);
    const { framesFree, framesFreeAtBoot, inUse, total } = machine.stats();
    expect(inUse, replay).toEqual({ swapSlots: 0, listedPages: 0, committedPages: 0 });
    expect(framesFree, replay).toBe(framesFreeAtBoot);
    expect(total.pswpout, "it must swap to prove anything").toBeGreaterThan(0);
  } finally {
    await machine.dispose();
  }
});
