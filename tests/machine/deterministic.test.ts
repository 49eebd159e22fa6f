import { describe, expect, test } from "vitest";
import { looping } from "../support/hand-made.ts";
import { PREBUILT } from "../support/paths.ts";
import { capture, Machine } from "./library.ts";
import { copyInput } from "./programs.ts";

interface Run {
  readonly hash: string;
  readonly steps: number;
  readonly stdout: string;
}

async function runProgram(program: string, args: readonly string[], seed: number, harts: number): Promise<Run> {
  const { stdout, output } = capture();
  const machine = await Machine.boot({
    program: `${PREBUILT}/${program}`,
    args: [program, ...args],
    driver: "deterministic",
    seed,
    harts,
    output,
  });
  const status = await machine.run();
  await machine.dispose();
  expect(status).toEqual({ kind: "exit", code: 0 });
  const { deterministic, framesFree, framesFreeAtBoot } = machine.stats();
  expect(framesFree).toBe(framesFreeAtBoot);
  return { hash: deterministic!.traceHash, steps: deterministic!.scheduleSteps, stdout: stdout() };
}

describe("the deterministic driver", () => {
  test.each([
    ["hello", [], 4],
    ["threads", [], 4],
    ["many-tasks", [], 2],
    ["fault-storm", ["4", "16", "4"], 4],
    ["munmap-race", ["fixed", "3", "20"], 4],
    ["munmap-race", ["fixed", "3", "5"], 8],
  ] as const)("runs %s %j on %i harts twice alike from one seed", async (program, args, harts) => {
    const first = await runProgram(program, args, 1, harts);
    const second = await runProgram(program, args, 1, harts);
    expect(second).toEqual(first);
    expect(first.steps).toBeGreaterThan(1000);
  });

  test("takes other schedules from other seeds", async () => {
    const hashes = new Set<string>();
    for (let seed = 1; seed <= 5; seed++) hashes.add((await runProgram("threads", [], seed, 2)).hash);
    expect(hashes.size).toBe(5);
  });

  test("does not see in how many pieces the input arrives, nor how fast the output goes", async () => {
    const input = Buffer.alloc(300_000, "0123456789\n");
    const run = async (pieceBytes: number, delayMs: number) => {
      const received: Uint8Array[] = [];
      const machine = await Machine.boot({
        program: copyInput(),
        driver: "deterministic",
        seed: 3,
        output: async (_fd, bytes) => {
          received.push(bytes);
          if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
        },
        onInputWanted: async () => {
          for (let at = 0; at < input.length; at += pieceBytes) {
            await machine.console.write(input.subarray(at, at + pieceBytes));
          }
          await machine.console.end();
        },
      });
      await machine.run();
      await machine.dispose();
      expect(Buffer.concat(received).equals(input)).toBe(true);
      return machine.stats().deterministic!.traceHash;
    };
    const hash = await run(input.length, 0);
    expect(await run(777, 0)).toBe(hash);
    expect(await run(input.length, 5)).toBe(hash);
  });

  test("is stopped from outside while one hart holds the baton and loops", async () => {
    const machine = await Machine.boot({ program: looping("ret", 4), harts: 4, driver: "deterministic" });
    const running = machine.run();
    await new Promise((resolve) => setTimeout(resolve, 800));
    const startMs = performance.now();
    machine.stop();
    expect(await running).toEqual({ kind: "stopped" });
    expect(performance.now() - startMs).toBeLessThan(1000);
    await machine.dispose();
  });
});
