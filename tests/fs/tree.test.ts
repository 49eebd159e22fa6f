// Random changes to the tree of names, through system calls, against a plain model: every result, and in between every
// directory's entries and link counts. At the end everything is removed, and every record is back.

import { beforeEach, describe, expect, test } from "vitest";
import { POOL_COUNT, POOL_DENTRY, POOL_INODE, POOL_NAME } from "../../assembly/layout.ts";
import { kmemCacheLive } from "../../host/memory/slab.ts";
import { freeFrameCount } from "../../host/mm/frame/frames.ts";
import { TestProcess } from "../kernel/test-process.ts";
import { Random, seedFrom } from "../support/seeds.ts";
import { type Node, TreeModel } from "./tree-model.ts";

const NR = { mkdirat: 34, unlinkat: 35, linkat: 37, renameat2: 276, openat: 56, close: 57, getdents64: 61, fstat: 80 };
const AT_FDCWD = -100;
const AT_REMOVEDIR = 0x200;
const O_CREAT_EXCL = 0o300;
const O_DIRECTORY = 0o200000;
const STEPS = 3000;
const LONG = "n".repeat(200);
const NAMES = ["a", "b", "c", LONG, "..", "."];

const seed = seedFrom("TREE_SEED");
const replay = `TREE_SEED=${seed} npx vitest run --config tests/vitest.config.ts tests/fs/tree.test.ts`;

let p: TestProcess;
let random: Random;
beforeEach(() => {
  p = new TestProcess({ seed });
  random = new Random(seed);
});

function path(): string {
  const names = Array.from({ length: 1 + random.below(4) }, () => random.pick(NAMES));
  return `/tmp/x/${names.join("/")}`;
}

/** Paths of the model begin at /tmp/x, which ".." may not leave, so the test refuses such paths. */
function inModel(full: string): string | null {
  let depth = 0;
  for (const name of full.split("/").slice(3)) {
    if (name === "..") depth--;
    else if (name !== ".") depth++;
    if (depth < 0) return null;
  }
  return `/${full.split("/").slice(3).join("/")}`;
}

function argument(offset: number, text: string): number {
  return p.pokeText(p.memory + offset, text);
}

function step(model: TreeModel): [string, number, number] {
  const [first, second] = [path(), path()];
  const [one, two] = [inModel(first), inModel(second)];
  if (one === null || two === null) return ["nothing", 0, 0];
  const [a, b] = [argument(0, first), argument(8192, second)];
  const flags = random.pick([0, 0, 1, 2]);
  switch (random.below(6)) {
    case 0:
      return [`mkdir ${one}`, p.call(NR.mkdirat, AT_FDCWD, a, 0o755), model.make(one, true)];
    case 1: {
      const fd = p.call(NR.openat, AT_FDCWD, a, O_CREAT_EXCL, 0o644);
      if (fd >= 0) p.call(NR.close, fd);
      // open(2) knows no EEXIST for a path that ends in a dot.
      if (/(^|\/)\.{1,2}$/.test(one)) return ["nothing", 0, 0];
      return [`create ${one}`, Math.min(fd, 0), model.make(one, false)];
    }
    case 2:
      return [`unlink ${one}`, p.call(NR.unlinkat, AT_FDCWD, a, 0), model.remove(one, false)];
    case 3:
      return [`rmdir ${one}`, p.call(NR.unlinkat, AT_FDCWD, a, AT_REMOVEDIR), model.remove(one, true)];
    case 4:
      return [`link ${one} ${two}`, p.call(NR.linkat, AT_FDCWD, a, AT_FDCWD, b, 0), model.link(one, two)];
    default:
      return [
        `rename ${one} ${two} ${flags}`,
        p.call(NR.renameat2, AT_FDCWD, a, AT_FDCWD, b, flags),
        model.rename(one, two, flags),
      ];
  }
}

/** Entries of the directory at `full`, sorted. */
function list(full: string): string[] {
  const fd = p.call(NR.openat, AT_FDCWD, argument(0, full), O_DIRECTORY, 0);
  const names: string[] = [];
  for (;;) {
    const bytes = p.call(NR.getdents64, fd, p.memory, 600);
    if (bytes <= 0) break;
    const records = p.peek(p.memory, bytes);
    for (let at = 0; at < bytes; at += records[at + 16] + records[at + 17] * 256) {
      const end = records.indexOf(0, at + 19);
      names.push(new TextDecoder().decode(records.subarray(at + 19, end)));
    }
  }
  p.call(NR.close, fd);
  return names.filter((name) => name !== "." && name !== "..").sort();
}

function links(full: string): number {
  const fd = p.call(NR.openat, AT_FDCWD, argument(0, full), 0, 0);
  expect(p.call(NR.fstat, fd, p.memory)).toBe(0);
  p.call(NR.close, fd);
  return p.peek32(p.memory + 20);
}

function compare(node: Node, full: string, what: string): void {
  expect(links(full), `${full} after ${what}`).toBe(node.linkCount());
  if (node.children === null) return;
  expect(list(full), `${full} after ${what}`).toEqual([...node.children.keys()].sort());
  for (const [name, child] of node.children) compare(child, `${full}/${name}`, what);
}

function removeAll(node: Node, full: string): void {
  for (const [name, child] of node.children ?? []) removeAll(child, `${full}/${name}`);
  expect(p.call(NR.unlinkat, AT_FDCWD, argument(0, full), node.children === null ? 0 : AT_REMOVEDIR)).toBe(0);
}

describe("the tree of names", () => {
  test(`does what the model does, and leaves no record behind (replay: ${replay})`, () => {
    p.poke(p.memory, new Uint8Array(4 * 4096)); // faults are none of the tree's business
    const pools = Array.from({ length: POOL_COUNT }, (_, pool) => kmemCacheLive(p.shared, pool));
    const frames = freeFrameCount(p.shared);
    const model = new TreeModel();
    expect(p.call(NR.mkdirat, AT_FDCWD, argument(0, "/tmp/x"), 0o755)).toBe(0);
    for (let i = 0; i < STEPS; i++) {
      const [what, result, expected] = step(model);
      expect(result, `step ${i}: ${what}; replay: ${replay}`).toBe(expected);
      if (i % 100 === 99) compare(model.root, "/tmp/x", `step ${i}: ${what}; replay: ${replay}`);
    }
    removeAll(model.root, "/tmp/x");
    for (const pool of [POOL_INODE, POOL_DENTRY, POOL_NAME]) expect(kmemCacheLive(p.shared, pool)).toBe(pools[pool]);
    expect(freeFrameCount(p.shared)).toBe(frames);
  });

  test("gives each entry of a directory once, whatever is added and removed between two calls", () => {
    p.call(NR.mkdirat, AT_FDCWD, argument(0, "/tmp/d"), 0o755);
    for (let i = 0; i < 40; i++) p.call(NR.mkdirat, AT_FDCWD, argument(0, `/tmp/d/${i}`), 0o755);
    const fd = p.call(NR.openat, AT_FDCWD, argument(0, "/tmp/d"), O_DIRECTORY, 0);
    const seen = new Map<string, number>();
    for (let round = 0; ; round++) {
      const bytes = p.call(NR.getdents64, fd, p.memory, 100);
      if (bytes === 0) break;
      const records = p.peek(p.memory, bytes);
      for (let at = 0; at < bytes; at += records[at + 16]) {
        const name = new TextDecoder().decode(records.subarray(at + 19, records.indexOf(0, at + 19)));
        seen.set(name, (seen.get(name) ?? 0) + 1);
        if (name !== "." && name !== "..") p.call(NR.unlinkat, AT_FDCWD, argument(0, `/tmp/d/${name}`), AT_REMOVEDIR);
      }
      if (round < 5) p.call(NR.mkdirat, AT_FDCWD, argument(0, `/tmp/d/new${round}`), 0o755);
    }
    for (let i = 0; i < 40; i++) expect(seen.get(String(i)), String(i)).toBe(1);
    expect([...seen.values()].every((count) => count === 1)).toBe(true);
  });
});
