import { describe, expect, test } from "vitest";
import { LOOP_KINDS, looping } from "../support/hand-made.ts";
import { PREBUILT } from "../support/paths.ts";
import { capture, exitCodeOf, Machine } from "./library.ts";
import { loopForEver, writeOnce } from "./programs.ts";

const HELLO = `${PREBUILT}/hello`;
const STOP_MS = 1000;

describe("a machine", () => {
  test.each([1, 2, 4, 16, 64])("of %i harts runs a program, loses no frame, and its workers go", async (harts) => {
    const { stdout, output } = capture();
    const machine = await Machine.boot({ program: HELLO, harts, output });
    const status = await machine.run();
    await machine.dispose();
    expect(status).toEqual({ kind: "exit", code: 0 });
    expect(stdout()).toBe("hello, world\n");
    const { framesFree, framesFreeAtBoot, total, perHart } = machine.stats();
    expect(framesFree).toBe(framesFreeAtBoot);
    expect(perHart).toHaveLength(harts);
    expect(total.syscall).toBe(2);
  });

  test.each([1, 4, 32])("of %i harts is stopped from outside within a second while the guest loops", async (harts) => {
    const machine = await Machine.boot({ program: looping("jalr", harts), harts });
    const running = machine.run();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const startMs = performance.now();
    machine.stop();
    expect(await running).toEqual({ kind: "stopped" });
    expect(performance.now() - startMs).toBeLessThan(STOP_MS);
    await machine.dispose();
  });

  test.each(LOOP_KINDS)("ends a guest that loops by %s at its timeout", async (kind) => {
    const machine = await Machine.boot({ program: looping(kind, 2), harts: 2, timeoutSeconds: 0.5 });
    const status = await machine.run();
    expect(status).toEqual({ kind: "timeout" });
    expect(exitCodeOf(status)).toBe(124);
    await machine.dispose();
  });

  test("hands the guest its arguments and the exit code back", async () => {
    const { stdout, output } = capture();
    const machine = await Machine.boot({ program: HELLO, args: ["hello", "--harts", "π"], output });
    await machine.run();
    await machine.dispose();
    expect(stdout()).toBe("hello, world\nargv[1] = --harts\nargv[2] = π\n");

    const other = await Machine.boot({ program: writeOnce(0, 42) });
    expect(exitCodeOf(await other.run())).toBe(42);
    await other.dispose();
  });

  test("reports the signal that killed the guest", async () => {
    const { stderr, output } = capture();
    const machine = await Machine.boot({ program: Buffer.from(loopForEver()).fill(0, 4096, 8192), output });
    const status = await machine.run();
    await machine.dispose();
    expect(status).toEqual({ kind: "signal", signal: 4 });
    expect(exitCodeOf(status)).toBe(132);
    expect(stderr()).toMatch(/SIGILL/);
  });

  test("can be disposed of before it ran, stopped before it ran, and asked to run twice", async () => {
    await (await Machine.boot({ program: HELLO })).dispose();

    const stopped = await Machine.boot({ program: HELLO });
    stopped.stop();
    expect(await stopped.run()).toEqual({ kind: "stopped" });
    await stopped.dispose();

    const twice = await Machine.boot({ program: HELLO, output: () => {} });
    expect(twice.run()).toBe(twice.run());
    await twice.dispose();
  });

  test("can be disposed of when the guest has ended and nobody takes its last output", async () => {
    const machine = await Machine.boot({ program: HELLO, output: () => new Promise<void>(() => {}) });
    const running = machine.run();
    while (!machine.stats().stopped) await new Promise((resolve) => setTimeout(resolve, 10));
    await machine.dispose();
    expect(await running).toEqual({ kind: "exit", code: 0 });
  });

  test("does not notice another machine in the same process", async () => {
    const outputs = [capture(), capture()];
    const machines = await Promise.all(
      outputs.map(({ output }) => Machine.boot({ program: `${PREBUILT}/fault-storm`, harts: 2, output })),
    );
    const statuses = await Promise.all(machines.map((machine) => machine.run()));
    await Promise.all(machines.map((machine) => machine.dispose()));
    for (const status of statuses) expect(status).toEqual({ kind: "exit", code: 0 });
    expect(outputs[0].stdout()).toBe(outputs[1].stdout());
  });

  test("starts and stops a hundred times", async () => {
    for (let round = 0; round < 100; round++) {
      const machine = await Machine.boot({ program: HELLO, harts: 2, output: () => {} });
      expect(await machine.run(), `round ${round}`).toEqual({ kind: "exit", code: 0 });
      await machine.dispose();
    }
  });
});
