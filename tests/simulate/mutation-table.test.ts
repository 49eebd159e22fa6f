// The whole mutation table in its short form: every mistake is caught, and no control accused.

import { expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 400_000;

test(
  "every mutation is caught, and the scenarios without one are not accused",
  async () => {
    const args = ["explore", "--all", "--mutations", "--schedules", "8000"];
    const { stdout, status } = await pagewalk(args, { timeoutMs: TIMEOUT_MS });
    const lines = stdout.toString().trimEnd().split("\n");
    expect(lines.filter((line) => / not in \d+ /.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith("false report"))).toEqual([]);
    expect(lines.at(-1)).toMatch(/^caught 60\/60, false reports 0, \d+ schedules$/);
    expect(status).toBe(0);
  },
  TIMEOUT_MS,
);
