// What busybox is asked to do: small, but together they read, allocate, sort, compute and fail.

import { Random } from "../support/seeds.ts";

export interface BusyboxCase {
  readonly args: readonly string[];
  readonly input: Uint8Array;
}

const random = new Random(0x626f7821);
const words = Array.from({ length: 5000 }, () => `${random.below(100000)} ${"abcdefgh".slice(random.below(8))}`);
const lines = Buffer.from(`${words.join("\n")}\n`);
const block = Buffer.from(Array.from({ length: 300_000 }, () => random.below(256)));

export const BUSYBOX_CASES: readonly BusyboxCase[] = [
  { args: ["echo", "one", "two"], input: Buffer.alloc(0) },
  { args: ["seq", "1", "3000"], input: Buffer.alloc(0) },
  { args: ["sha256sum"], input: block },
  { args: ["sort", "-n"], input: lines },
  { args: ["awk", "{ n += $1; x = x $2 } END { print n, length(x), sqrt(n), n / 7 }"], input: lines },
  { args: ["wc"], input: lines },
  { args: ["false"], input: Buffer.alloc(0) },
  { args: ["no-such-applet"], input: Buffer.alloc(0) },
];
