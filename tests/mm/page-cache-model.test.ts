// The contents of a file against a plain array: written and read by calls and through a shared mapping, cut, extended,
// punched and pushed out of memory in any order. Of memory alone, and of a host's file that is never written to.

import { expect, test } from "vitest";
import { HART_BUFFER, MAPPING_HOST_FILE, MAPPING_SHMEM, PAGE_BYTES, RAM_BYTES_MIN } from "../../assembly/layout.ts";
import { doMmap } from "../../host/mm/call/mmap.ts";
import { checkMms } from "../../host/mm/check-mm.ts";
import { mappingCreate, mappingPut } from "../../host/mm/mapping/mapping.ts";
import { mappingPunch, mappingRead, mappingTruncate, mappingWrite } from "../../host/mm/mapping/mapping-io.ts";
import { checkLru } from "../../host/mm/reclaim/check-lru.ts";
import { shrinkMemory } from "../../host/mm/reclaim/vmscan.ts";
import { MAP_FIXED, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../host/mm/uapi.ts";
import { seedFrom } from "../support/seeds.ts";
import { MmMachine } from "./harness.ts";

const SEED = seedFrom("PAGE_CACHE_SEED");
const STEPS = 3000;
const PAGES = 24;
const END = PAGES * PAGE_BYTES;
const BASE = 0x1000_0000;
const PIECE_MAX = 3 * PAGE_BYTES;

class Model {
  readonly machine = new MmMachine(2, RAM_BYTES_MIN);
  readonly mapping: number;
  readonly scratch: number;
  bytes: Uint8Array;
  #state: number;

  constructor(kind: number, seed: number) {
    const { machine } = this;
    this.#state = seed | 1;
    machine.useSwap(1000);
    machine.start();
    this.scratch = machine.hart.base + HART_BUFFER;
    this.bytes = new Uint8Array(kind === MAPPING_HOST_FILE ? END : 0);
    for (let i = 0; i < this.bytes.length; i++) this.bytes[i] = hostByte(i);
    machine.hart.pageIo = {
      readPage: (_, _host, index, address) => {
        for (let i = 0; i < PAGE_BYTES; i++) machine.shared.u8[address + i] = hostByte(index * PAGE_BYTES + i);
        return PAGE_BYTES;
      },
    };
    this.mapping = mappingCreate(machine.hart, kind, this.bytes.length);
    const source = { file: 0, mapping: this.mapping, canRead: true, canWrite: true, isAppend: false, isNoexec: false };
    const flags = MAP_SHARED | MAP_FIXED;
    expect(doMmap(machine.hart, machine.mm, BASE, END, PROT_READ | PROT_WRITE, flags, 0, source)).toBe(BASE);
  }

  random(below: number): number {
    this.#state = Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return ((this.#state ^ (this.#state >>> 13)) >>> 0) % below;
  }

  step(): void {
    const { machine } = this;
    const position = this.random(END);
    switch (this.random(9)) {
      case 0:
      case 1:
        this.#write(position, 1 + this.random(Math.min(PIECE_MAX, END - position)));
        break;
      case 2:
      case 3:
        this.read(position, 1 + this.random(PIECE_MAX));
        break;
      case 4:
        this.#truncate(position);
        break;
      case 5:
        this.#punch(position, 1 + this.random(PIECE_MAX));
        break;
      case 6:
        shrinkMemory(machine.hart, 1 + this.random(PAGES));
        break;
      default:
        this.#touch(position & ~3);
    }
  }

  read(position: number, bytes: number): void {
    const { machine, scratch } = this;
    const expected = this.bytes.subarray(position, position + bytes);
    expect(mappingRead(machine.hart, this.mapping, position, scratch, bytes)).toBe(expected.length);
    expect(
      Buffer.compare(machine.shared.u8.subarray(scratch, scratch + expected.length), expected),
      `${position}`,
    ).toBe(0);
  }

  #write(position: number, bytes: number): void {
    const { machine, scratch } = this;
    const value = this.random(256);
    machine.shared.u8.fill(value, scratch, scratch + bytes);
    expect(mappingWrite(machine.hart, this.mapping, position, scratch, bytes)).toBe(bytes);
    if (position + bytes > this.bytes.length) this.#resize(position + bytes);
    this.bytes.fill(value, position, position + bytes);
  }

  #truncate(bytes: number): void {
    expect(mappingTruncate(this.machine.hart, this.mapping, bytes)).toBe(0);
    this.#resize(bytes);
  }

  #punch(position: number, bytes: number): void {
    expect(mappingPunch(this.machine.hart, this.mapping, position, bytes)).toBe(0);
    this.bytes.fill(0, position, position + bytes);
  }

  /** A load and a store through the mapping; beyond the page in which the file ends there is nothing. */
  #touch(position: number): void {
    const { machine } = this;
    const isThere = position < Math.ceil(this.bytes.length / PAGE_BYTES) * PAGE_BYTES;
    const found = machine.load(BASE + position);
    if (!isThere) {
      expect(found, `${position}`).toBeLessThan(0);
      return;
    }
    if (position + 4 > this.bytes.length) return; // what is stored there is nobody's
    const view = new DataView(this.bytes.buffer, position, 4);
    expect(found, `${position}`).toBe(view.getUint32(0, true));
    view.setUint32(0, this.random(2 ** 31), true);
    expect(machine.store(BASE + position, view.getUint32(0, true))).toBe(0);
  }

  #resize(bytes: number): void {
    const old = this.bytes;
    this.bytes = new Uint8Array(bytes);
    this.bytes.set(old.subarray(0, bytes));
  }
}

function hostByte(position: number): number {
  return (position * 7 + (position >>> 12) * 31) & 255;
}

test.each([
  ["memory", MAPPING_SHMEM],
  ["a host's file", MAPPING_HOST_FILE],
])(`pages of %s are like an array (PAGE_CACHE_SEED=${SEED} replays)`, (_, kind) => {
  const model = new Model(kind, SEED);
  const { machine } = model;
  for (let step = 0; step < STEPS; step++) {
    model.step();
    if (step % 100 !== 0) continue;
    for (let page = 0; page < PAGES; page++) model.read(page * PAGE_BYTES, PAGE_BYTES);
    expect(checkLru(machine.hart)).toEqual([]);
    expect(checkMms(machine.hart, [machine.mm])).toEqual([]);
  }
  mappingPut(machine.hart, model.mapping);
  expect(machine.finish()).toEqual([]);
});
