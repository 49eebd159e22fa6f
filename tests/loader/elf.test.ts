// The ELF parser: what it accepts, what it refuses and with which line, and that no bytes at all make it throw.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type ElfPlan, parseElf } from "../../host/loader/elf.ts";
import { PREBUILT } from "../support/paths.ts";
import { Random, seedFrom } from "../support/seeds.ts";
import { elfImage, PT_INTERP, TEXT_VA } from "./elf-image.ts";

const MEMORY_BYTES = 1 << 28;
const USER_END = 2 ** 38;
const FUZZ_COUNT = 20_000;

function plan(image: Uint8Array): ElfPlan {
  const result = parseElf(image, MEMORY_BYTES);
  if ("error" in result) throw new Error(result.error);
  return result;
}

function refusal(image: Uint8Array): string {
  const result = parseElf(image, MEMORY_BYTES);
  return "error" in result ? result.error : "accepted";
}

describe("a valid file", () => {
  test("gives its entry point, its segments in order, and where its program headers will be", () => {
    const result = plan(
      elfImage({ segments: [{}, { va: 0x20000, offset: 0x1000, fileBytes: 0x800, memoryBytes: 0x3000, flags: 6 }] }),
    );
    expect(result.entry).toBe(TEXT_VA + 0x100);
    expect(result.relocatable).toBe(false);
    expect(result.headersVa).toBe(TEXT_VA + 64);
    expect(result.headerCount).toBe(2);
    expect(result.segments.map((s) => [s.va, s.fileBytes, s.memoryBytes, s.writable, s.executable])).toEqual([
      [TEXT_VA, 0x1000, 0x1000, false, true],
      [0x20000, 0x800, 0x3000, true, false],
    ]);
  });

  test("may be position independent, writable and executable at once, or have an empty segment", () => {
    expect(plan(elfImage({ type: 3, entry: 0x100, segments: [{ va: 0, flags: 7 }] })).relocatable).toBe(true);
    expect(plan(elfImage({ segments: [{}, { va: 0x30000, fileBytes: 0 }] })).segments.length).toBe(1);
  });

  test("may name a dynamic loader", () => {
    const image = elfImage({ segments: [{ type: PT_INTERP, offset: 0x800, fileBytes: 9 }, {}] });
    image.set(new TextEncoder().encode("/lib/ld.so\0".slice(0, 9)), 0x800);
    image[0x808] = 0;
    expect(plan(image).interpreter).toBe("/lib/ld.");
  });

  test("every prebuilt guest program is one", () => {
    const names = readdirSync(PREBUILT).filter((name) => name !== "SHA256SUMS");
    expect(names.length).toBeGreaterThan(10);
    for (const name of names)
      expect(plan(readFileSync(`${PREBUILT}/${name}`)).segments.length, name).toBeGreaterThan(0);
  });
});

describe("a file that cannot be run is refused with one line", () => {
  const bent = (at: number, value: number) => {
    const image = elfImage();
    image[at] = value;
    return image;
  };
  const cases: [string, Uint8Array, RegExp][] = [
    ["empty", new Uint8Array(0), /not an ELF file/],
    ["text", new TextEncoder().encode("#!/bin/sh\n"), /not an ELF file/],
    ["header cut off", elfImage().subarray(0, 40), /header is truncated/],
    ["32-bit", bent(4, 1), /64-bit/],
    ["big-endian", bent(5, 2), /little-endian/],
    ["another machine", bent(18, 62), /another machine/],
    ["object file", elfImage({ type: 1 }), /not an executable/],
    ["program headers of 32 bytes", bent(54, 32), /program headers of a wrong size/],
    ["no program headers", bent(56, 0), /no program headers/],
    [
      "65535 program headers",
      (() => {
        const i = bent(56, 0xff);
        i[57] = 0xff;
        return i;
      })(),
      /too many/,
    ],
    ["program headers beyond the end", bent(33, 0xff), /headers are truncated/],
    ["segment beyond the end of the file", elfImage({ segments: [{ fileBytes: 0x9000 }] }), /truncated/],
    ["segment longer in file than in memory", elfImage({ segments: [{ memoryBytes: 0x10 }] }), /longer in the file/],
    ["segment above user space", elfImage({ segments: [{ va: USER_END }] }), /outside user space/],
    ["segment that wraps", elfImage({ segments: [{ va: 2 ** 64 - 4096, memoryBytes: 0x2000 }] }), /outside user space/],
    ["offset and address not congruent", elfImage({ segments: [{ va: TEXT_VA + 1 }] }), /differ within the page/],
    ["overlap", elfImage({ segments: [{}, { va: TEXT_VA + 0x800, offset: 0x800 }] }), /overlap/],
    ["descending", elfImage({ segments: [{ va: 0x40000 }, {}] }), /ascending/],
    ["nothing to load", elfImage({ segments: [{ type: 4 }] }), /nothing to load/],
    ["more than RAM", elfImage({ segments: [{ memoryBytes: 2 ** 36 }] }), /does not fit into the machine's RAM/],
    ["entry outside", elfImage({ entry: 0x999000 }), /entry point/],
    ["entry in data", elfImage({ segments: [{ flags: 6 }] }), /entry point/],
    [
      "dynamic loader without a name",
      elfImage({ segments: [{ type: PT_INTERP, fileBytes: 1 }, {}] }),
      /dynamic loader is broken/,
    ],
  ];
  test.each(cases)("%s", (_name, image, line) => {
    expect(refusal(image)).toMatch(line);
    expect(refusal(image)).not.toContain("\n");
  });
});

/** What every plan promises to the loader, however the file came about. */
function checkPlan(result: ElfPlan, image: Uint8Array): void {
  let end = 0;
  let total = 0;
  for (const segment of result.segments) {
    expect(segment.va).toBeGreaterThanOrEqual(end);
    end = segment.va + segment.memoryBytes;
    total += segment.memoryBytes;
    expect(segment.memoryBytes).toBeGreaterThanOrEqual(segment.fileBytes);
    expect(segment.offset + segment.fileBytes).toBeLessThanOrEqual(image.length);
    if (segment.fileBytes > 0) expect(segment.offset % 4096).toBe(segment.va % 4096);
  }
  expect(end).toBeLessThanOrEqual(USER_END);
  expect(total).toBeLessThanOrEqual(MEMORY_BYTES);
  expect(result.entry).toBeLessThan(end);
}

describe("fuzz", () => {
  const seed = seedFrom("ELF_FUZZ_SEED");
  const replay = `ELF_FUZZ_SEED=${seed} npx vitest run --config tests/vitest.config.ts tests/loader/elf.test.ts`;

  test(`random bytes and bent headers give a plan that keeps its promises, or one line (replay: ${replay})`, () => {
    const random = new Random(seed);
    let accepted = 0;
    for (let round = 0; round < FUZZ_COUNT; round++) {
      const image = random.chance(0.2) ? randomBytes(random) : bend(random);
      const result = parseElf(image, MEMORY_BYTES);
      if ("error" in result) {
        expect(result.error, replay).toMatch(/^[^\n]+$/);
      } else {
        checkPlan(result, image);
        accepted++;
      }
    }
    // A mutator that never leaves a file valid would test only the first check.
    expect(accepted, replay).toBeGreaterThan(FUZZ_COUNT / 100);
  });
});

function randomBytes(random: Random): Uint8Array {
  const image = new Uint8Array(random.below(300)).map(() => random.next());
  if (random.chance(0.5)) image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].slice(0, image.length));
  return image;
}

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff];

/** A valid file of up to four segments in which some bytes of the headers are changed, perhaps cut short. */
function bend(random: Random): Uint8Array {
  const count = random.between(1, 4);
  const segments = Array.from({ length: count }, (_, i) => ({
    va: TEXT_VA * (i + 1),
    memoryBytes: random.chance(0.3) ? random.below(0x20000) : 0x1000,
    flags: random.below(8) | (i === 0 ? 1 : 0),
  }));
  const image = elfImage({ segments, type: random.pick([2, 3]) });
  for (let changes = random.below(5); changes > 0; changes--) {
    const at = random.below(64 + count * 56);
    image[at] = random.chance(0.5) ? random.pick(INTERESTING) : random.next();
  }
  return random.chance(0.1) ? image.subarray(0, random.below(image.length)) : image;
}
