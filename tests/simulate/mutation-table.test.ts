// The whole mutation table in its short form: every mistake is caught, and no control accused.

import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 400_000;

test(
  "every mutation is caught, and the scenarios without one are not accused",
  async () => {
    const json = join(mkdtempSync(join(tmpdir(), "pagewalk-explore-")), "table.json");
    const args = ["explore", "--all", "--mutations", "--schedules", "8000", "--json", json];
    const { stdout, status } = await pagewalk(args, { timeoutMs: TIMEOUT_MS });
    const lines = stdout.toString().trimEnd().split("\n");
    expect(lines.filter((line) => / not in \d+ /.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith("false report"))).toEqual([]);
    expect(lines.at(-1)).toMatch(/^caught 60\/60, false reports 0, \d+ schedules$/);
    expect(status).toBe(0);
    const table = JSON.parse(readFileSync(json, "utf8"));
    expect(table).toMatchObject({ caught: 60, total: 60, falseReports: [] });
    expect(table.mutations).toHaveLength(60);
    expect(table.mutations[0]).toMatchObject({ mutation: "A-M1", scenario: "A/exit-while-lazy", caught: true });
  },
  TIMEOUT_MS,
);
