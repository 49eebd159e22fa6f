// `pagewalk run --trace FILE`.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { PREBUILT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";

const directory = mkdtempSync(join(tmpdir(), "pagewalk-trace-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const HELLO = `${PREBUILT}/hello`;
const EVENT = /^ *\S.*-\d+ +\[\d{3}\] [d.][N.][h.][1-9a-f.]\. +\d+\.\d{9}: ([a-z_]+): /;

function read(path: string): string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** How often each event stands in the trace. Every line must be one. */
function count(path: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of read(path)) {
    const name = EVENT.exec(line)?.[1] ?? `no event: ${line}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe("pagewalk run --trace", () => {
  test.each([
    ["threaded", "fault-storm", ["4", "64", "4"]],
    ["deterministic", "munmap-race", ["fixed", "3", "3"]],
  ])("has a line for each event that the counters count (%s)", async (driver, program, args) => {
    const [file, json] = [join(directory, `${driver}.txt`), join(directory, `${driver}.json`)];
    const flags = ["--harts", "2", "--driver", driver, "--trace", file, "--json", json];
    const { status, stderr } = await pagewalk(["run", ...flags, `${PREBUILT}/${program}`, ...args]);
    expect([status, stderr]).toEqual([0, ""]);
    const { total } = JSON.parse(readFileSync(json, "utf8"));
    const none: Record<string, number> = { ipi_entry: 0, ipi_exit: 0 }; // two threads on two harts may need no IPI
    const counts = { ...none, ...count(file) };
    expect(counts).toMatchObject({
      mm_fault: total.pgfault,
      sched_switch: total.context_switches,
      ipi_entry: total.ipi_received,
      ipi_exit: total.ipi_received,
      rcu_callback: total.rcu_callbacks,
      mm_page_alloc: total.pgalloc,
    });
    expect(counts.sys_enter).toBe(total.syscall);
  });

  test("says of reclaim what its counters say: who looked at how many pages, and which went to swap", async () => {
    const [file, json] = [join(directory, "reclaim.txt"), join(directory, "reclaim.json")];
    const events = ["--trace", file, "--trace-events", "mm_vmscan", "--json", json];
    const machine = ["--driver", "deterministic", "--ram", "16M", "--swap", "8M"];
    const run = ["run", ...machine, ...events, `${PREBUILT}/oom`, "linux"];
    const { status, stderr } = await pagewalk(run, { timeoutMs: 240_000 });
    expect(status, stderr).toBe(0);
    const { total } = JSON.parse(readFileSync(json, "utf8"));
    expect(count(file)).toMatchObject({
      mm_vmscan_direct_reclaim_begin: total.allocstall,
      mm_vmscan_direct_reclaim_end: total.allocstall,
      mm_vmscan_write_folio: total.pswpout,
    });
    const sums = { nr_scanned: 0, nr_reclaimed: 0 };
    for (const [, name, number] of read(file)
      .join("\n")
      .matchAll(/ (nr_scanned|nr_reclaimed)=(\d+)(?= .*priority)/g)) {
      sums[name as keyof typeof sums] += Number(number);
    }
    expect(sums).toEqual({
      nr_scanned: total.pgscan_kswapd + total.pgscan_direct,
      nr_reclaimed: total.pgsteal_kswapd + total.pgsteal_direct,
    });
    expect(sums.nr_reclaimed).toBeGreaterThan(0);
  }, 240_000);

  test("is the same to the byte for one seed, and does not change the schedule", async () => {
    const run = async (...flags: string[]) => {
      const args = ["--driver", "deterministic", "--seed", "5", "--harts", "3", "--stats", ...flags];
      const { stderr } = await pagewalk(["run", ...args, `${PREBUILT}/munmap-race`, "fixed", "3", "3"]);
      return /trace hash (\w+)/.exec(stderr)![1];
    };
    const [first, second] = [join(directory, "first"), join(directory, "second")];
    expect(new Set([await run("--trace", first), await run("--trace", second), await run()]).size).toBe(1);
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
    expect(read(first).length).toBeGreaterThan(100);
  });

  test("takes only the events that are asked for, by the beginnings of their names", async () => {
    const file = join(directory, "chosen");
    const { status } = await pagewalk(["run", "--trace", file, "--trace-events", "sys_,mm_fault", HELLO]);
    expect([status, Object.keys(count(file)).sort()]).toEqual([0, ["mm_fault", "sys_enter", "sys_exit"]]);
  });

  test.each([
    ["/nonexistent/file", "no such directory"],
    [directory, "is a directory"],
  ])("refuses %s in one line", async (file, reason) => {
    const { status, stderr, stdout } = await pagewalk(["run", "--trace", file, HELLO]);
    expect([status, stderr, stdout.toString()]).toEqual([125, `pagewalk: trace ${file}: ${reason}\n`, ""]);
  });

  test("refuses an event that there is not, and names those that there are", async () => {
    const file = join(directory, "none");
    const { status, stderr } = await pagewalk(["run", "--trace", file, "--trace-events", "sched_swich", HELLO]);
    expect([status, stderr]).toEqual([
      125,
      expect.stringMatching(/^pagewalk: event "sched_swich": .*sched_switch.*\n$/),
    ]);
    expect(existsSync(file)).toBe(false);
  });

  test("says in one line that a full disk took nothing, and the guest does not notice", async () => {
    const { status, stderr, stdout } = await pagewalk(["run", "--trace", "/dev/full", HELLO]);
    expect([status, stdout.toString()]).toEqual([0, "hello, world\n"]);
    expect(stderr).toMatch(/^pagewalk: trace \/dev\/full: no space left on its device; \d+ events are missing\n$/);
  });
});

describe("a trace to a FIFO", () => {
  const makeFifo = (name: string) => {
    const fifo = join(directory, name);
    expect(spawnSync("mkfifo", [fifo]).status).toBe(0);
    return fifo;
  };

  test("that nobody reads is refused at once", async () => {
    const fifo = makeFifo("unread");
    const { status, stderr } = await pagewalk(["run", "--trace", fifo, HELLO]);
    expect([status, stderr]).toEqual([125, `pagewalk: trace ${fifo}: a FIFO that nobody reads\n`]);
  });

  test("whose reader has stalled holds up neither the guest nor the end", async () => {
    const fifo = makeFifo("stalled");
    const reader = spawn("sh", ["-c", `exec 3<${fifo}; echo ready; sleep 60`], { stdio: "ignore", detached: true });
    try {
      // The reader's open waits for the writer's, so there is nothing to wait for here but its start.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const args = ["run", "--harts", "2", "--trace", fifo, `${PREBUILT}/fault-storm`, "4", "64", "4"];
      const { status, stderr } = await pagewalk(args);
      expect(status).toBe(0);
      expect(stderr).toMatch(/its reader has stalled; \d+ events are missing\n$/);
    } finally {
      process.kill(-reader.pid!, "SIGKILL");
    }
  });
});
