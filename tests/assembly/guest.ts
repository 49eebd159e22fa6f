// One hart of the built core with a few mapped pages: what a kernel would set up, without a kernel.

import { readFileSync } from "node:fs";
import {
  CAUSE_ECALL_U,
  DECODE_PAGE_BYTES,
  EXIT_TRAP,
  HART_BASE,
  HART_CAUSE,
  HART_COUNTERS,
  HART_DECODE_BASE,
  HART_DECODE_PAGES,
  HART_DOORBELL,
  HART_F,
  HART_FCSR,
  HART_INSTRET,
  HART_PC,
  HART_RAM_END,
  HART_SATP_ROOT,
  HART_TLB_ENTRIES,
  HART_TVAL,
  HART_X,
  PAGE_BASE,
  PAGE_BYTES,
  PAGE_CODE_GENERATION,
  PAGE_STRUCT_BYTES,
  PTE_A,
  PTE_D,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_U,
  PTE_V,
  PTE_W,
  PTE_X,
  RAM_BASE,
  RAM_PFN_BASE,
} from "../../assembly/layout.ts";

interface CoreExports {
  bind(hart: number): void;
  reset(): void;
  run(budgetInstrs: number): number;
  fenceI(): void;
  flushAll(): void;
}

export const CODE = 0x10000; // two pages, executable and writable
export const DATA = 0x40000; // two pages
export const ECALL = 0x00000073;

const RAM_FRAMES = 1024;
const RAM_END = RAM_BASE + RAM_FRAMES * PAGE_BYTES;
const DECODE_PAGES = 8;
const DATA_FLAGS = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
export const CODE_FLAGS = DATA_FLAGS | PTE_X;
const core = new WebAssembly.Module(readFileSync(new URL("../../build/core.wasm", import.meta.url)));

export class Guest {
  readonly exports: CoreExports;
  readonly #bytes: DataView;
  readonly #root: number;
  #nextFrame = RAM_PFN_BASE;

  constructor() {
    const pages = (RAM_END >>> 16) + Math.ceil((DECODE_PAGES * DECODE_PAGE_BYTES) / 65536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#bytes = new DataView(memory.buffer);
    const imports = { env: { memory }, host: { fence: () => {} } };
    this.exports = new WebAssembly.Instance(core, imports).exports as unknown as CoreExports;
    this.#root = this.frame();
    this.setWord(HART_SATP_ROOT, this.#root);
    this.setWord(HART_TLB_ENTRIES, 64);
    this.setWord(HART_RAM_END, RAM_END);
    this.setWord(HART_DECODE_BASE, RAM_END);
    this.setWord(HART_DECODE_PAGES, DECODE_PAGES);
    for (const va of [CODE, CODE + PAGE_BYTES]) this.map(va, this.frame(), CODE_FLAGS);
    for (const va of [DATA, DATA + PAGE_BYTES]) this.map(va, this.frame(), DATA_FLAGS);
    this.exports.bind(HART_BASE);
    this.pc = CODE;
  }

  frame(): number {
    return this.#nextFrame++;
  }

  map(va: number, pfn: number, flags = CODE_FLAGS): void {
    this.#bytes.setBigUint64(this.#pteAddress(va), (BigInt(pfn) << BigInt(PTE_PPN_SHIFT)) | BigInt(flags), true);
  }

  unmap(va: number): void {
    this.#bytes.setBigUint64(this.#pteAddress(va), 0n, true);
    this.exports.flushAll();
  }

  #pteAddress(va: number): number {
    let table = this.#root;
    for (const shift of [30, 21]) {
      const address = table * PAGE_BYTES + ((va >>> shift) % 512) * 8;
      if (this.#bytes.getUint32(address, true) === 0) {
        this.#bytes.setUint32(address, (this.frame() << PTE_PPN_SHIFT) | PTE_V, true);
      }
      table = this.#bytes.getUint32(address, true) >>> PTE_PPN_SHIFT;
    }
    return table * PAGE_BYTES + ((va >>> 12) % 512) * 8;
  }

  /** Where the byte at va lies in the shared memory. */
  address(va: number): number {
    return (this.#bytes.getUint32(this.#pteAddress(va), true) >>> PTE_PPN_SHIFT) * PAGE_BYTES + (va % PAGE_BYTES);
  }

  /** Writes instructions from va on, as another hart or a loader would; returns the address behind them. */
  write(va: number, ...words: number[]): number {
    let at = va;
    for (const word of words) {
      for (let byte = 0; byte < ((word & 3) === 3 ? 4 : 2); byte++) {
        this.#bytes.setUint8(this.address(at++), (word >>> (8 * byte)) & 0xff);
      }
    }
    return at;
  }

  /** Bumps the generation of the frame at va, as the kernel does when it gets new contents. */
  bumpGeneration(va: number): void {
    const page = PAGE_BASE + (Math.floor(this.address(va) / PAGE_BYTES) - RAM_PFN_BASE) * PAGE_STRUCT_BYTES;
    this.#bytes.setUint32(
      page + PAGE_CODE_GENERATION,
      this.#bytes.getUint32(page + PAGE_CODE_GENERATION, true) + 1,
      true,
    );
  }

  /** Runs from va until a trap or exit, and returns the exit code. */
  run(va: number, budgetInstrs = 1_000_000): number {
    this.pc = va;
    return this.exports.run(budgetInstrs);
  }

  /** Runs until the ecall that must come. */
  runToEcall(va: number): void {
    const exit = this.run(va);
    if (exit !== EXIT_TRAP || this.cause !== CAUSE_ECALL_U) {
      throw new Error(
        `exit ${exit}, cause ${this.cause}, pc 0x${this.pc.toString(16)}, tval 0x${this.tval.toString(16)}`,
      );
    }
  }

  x(number: number): bigint {
    return this.#bytes.getBigUint64(HART_BASE + HART_X + number * 8, true);
  }

  setX(number: number, value: bigint | number): void {
    this.#bytes.setBigUint64(HART_BASE + HART_X + number * 8, BigInt.asUintN(64, BigInt(value)), true);
  }

  f(number: number): bigint {
    return this.#bytes.getBigUint64(HART_BASE + HART_F + number * 8, true);
  }

  setF(number: number, value: bigint): void {
    this.#bytes.setBigUint64(HART_BASE + HART_F + number * 8, value, true);
  }

  word(field: number): number {
    return this.#bytes.getUint32(HART_BASE + field, true);
  }

  setWord(field: number, value: number): void {
    this.#bytes.setUint32(HART_BASE + field, value, true);
  }

  loadByte(va: number): number {
    return this.#bytes.getUint8(this.address(va));
  }

  storeByte(va: number, value: number): void {
    this.#bytes.setUint8(this.address(va), value);
  }

  ring(): void {
    this.setWord(HART_DOORBELL, 1);
  }

  get pc(): number {
    return Number(this.wholePc);
  }

  get wholePc(): bigint {
    return this.#bytes.getBigUint64(HART_BASE + HART_PC, true);
  }

  set pc(va: number) {
    this.#bytes.setBigUint64(HART_BASE + HART_PC, BigInt(va), true);
  }

  get cause(): number {
    return this.word(HART_CAUSE);
  }

  get tval(): number {
    return Number(this.#bytes.getBigUint64(HART_BASE + HART_TVAL, true));
  }

  get instret(): number {
    return Number(this.#bytes.getBigUint64(HART_BASE + HART_INSTRET, true));
  }

  get fcsr(): number {
    return this.word(HART_FCSR);
  }

  counter(counter: number): number {
    return Number(this.#bytes.getBigUint64(HART_BASE + HART_COUNTERS + counter, true));
  }
}
