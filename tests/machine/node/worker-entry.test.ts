// The compile cache of the threaded worker: whatever lies in its place, the program runs.

import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUILD, PREBUILT } from "../../support/paths.ts";
import { run } from "../../support/process.ts";

const directory = mkdtempSync(join(tmpdir(), "pagewalk-cache-"));
const build = join(directory, "build");
const cache = join(build, "worker.threaded.cache");
const MODULE = 'export const policies = [{ seam: "cpumask", name: "own", line: "", debate: "", make: () => null }];';
afterAll(() => rmSync(directory, { recursive: true, force: true }));

beforeAll(() => {
  mkdirSync(build);
  copyFileSync(join(BUILD, "../package.json"), join(directory, "package.json")); // the command asks for its version
  const needed = readdirSync(BUILD).filter((name) => /^(pagewalk|worker\..*|core)\.(cjs|wasm|json|cache)$/.test(name));
  for (const name of needed) copyFileSync(join(BUILD, name), join(build, name));
  writeFileSync(join(directory, "policies.mjs"), MODULE);
});

async function hello(options: readonly string[] = []): Promise<[number, string, string]> {
  const command = [join(build, "pagewalk.cjs"), "run", "--harts", "2", ...options, `${PREBUILT}/hello`];
  const { status, stdout, stderr } = await run(process.execPath, command);
  return [status, stdout.toString(), stderr];
}

test("the build leaves a cache, and a program runs with it", async () => {
  expect(readFileSync(cache).length).toBeGreaterThan(10_000);
  expect(await hello()).toEqual([0, "hello, world\n", ""]);
});

test.each([
  ["half of the cache", () => writeFileSync(cache, readFileSync(cache).subarray(0, 50_000))],
  ["bytes that are no cache", () => writeFileSync(cache, "no cache".repeat(1000))],
  ["no cache", () => rmSync(cache)],
])("a program runs with %s", async (_, change) => {
  change();
  expect(await hello()).toEqual([0, "hello, world\n", ""]);
});

test.each([
  ["the deterministic driver", ["--driver", "deterministic"]],
  ["a mutation", ["--mutate", "A-M1"]],
  ["a module of policies", ["--policy-module", join(directory, "policies.mjs")]],
])("a spare worker, which has loaded the threaded kernel, serves %s", async (_, options) => {
  expect(await hello(options)).toEqual([0, "hello, world\n", ""]);
});
