// Reclaim against a reader and writer of the page that it takes, under each way of flushing.

import { expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 120_000;

const FLUSHES = "reclaim-batch ipi-mask ipte hash-batch full-all broadcast hybrid asid-global asid-local".split(" ");

test.each(FLUSHES)(
  "reclaim takes a page from under a reader and writer with %s: nobody uses it afterwards",
  async (flush) => {
    const policy = ["--policy", `tlb-flush=${flush}`];
    const args = ["explore", "B/reclaim-under-reader", ...policy, "--schedules", "200", "--keep", "/dev/null"];
    const { stdout, status } = await pagewalk(args, { timeoutMs: TIMEOUT_MS });
    expect(stdout.toString()).toContain("nothing found");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);

test(
  "reclaim that broadcasts and does not wait for the answer is caught",
  async () => {
    const args = [
      "explore",
      "B/reclaim-under-reader",
      "--mutate",
      "B-M7",
      "--schedules",
      "2000",
      "--keep",
      "/dev/null",
    ];
    const { stdout, status } = await pagewalk(args, { timeoutMs: TIMEOUT_MS });
    expect(stdout.toString()).toContain("its page has been freed");
    expect(status).toBe(1);
  },
  TIMEOUT_MS,
);
