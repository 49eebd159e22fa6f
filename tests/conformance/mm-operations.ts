// Random operations on the model, each with the system call that does the same on the machine.

import type { Random } from "../support/seeds.ts";
import { type AddressSpace, PAGE_BYTES, PROT_EXEC, PROT_READ, PROT_WRITE, REGION, REGION_PAGES } from "./mm-model.ts";

/** A system call, or a store of one doubleword where `call` is 0. */
export interface Operation {
  readonly text: string;
  readonly call: number;
  readonly args: readonly bigint[];
  /** What the call must return; a store returns nothing. */
  readonly result: number;
}

const SYS_MUNMAP = 215;
const SYS_MREMAP = 216;
const SYS_MMAP = 222;
const SYS_MPROTECT = 226;
const SYS_MADVISE = 233;

const MAP_PRIVATE = 0x02;
const MAP_SHARED = 0x01;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_FIXED_NOREPLACE = 0x100000;
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MADV_DONTNEED = 4;

const PROTECTIONS = [0, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC];
const RANGE_PAGES_MAX = 10;

type Maker = (random: Random, space: AddressSpace) => Operation | undefined;

function address(page: number): bigint {
  return BigInt(REGION + page * PAGE_BYTES);
}

function length(pages: number): bigint {
  return BigInt(pages * PAGE_BYTES);
}

function randomRange(random: Random): { first: number; count: number } {
  const first = random.below(REGION_PAGES);
  return { first, count: Math.min(random.between(1, RANGE_PAGES_MAX), REGION_PAGES - first) };
}

function operation(name: string, call: number, args: readonly bigint[], result: number): Operation {
  return { text: `${name}(${args.map((arg) => `0x${arg.toString(16)}`).join(", ")})`, call, args, result };
}

const mapFixed: Maker = (random, space) => {
  const { first, count } = randomRange(random);
  const prot = random.pick(PROTECTIONS);
  const flags = MAP_FIXED | MAP_ANONYMOUS | MAP_PRIVATE;
  const args = [address(first), length(count), BigInt(prot), BigInt(flags), -1n, 0n];
  return operation("mmap", SYS_MMAP, args, space.mapFixed(first, count, prot));
};

const mapNoReplace: Maker = (random, space) => {
  const { first, count } = randomRange(random);
  const prot = random.pick(PROTECTIONS);
  const flags = MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_PRIVATE;
  const args = [address(first), length(count), BigInt(prot), BigInt(flags), -1n, 0n];
  return operation("mmap", SYS_MMAP, args, space.mapNoReplace(first, count, prot));
};

const unmap: Maker = (random, space) => {
  const { first, count } = randomRange(random);
  return operation("munmap", SYS_MUNMAP, [address(first), length(count)], space.unmap(first, count));
};

const protect: Maker = (random, space) => {
  const { first, count } = randomRange(random);
  const prot = random.pick(PROTECTIONS);
  const args = [address(first), length(count), BigInt(prot)];
  return operation("mprotect", SYS_MPROTECT, args, space.protect(first, count, prot));
};

const dontNeed: Maker = (random, space) => {
  const { first, count } = randomRange(random);
  const args = [address(first), length(count), BigInt(MADV_DONTNEED)];
  return operation("madvise", SYS_MADVISE, args, space.dontNeed(first, count));
};

const move: Maker = (random, space) => {
  const from = random.below(REGION_PAGES);
  const { first: to, count } = randomRange(random);
  const flags = BigInt(MREMAP_MAYMOVE | MREMAP_FIXED);
  const args = [address(from), length(1), length(count), flags, address(to)];
  return operation("mremap", SYS_MREMAP, args, space.move(from, to, count));
};

const shrink: Maker = (random, space) => {
  const { first, count } = randomRange(random);
  if (count < 2 || !space.isMapped(first, count)) return undefined;
  const newCount = random.between(1, count - 1);
  const args = [address(first), length(count), length(newCount), 0n];
  return operation("mremap", SYS_MREMAP, args, space.shrink(first, count, newCount));
};

const store: Maker = (random, space) => {
  const index = random.below(REGION_PAGES);
  if (((space.page(index)?.prot ?? 0) & PROT_WRITE) === 0) return undefined;
  const value = random.next64();
  space.store(index, value);
  return { text: `page ${index} = 0x${value.toString(16)}`, call: 0, args: [address(index), value], result: 0 };
};

const REFUSED: readonly ((random: Random) => Operation)[] = [
  (random) => operation("munmap", SYS_MUNMAP, [address(randomRange(random).first) + 1n, length(1)], -22),
  (random) => operation("munmap", SYS_MUNMAP, [address(randomRange(random).first), 0n], -22),
  (random) => operation("mprotect", SYS_MPROTECT, [address(randomRange(random).first) + 8n, length(1), 1n], -22),
  (random) => operation("mmap", SYS_MMAP, [address(randomRange(random).first), 0n, 3n, 0x32n, -1n, 0n], -22),
  (random) => operation("mmap", SYS_MMAP, [address(randomRange(random).first) + 8n, 4096n, 3n, 0x32n, -1n, 0n], -22),
  () => operation("mmap", SYS_MMAP, [0n, 4096n, 3n, BigInt(MAP_ANONYMOUS), -1n, 0n], -22),
  () => operation("mmap", SYS_MMAP, [0n, 4096n, 3n, BigInt(MAP_SHARED), -1n, 0n], -9),
  (random) => operation("madvise", SYS_MADVISE, [address(randomRange(random).first), length(1), 99n], -22),
  (random) => operation("mremap", SYS_MREMAP, [address(randomRange(random).first) + 4n, length(1), length(1), 0n], -22),
];

const refused: Maker = (random) => random.pick(REFUSED)(random);

const MAKERS: readonly Maker[] = [mapFixed, mapFixed, mapNoReplace, unmap, protect, protect, dontNeed, move, shrink];
const ALL: readonly Maker[] = [...MAKERS, refused, store, store, store, store, store, store];

export function randomOperations(random: Random, space: AddressSpace, count: number): Operation[] {
  const operations: Operation[] = [];
  while (operations.length < count) {
    const made = random.pick(ALL)(random, space);
    if (made !== undefined) operations.push(made);
  }
  return operations;
}
