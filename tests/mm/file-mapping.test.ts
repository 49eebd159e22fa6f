// Areas that map a file: what faults find, what truncation leaves, who sees whose writes.

import { beforeEach, describe, expect, test } from "vitest";
import {
  ACCESS_LOAD,
  ACCESS_STORE,
  MAPPING_HOST_FILE,
  MAPPING_SHMEM,
  PAGE_BYTES,
  VM_MAYWRITE,
  VM_SHARED,
} from "../../assembly/layout.ts";
import { EACCES, EFAULT, EINVAL, ENODEV, EOPNOTSUPP, EPERM } from "../../host/memory/errno.ts";
import { doMadvise } from "../../host/mm/call/madvise.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { doMremap } from "../../host/mm/call/mremap.ts";
import { doMunmap } from "../../host/mm/call/munmap.ts";
import { checkMm } from "../../host/mm/check-mm.ts";
import { dupMm } from "../../host/mm/dup-mmap.ts";
import { FAULT_BUS, FAULT_OK } from "../../host/mm/fault/fault-outcome.ts";
import type { MappedFile } from "../../host/mm/mapping/mapped-file.ts";
import { mappingBytes, mappingCreate, mappingPut } from "../../host/mm/mapping/mapping.ts";
import { mappingPunch, mappingRead, mappingTruncate, mappingWrite } from "../../host/mm/mapping/mapping-io.ts";
import { addSeals } from "../../host/mm/mapping/seals.ts";
import { mmput } from "../../host/mm/mm.ts";
import {
  F_SEAL_GROW,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  MADV_REMOVE,
  MAP_FIXED,
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MREMAP_MAYMOVE,
  PROT_READ,
  PROT_WRITE,
} from "../../host/mm/uapi.ts";
import { MmMachine } from "./harness.ts";

const BASE = 0x1000_0000;
const OTHER = 0x1800_0000;
const RW = PROT_READ | PROT_WRITE;
let machine: MmMachine;
let mapping: number;
let counted: number;
let reads: number[];

beforeEach(() => {
  machine = new MmMachine();
  machine.start();
  counted = 0;
  reads = [];
  machine.hart.fileHooks = { get: () => counted++, put: () => counted-- };
  machine.hart.pageIo = { readPage };
  mapping = mappingCreate(machine.hart, MAPPING_SHMEM, 4 * PAGE_BYTES);
  return () => {
    mappingPut(machine.hart, mapping);
    expect(machine.finish()).toEqual([]);
    expect(counted).toBe(0);
  };
});

/** A host file of 2.5 pages whose every word tells its position. */
function readPage(_: unknown, host: number, index: number, address: number): number {
  expect(host).toBe(0);
  reads.push(index);
  const bytes = Math.min(PAGE_BYTES, 2.5 * PAGE_BYTES - index * PAGE_BYTES);
  for (let at = 0; at < bytes; at += 4) machine.shared.set(address + at, index * PAGE_BYTES + at + 1);
  return bytes;
}

function useHostFile(): void {
  mappingPut(machine.hart, mapping);
  mapping = mappingCreate(machine.hart, MAPPING_HOST_FILE, 2.5 * PAGE_BYTES);
}

function file(changes: Partial<MappedFile> = {}): MappedFile {
  return { file: 77, mapping, canRead: true, canWrite: true, isAppend: false, isNoexec: false, ...changes };
}

function map(prot: number, flags: number, pages = 4, va = BASE, pgoff = 0, source = file()): number {
  return doMmap(machine.hart, machine.mm, va, pages * PAGE_BYTES, prot, flags | MAP_FIXED, pgoff, source);
}

function write(position: number, word: number): void {
  const scratch = machine.hart.base + 640;
  machine.shared.set(scratch, word);
  expect(mappingWrite(machine.hart, mapping, position, scratch, 4)).toBe(4);
}

function read(position: number): number {
  const scratch = machine.hart.base + 640;
  expect(mappingRead(machine.hart, mapping, position, scratch, 4)).toBe(4);
  return machine.shared.get(scratch);
}

test("a shared mapping, the file's read and write, and a second mapping see the same bytes", () => {
  expect(map(RW, MAP_SHARED)).toBe(BASE);
  expect(map(PROT_READ, MAP_SHARED, 2, OTHER, 1)).toBe(OTHER);
  write(PAGE_BYTES, 7);
  expect(machine.load(BASE + PAGE_BYTES)).toBe(7);
  expect(machine.store(BASE + PAGE_BYTES, 8)).toBe(0);
  expect([read(PAGE_BYTES), machine.load(OTHER)]).toEqual([8, 8]);
  expect(machine.store(OTHER, 9)).toBe(-EFAULT);
});

test("a private mapping reads the file until it writes, and then keeps its own page", () => {
  map(RW, MAP_PRIVATE);
  write(0, 1);
  expect(machine.load(BASE)).toBe(1);
  write(0, 2);
  expect(machine.load(BASE)).toBe(2);
  machine.store(BASE, 3);
  write(0, 4);
  expect([machine.load(BASE), read(0)]).toEqual([3, 4]);
  machine.store(BASE + PAGE_BYTES, 5); // its first access is the write
  expect([machine.load(BASE + PAGE_BYTES), read(PAGE_BYTES)]).toEqual([5, 0]);
});

test("pages of the host are read once, zeroed behind the end of the file, and SIGBUS beyond it", () => {
  useHostFile();
  map(RW, MAP_PRIVATE);
  map(PROT_READ, MAP_SHARED, 4, OTHER);
  expect(machine.load(BASE + 8)).toBe(9);
  expect(machine.load(OTHER + 8)).toBe(9);
  expect(machine.load(BASE + 2.5 * PAGE_BYTES - 4)).toBe(2.5 * PAGE_BYTES - 3);
  expect(machine.load(BASE + 2.5 * PAGE_BYTES)).toBe(0);
  expect(machine.fault(BASE + 3 * PAGE_BYTES, ACCESS_LOAD)).toBe(FAULT_BUS);
  expect(reads).toEqual([0, 2]);
});

test("a host that does not give the bytes is SIGBUS, and the next fault asks again", () => {
  useHostFile();
  map(PROT_READ, MAP_SHARED);
  machine.hart.pageIo = { readPage: () => -5 };
  expect(machine.fault(BASE, ACCESS_LOAD)).toBe(FAULT_BUS);
  machine.hart.pageIo = { readPage };
  expect(machine.fault(BASE, ACCESS_LOAD)).toBe(FAULT_OK);
});

test("what was cut off a host file does not come back when it grows again", () => {
  useHostFile();
  expect(mappingTruncate(machine.hart, mapping, 10)).toBe(0);
  expect(mappingTruncate(machine.hart, mapping, 3 * PAGE_BYTES)).toBe(0);
  map(PROT_READ, MAP_SHARED);
  expect([machine.load(BASE), machine.load(BASE + 12), machine.load(BASE + PAGE_BYTES)]).toEqual([1, 0, 0]);
  expect(mappingPunch(machine.hart, mapping, 0, PAGE_BYTES)).toBe(0);
  expect(machine.load(BASE)).toBe(0);
});

test("truncation takes pages and private copies out of every mapping, and zeroes the rest of the last page", () => {
  map(RW, MAP_SHARED);
  map(RW, MAP_PRIVATE, 4, OTHER);
  for (let page = 0; page < 4; page++) {
    machine.store(BASE + page * PAGE_BYTES + 400, 1 + page);
    machine.store(OTHER + page * PAGE_BYTES + 400, 11 + page);
  }
  expect(mappingTruncate(machine.hart, mapping, PAGE_BYTES + 100)).toBe(0);
  expect(machine.load(BASE + 400)).toBe(1);
  expect(machine.load(BASE + PAGE_BYTES + 400)).toBe(0);
  expect(machine.load(OTHER + PAGE_BYTES + 400)).toBe(12);
  for (const va of [BASE + 2 * PAGE_BYTES, BASE + 3 * PAGE_BYTES, OTHER + 2 * PAGE_BYTES]) {
    expect(machine.peek(va, machine.hart)).toBe(null);
    expect([machine.fault(va, ACCESS_LOAD), machine.fault(va, ACCESS_STORE)]).toEqual([FAULT_BUS, FAULT_BUS]);
  }
  expect(mappingTruncate(machine.hart, mapping, 4 * PAGE_BYTES)).toBe(0);
  expect([machine.load(BASE + 2 * PAGE_BYTES + 400), machine.load(OTHER + 2 * PAGE_BYTES + 400)]).toEqual([0, 0]);
});

test("truncation reaches the copies that fork made, in both processes", () => {
  map(RW, MAP_PRIVATE);
  machine.store(BASE + PAGE_BYTES, 5);
  const child = dupMm(machine.hart, machine.mm);
  expect(mappingTruncate(machine.hart, mapping, PAGE_BYTES)).toBe(0);
  expect(machine.peek(BASE + PAGE_BYTES, machine.hart)).toBe(null);
  expect(checkMm(machine.hart, child)).toEqual([]);
  mmput(machine.hart, child);
});

test("MADV_REMOVE punches a hole for everybody and leaves private copies", () => {
  map(RW, MAP_SHARED);
  map(RW, MAP_PRIVATE, 4, OTHER);
  machine.store(BASE + PAGE_BYTES, 1);
  machine.store(OTHER + 2 * PAGE_BYTES, 2);
  machine.load(OTHER + PAGE_BYTES);
  expect(doMadvise(machine.hart, machine.mm, BASE + PAGE_BYTES, 2 * PAGE_BYTES, MADV_REMOVE)).toBe(0);
  expect([machine.load(BASE + PAGE_BYTES), machine.load(OTHER + PAGE_BYTES)]).toEqual([0, 0]);
  expect(machine.load(OTHER + 2 * PAGE_BYTES)).toBe(2);
  expect(mappingBytes(machine.hart, mapping)).toBe(4 * PAGE_BYTES);
  expect(doMadvise(machine.hart, machine.mm, OTHER, PAGE_BYTES, MADV_REMOVE)).toBe(-EACCES);
});

test("a moved, split and shrunk mapping still shows the right pages, and truncation finds them", () => {
  map(RW, MAP_SHARED);
  for (let page = 0; page < 4; page++) machine.store(BASE + page * PAGE_BYTES, page + 1);
  const moved = doMremap(machine.hart, machine.mm, BASE, 4 * PAGE_BYTES, 4 * PAGE_BYTES, MREMAP_MAYMOVE | 2, OTHER);
  expect(moved).toBe(OTHER);
  doMunmap(machine.hart, machine.mm, OTHER + PAGE_BYTES, PAGE_BYTES);
  expect([0, 2, 3].map((page) => machine.load(OTHER + page * PAGE_BYTES))).toEqual([1, 3, 4]);
  mappingTruncate(machine.hart, mapping, 3 * PAGE_BYTES);
  expect(machine.peek(OTHER + 3 * PAGE_BYTES, machine.hart)).toBe(null);
  expect(machine.load(OTHER + 2 * PAGE_BYTES)).toBe(3);
});

describe("mmap refuses", () => {
  test.each([
    ["a file that is not open for reading", PROT_READ, MAP_SHARED, { canRead: false }, EACCES],
    ["writing through a file that is not open for writing", RW, MAP_SHARED, { canWrite: false }, EACCES],
    ["writing through a file that only grows", RW, MAP_SHARED, { isAppend: true }, EACCES],
    ["a file without pages", PROT_READ, MAP_PRIVATE, { mapping: 0 }, ENODEV],
    ["code from where none may run", PROT_READ | 4, MAP_PRIVATE, { isNoexec: true }, EPERM],
    ["unknown flags, if asked to look at them", PROT_READ, MAP_SHARED_VALIDATE | 0x2000000, {}, EOPNOTSUPP],
    ["neither shared nor private", PROT_READ, 0, {}, EINVAL],
  ])("%s", (_, prot, flags, changes, errno) => {
    expect(map(prot, flags, 4, BASE, 0, file(changes))).toBe(-errno);
  });
});

test("private writing needs no file open for writing, and a shared mapping of one can never become writable", () => {
  expect(map(RW, MAP_PRIVATE, 4, BASE, 0, file({ canWrite: false }))).toBe(BASE);
  expect(machine.store(BASE, 1)).toBe(0);
  map(PROT_READ, MAP_SHARED, 4, OTHER, 0, file({ canWrite: false }));
  const area = machine.vmas().find(({ start }) => start === OTHER / PAGE_BYTES);
  expect((area?.flags ?? 0) & (VM_SHARED | VM_MAYWRITE)).toBe(0);
});

test("seals forbid what they name, and F_SEAL_WRITE waits for the last writable mapping", () => {
  map(RW, MAP_SHARED);
  expect(addSeals(machine.hart, mapping, F_SEAL_WRITE)).toBe(-16);
  doMunmap(machine.hart, machine.mm, BASE, 4 * PAGE_BYTES);
  expect(addSeals(machine.hart, mapping, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)).toBe(0);
  expect(map(RW, MAP_SHARED)).toBe(-EPERM);
  expect(map(RW, MAP_PRIVATE)).toBe(BASE);
  expect(mappingTruncate(machine.hart, mapping, 1)).toBe(-EPERM);
  expect(mappingTruncate(machine.hart, mapping, 5 * PAGE_BYTES)).toBe(-EPERM);
  expect(mappingWrite(machine.hart, mapping, 0, machine.hart.base + 640, 4)).toBe(-EPERM);
  expect(addSeals(machine.hart, mapping, 1)).toBe(0);
  expect(addSeals(machine.hart, mapping, F_SEAL_GROW)).toBe(-EPERM);
});
