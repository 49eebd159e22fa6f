import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { endlessWriter } from "../support/hand-made.ts";
import { PREBUILT } from "../support/paths.ts";
import { Machine } from "./library.ts";
import { copyInput, loopForEver, writeOnce } from "./programs.ts";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("the console", () => {
  test("carries megabytes in and out unchanged", async () => {
    const input = randomBytes(3_000_000);
    const received: Uint8Array[] = [];
    const machine = await Machine.boot({
      program: copyInput(),
      harts: 2,
      output: (_fd, bytes) => void received.push(bytes),
      onInputWanted: async () => {
        await machine.console.write(input);
        await machine.console.end();
      },
    });
    expect(await machine.run()).toEqual({ kind: "exit", code: 0 });
    await machine.dispose();
    expect(sha256(Buffer.concat(received))).toBe(sha256(input));
  });

  test("keeps the writes of one call together and in order, larger than the ring", async () => {
    let bytes = 0;
    const machine = await Machine.boot({
      program: writeOnce(200_000, 3),
      output: (_fd, piece) => {
        bytes += piece.length;
      },
    });
    expect(await machine.run()).toEqual({ kind: "exit", code: 3 });
    await machine.dispose();
    expect(bytes).toBe(200_000);
  });

  test("makes a writer wait while its reader does, and holds no more than its ring", async () => {
    let taken = 0;
    let release = () => {};
    const stalled = new Promise<void>((resolve) => {
      release = resolve;
    });
    const machine = await Machine.boot({
      program: endlessWriter(),
      output: async (_fd, bytes) => {
        taken += bytes.length;
        await stalled;
      },
    });
    const running = machine.run();
    let seen: number; // a writer that does not wait goes on for ever
    do {
      seen = machine.stats().total.syscall;
      await sleep(300);
    } while (taken === 0 || machine.stats().total.syscall > seen + 20);
    expect(taken).toBeLessThanOrEqual(1 << 17);
    release();
    while (taken <= 1 << 18) await sleep(10);
    machine.stop();
    await running;
    await machine.dispose();
  });

  test("does not hold up a stop while its reader stalls for ever", async () => {
    const machine = await Machine.boot({ program: endlessWriter(), output: () => new Promise(() => {}) });
    const running = machine.run();
    await sleep(500);
    const startMs = performance.now();
    machine.stop();
    expect(await running).toEqual({ kind: "stopped" });
    expect(performance.now() - startMs).toBeLessThan(1000);
    await machine.dispose();
  });

  test("kills a writer by SIGPIPE when its reader is gone", async () => {
    const machine = await Machine.boot({
      program: endlessWriter(),
      output: () => {
        throw new Error("EPIPE");
      },
    });
    expect(await machine.run()).toEqual({ kind: "signal", signal: 13 });
    await machine.dispose();
  });

  test("asks for input only when the guest reads", async () => {
    let asked = 0;
    const config = { output: () => {}, onInputWanted: () => void asked++ };
    const quiet = await Machine.boot({ program: `${PREBUILT}/hello`, ...config });
    await quiet.run();
    await quiet.dispose();
    expect(asked).toBe(0);

    const reader = await Machine.boot({ program: copyInput(), ...config });
    const running = reader.run();
    await expect.poll(() => asked, { timeout: 20_000 }).toBe(1);
    await reader.console.end();
    expect(await running).toEqual({ kind: "exit", code: 0 });
    await reader.dispose();
  });

  test("takes no more input than its ring while the guest does not read", async () => {
    const machine = await Machine.boot({ program: loopForEver() });
    const running = machine.run();
    let written = false;
    const writing = machine.console.write(new Uint8Array(100_000)).then(() => {
      written = true;
    });
    await sleep(500);
    expect(written).toBe(false);
    machine.stop();
    await running;
    await writing;
    await machine.dispose();
  });
});
