import { describe, expect, test } from "vitest";
import { looping } from "../support/hand-made.ts";
import { PREBUILT } from "../support/paths.ts";
import { Random, seedFrom } from "../support/seeds.ts";
import { exitCodeOf, Machine } from "./library.ts";

const END_MS = 3000; // a second, were nothing else running
const seed = seedFrom("WORKER_DEATH_SEED");

describe("a machine whose worker dies", () => {
  test.each([0, 1, 3])("ends within a second with an oops that names hart %i", async (hart) => {
    const machine = await Machine.boot({ program: looping("branch", 4), harts: 4 });
    const running = machine.run();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const startMs = performance.now();
    void machine.killHart(hart);
    const status = await running;
    expect(performance.now() - startMs).toBeLessThan(END_MS);
    expect(status).toEqual({ kind: "oops", message: expect.stringContaining(`hart ${hart}: its worker died`) });
    expect(exitCodeOf(status)).toBe(125);
    await machine.dispose();
  });

  test("ends so too in the middle of faults and shootdowns, wherever the worker was", async () => {
    const random = new Random(seed);
    for (let round = 0; round < 12; round++) {
      const machine = await Machine.boot({
        program: `${PREBUILT}/fault-storm`,
        args: ["fault-storm", "4", "64", "60000"],
        harts: 4,
        output: () => {},
      });
      const running = machine.run();
      await new Promise((resolve) => setTimeout(resolve, 300 + random.below(200)));
      const startMs = performance.now();
      void machine.killHart(random.below(4));
      const status = await running;
      const replay = `round ${round}, WORKER_DEATH_SEED=${seed} npx vitest run tests/machine/worker-death.test.ts`;
      expect(status.kind, replay).toBe("oops");
      expect(performance.now() - startMs, replay).toBeLessThan(END_MS);
      await machine.dispose();
    }
  });
});
