// Random sequences of mmap, munmap, mprotect, mremap, madvise and stores against the model in mm-model.ts.
//
// MM_SEED replays one sequence; MM_SEQUENCES sets how many there are.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { pagewalk } from "../support/process.ts";
import { Random, seedFrom } from "../support/seeds.ts";
import { AddressSpace } from "./mm-model.ts";
import { randomOperations } from "./mm-operations.ts";
import { expectedFindings, firstWrongFinding, sequenceProgram } from "./mm-sequence.ts";

const SEED = seedFrom("MM_SEED");
const SEQUENCES = Number(process.env.MM_SEQUENCES ?? 20);
const OPERATIONS = 400;

const directory = mkdtempSync(join(tmpdir(), "mm-sequence-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("a random sequence of mm system calls does what the array model says", () => {
  test.each(Array.from({ length: SEQUENCES }, (_, index) => SEED + index))("seed %d", async (seed) => {
    const space = new AddressSpace();
    const operations = randomOperations(new Random(seed), space, OPERATIONS);
    const program = join(directory, `sequence-${seed}`);
    writeFileSync(program, sequenceProgram(operations), { mode: 0o755 });
    const { stdout, stderr, status } = await pagewalk(["run", program]);
    const replay = `MM_SEED=${seed} MM_SEQUENCES=1 npm test -- tests/conformance/mm-sequence`;
    expect([status, stderr], replay).toEqual([0, ""]);
    const wrong = firstWrongFinding(operations, expectedFindings(operations, space), stdout);
    expect(wrong, `${replay}\n${operations.map(({ text }, index) => `${index} ${text}`).join("\n")}`).toBeUndefined();
  });
});
