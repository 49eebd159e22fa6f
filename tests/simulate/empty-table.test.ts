// A page table that seems empty may be about to be filled.

import { expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 120_000;

test(
  "munmap takes the page that a speculative fault puts into an empty table: it used to skip the table, and lost it",
  async () => {
    const args = ["explore", "D/first-fault-of-table", "--schedules", "1000", "--keep", "/dev/null"];
    const { stdout, status } = await pagewalk(args, { timeoutMs: TIMEOUT_MS });
    expect(stdout.toString()).toContain("nothing found");
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);
