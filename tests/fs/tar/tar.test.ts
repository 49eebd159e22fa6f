// Tar archives as root file systems: what every tar program writes is read, what is wrong is refused with one line.

import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TarError } from "../../../host/fs/tar/header.ts";
import { ENOENT, ENOTDIR, ESTALE } from "../../../host/memory/errno.ts";
import { emptyHostStat } from "../../../host/memory/host-files.ts";
import { Random, seedFrom } from "../../support/seeds.ts";
import { END, entry, listing, open, pax, withSum } from "./archive.ts";

const LONG = "long-name-".repeat(14);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(`${tmpdir()}/pagewalk-tar-`);
  const root = `${folder}/root`;
  mkdirSync(`${root}/usr/bin`, { recursive: true });
  writeFileSync(`${root}/usr/bin/prog`, "x".repeat(1000));
  chmodSync(`${root}/usr/bin/prog`, 0o4755);
  linkSync(`${root}/usr/bin/prog`, `${root}/usr/bin/same`);
  symlinkSync("usr/bin", `${root}/bin`);
  symlinkSync(`../${LONG}/${LONG}`, `${root}/dangling`);
  mkdirSync(`${root}/${LONG}`);
  writeFileSync(`${root}/${LONG}/${LONG}`, "deep");
  writeFileSync(Buffer.from(`${root}/\xe4\xff`, "latin1"), "");
});

afterAll(() => rmSync(folder, { recursive: true }));

const EXPECTED = [
  "bin 120777 1 7 -> usr/bin",
  `dangling 120777 1 284 -> ../${LONG}/${LONG}`,
  `${LONG} 40755 2 0`,
  `${LONG}/${LONG} 100644 1 4 deep`,
  "usr 40755 3 0",
  "usr/bin 40755 2 0",
  `usr/bin/prog 104755 2 1000 ${"x".repeat(1000)}`,
  `usr/bin/same 104755 2 1000 ${"x".repeat(1000)}`,
  "\xe4\xff 100644 1 0 ",
];

describe("an archive is read as it was written", () => {
  test.each(["gnu", "oldgnu", "pax", "posix"])("by tar --format=%s", (format) => {
    const args = ["-C", `${folder}/root`, `--format=${format}`, "--sort=name", "-cf", "-", "."];
    expect(listing(open(execFileSync("tar", args)))).toEqual(EXPECTED);
  });

  test("with times of a fraction of a second and times before 1970", () => {
    const archive = Buffer.concat([
      pax("x", { mtime: "1700000000.25" }),
      entry("a"),
      pax("x", { mtime: "-1.5" }),
      entry("b"),
      END,
    ]);
    const files = open(archive);
    const stat = emptyHostStat();
    files.lstat(Buffer.from("a"), stat);
    expect([stat.mtimeSeconds, stat.mtimeNs]).toEqual([1_700_000_000, 250_000_000]);
    files.lstat(Buffer.from("b"), stat);
    expect([stat.mtimeSeconds, stat.mtimeNs]).toEqual([-2, 500_000_000]);
  });

  test("with global pax records, with the ustar prefix, with base-256 numbers", () => {
    const header = entry("file", "0").subarray(0, 512);
    header.write("some/prefix", 345);
    header.fill(0, 108, 116);
    header[108] = 0x80;
    header.writeUInt32BE(100_000, 112);
    const files = open(Buffer.concat([pax("g", { gid: "77" }), withSum(header), END]));
    const stat = emptyHostStat();
    expect(files.lstat(Buffer.from("some/prefix/file"), stat)).toBe(0);
    expect([stat.uid, stat.gid]).toEqual([100_000, 77]);
  });

  test("a later entry replaces an earlier one", () => {
    const archive = [entry("a", "0", "old"), entry("b", "1", "", "a"), entry("a", "0", "new"), END];
    expect(listing(open(Buffer.concat(archive)))).toEqual(["a 100644 1 3 new", "b 100644 1 3 old"]);
  });

  test("and what is not there is not found", () => {
    const files = open(Buffer.concat([entry("d/file", "0", "text"), END]));
    const stat = emptyHostStat();
    expect(files.lstat(Buffer.from("d/files"), stat)).toBe(-ENOENT);
    expect(files.lstat(Buffer.from("d/fil"), stat)).toBe(-ENOENT);
    expect(files.lstat(Buffer.from("d/file/x"), stat)).toBe(-ENOTDIR);
    expect(files.read(Buffer.from("d/file"), 0, 1, 0, 0, 10)).toBe(-ESTALE);
  });
});

describe("an archive is refused with one line", () => {
  test.each<[string, Buffer[], RegExp]>([
    ["absolute paths", [entry("/etc/passwd"), END], /absolute/],
    ["escaping paths", [entry("a/../../etc/passwd"), END], /leads out/],
    ["even harmless ..", [entry("a/../b"), END], /leads out/],
    ["hard links that escape", [entry("a", "1", "", "../../etc/passwd"), END], /leads out/],
    ["absolute hard links", [entry("a", "1", "", "/etc/passwd"), END], /absolute/],
    ["hard links to nothing", [entry("a", "1", "", "b"), END], /not before it/],
    ["hard links to directories", [entry("d", "5"), entry("a", "1", "", "d"), END], /to a directory/],
    ["files below a link", [entry("l", "2", "", "/etc"), entry("l/passwd"), END], /no directory/],
    ["escapes by pax", [pax("x", { path: "../x" }), entry("a"), END], /leads out/],
    ["escapes by a GNU long name", [entry("n", "L", "../../x\0"), entry("a"), END], /leads out/],
    ["NULs in a pax path", [pax("x", { path: "a\0b" }), entry("a"), END], /NUL/],
    ["a file where the root should be", [entry("./"), entry(".", "0"), END], /root/],
    ["unknown types", [entry("a", "Z"), END], /unknown type/],
    ["a negative size, which would lead back", [withSum(negativeSize(entry("a"))), END], /-512/],
    ["sparse files", [pax("x", { "GNU.sparse.major": "1" }), entry("a"), END], /sparse/],
    ["no end mark", [entry("a")], /truncated/],
    ["half an end mark", [entry("a"), END.subarray(512)], /truncated/],
    ["data that is cut off", [entry("a", "0", "x".repeat(2000)).subarray(0, 1024)], /cut off/],
    ["a header that is cut off", [entry("a"), entry("b").subarray(0, 300)], /truncated/],
    ["nothing", [], /truncated/],
    ["what is no archive", [Buffer.alloc(2048, "#!/bin/sh\n")], /number should be|checksum/],
    ["data after a zero block", [entry("a"), END.subarray(512), entry("b"), END], /damaged/],
  ])("%s", (_what, parts, message) => {
    const archive = Buffer.concat(parts);
    expect(() => open(archive)).toThrow(message);
    expect(() => open(archive)).toThrow(TarError);
    expect(() => open(archive)).toThrow(/^[^\n]+$/);
  });
});

test("whatever bytes an archive holds, it is a tree or one line", () => {
  const seed = seedFrom("TAR_SEED");
  const random = new Random(seed);
  const args = ["-C", `${folder}/root`, "--format=pax", "--sort=name", "-cf", "-", "."];
  const seeds = [
    execFileSync("tar", args),
    Buffer.concat([
      pax("x", { path: "p", size: "3", mtime: "1.5" }),
      entry("a", "0", "xyz"),
      entry("n", "L", "abc\0"),
      entry("b"),
      END,
    ]),
  ];
  let trees = 0;
  for (let i = 0; i < 3000; i++) {
    const archive = mutate(Buffer.from(random.pick(seeds)), random);
    try {
      listing(open(archive));
      trees++;
    } catch (error) {
      const ok = error instanceof TarError && !error.message.includes("\n");
      expect(ok, `TAR_SEED=${seed} npx vitest run tests/fs/tar: archive ${i}: ${error}`).toBe(true);
    }
  }
  expect(trees).toBeGreaterThan(0);
  expect(trees).toBeLessThan(3000);
});

function negativeSize(header: Buffer): Buffer {
  header.fill(0xff, 124, 136);
  header.writeInt16BE(-512, 134);
  return header;
}

/** Wrong bytes, mostly with a right checksum: else nothing behind it would ever be reached. */
function mutate(archive: Buffer, random: Random): Buffer {
  for (let count = random.between(1, 4); count > 0; count--) {
    const block = random.below(archive.length / 512) * 512;
    const at = random.chance(0.7) ? block + random.below(500) : random.below(archive.length);
    archive[at] = random.chance(0.5) ? random.below(256) : random.pick([0, 0x2f, 0x2e, 0x30, 0x37, 0x80, 0xff]);
    if (random.chance(0.8)) withSum(archive.subarray(block, block + 512));
  }
  return random.chance(0.1) ? archive.subarray(0, random.below(archive.length)) : archive;
}
