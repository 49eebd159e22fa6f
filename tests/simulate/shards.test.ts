// A search that is spread over machines: each runs its shard, and the results are added up afterwards.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";

const TIMEOUT_MS = 120_000;
const folder = mkdtempSync(join(tmpdir(), "pagewalk-shards-"));

async function shard(part: string, file: string, ...more: string[]) {
  const path = join(folder, file);
  await pagewalk(["explore", "A/two-exits", "--shard", part, "--jobs", "1", "--json", path, ...more], { cwd: folder });
  return path;
}

test(
  "three shards of 100 schedules are one search of 300, in any order",
  async () => {
    const files: string[] = [];
    for (const part of ["3/3", "1/3", "2/3"]) {
      files.push(await shard(part, `${part[0]}.json`, "--schedules", "300"));
    }
    const { stdout, status } = await pagewalk(["explore", "--merge", ...files]);
    expect(stdout.toString()).toMatch(
      /^A\/two-exits: 3 of 3 shards, 300 schedules, \d+ shared words, switches at \d+ of \d+ points: nothing found\n$/,
    );
    expect(status).toBe(0);
    const twice = await pagewalk(["explore", "--merge", files[0], files[0]]);
    expect(twice.stderr).toContain("a shard is given twice");
    expect(twice.status).toBe(125);
  },
  TIMEOUT_MS,
);

test(
  "the failure with the lowest number is what the whole search found, and its schedule is kept",
  async () => {
    const files = [
      await shard("1/2", "a.json", "--mutate", "A-M6", "--schedules", "4000"),
      await shard("2/2", "b.json", "--mutate", "A-M6", "--schedules", "4000"),
    ];
    const { stdout, status } = await pagewalk(["explore", "--merge", ...files], { cwd: folder });
    expect(stdout.toString()).toContain("is wrong");
    expect(status).toBe(1);
    const replayed = await pagewalk(["explore", "--replay", join(folder, "A-two-exits-A-M6-seed1.schedule.json")]);
    expect(replayed.status).toBe(1);
  },
  TIMEOUT_MS,
);

test(
  "shards of the exhaustive search leave no schedule out: together they are complete",
  async () => {
    const search = ["--strategy", "exhaustive", "--depth", "2", "--schedules", "100000"];
    const files = [await shard("1/2", "c.json", ...search), await shard("2/2", "d.json", ...search)];
    const both = await pagewalk(["explore", "--merge", ...files]);
    expect(both.stdout.toString()).toContain("nothing found, and no schedule is left");
    const one = await pagewalk(["explore", "--merge", files[0]]);
    expect(one.stdout.toString()).not.toContain("no schedule is left");
  },
  TIMEOUT_MS,
);
