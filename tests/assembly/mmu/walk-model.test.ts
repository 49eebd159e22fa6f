// The walker against the model of model.ts: every combination of the low PTE bits, then random page tables.
// Replay a failure: SEED=n npx vitest run --config tests/vitest.config.ts tests/assembly/mmu/walk-model.test.ts

import { expect, test } from "vitest";
import {
  COUNTER_PTW,
  OPTION_PWC,
  OPTION_TRAP_AD,
  PAGE_BYTES,
  PRIV_SUPERVISOR,
  PRIV_USER,
  PTE_COUNT,
  PTE_G,
  PTE_V,
  RAM_BASE,
  RAM_PFN_BASE,
} from "../../../assembly/layout.ts";
import {
  ACCESS_FAULT_CAUSE,
  ACCESSES,
  NO_CAUSE,
  PAGE_FAULT_CAUSE,
  RAM_FRAMES,
  Random,
  seedOf,
  TestHart,
} from "./machine.ts";
import { type ModelMachine, type ModelResult, translate } from "./model.ts";

const RAM_END = BigInt(RAM_BASE + RAM_FRAMES * PAGE_BYTES);

/** The model on a copy-on-write view of the same memory, so that the walker finds the tables untouched. */
class Overlay implements ModelMachine {
  readonly written = new Map<bigint, bigint>();
  readonly #hart: TestHart;
  privilege: number;
  trapAccessedDirty: boolean;

  constructor(hart: TestHart, privilege: number, trapAccessedDirty: boolean) {
    this.#hart = hart;
    this.privilege = privilege;
    this.trapAccessedDirty = trapAccessedDirty;
  }

  get rootPpn(): bigint {
    return BigInt(this.#hart.root);
  }
  isRam(pa: bigint): boolean {
    return pa >= BigInt(RAM_BASE) && pa < RAM_END;
  }
  read(pa: bigint): bigint {
    return this.written.get(pa) ?? this.#hart.doubles[Number(pa >> 3n)];
  }
  write(pa: bigint, pte: bigint): void {
    this.written.set(pa, pte);
  }
}

/** How often each outcome was seen: a random test that never reaches one proves nothing about it. */
const outcomes = new Map<string, number>();

/** One walk on both sides; a string that describes the difference, or "". */
function difference(hart: TestHart, privilege: number, trapAccessedDirty: boolean, va: bigint, access: number): string {
  const model = new Overlay(hart, privilege, trapAccessedDirty);
  const expected: ModelResult = translate(model, va, access);
  const outcome = expected.fault ?? `level ${expected.level}`;
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  let frame = 0;
  const cause = hart.causeOf(() => {
    frame = hart.exports.walk(va, access) >>> 0;
  });
  if (expected.fault !== undefined) {
    const expectedCause = (expected.fault === "page" ? PAGE_FAULT_CAUSE : ACCESS_FAULT_CAUSE)[access];
    if (cause !== expectedCause) return `cause ${cause}, expected ${expectedCause}`;
    if (frame !== 0) return `frame ${frame} after a fault`;
    if (hart.tval !== va) return `tval ${hart.tval.toString(16)}`;
  } else {
    if (cause !== NO_CAUSE) return `cause ${cause}, expected none`;
    const expectedFrame = expected.pa & ~0xfffn;
    if (BigInt(frame) !== expectedFrame) return `frame ${frame.toString(16)}, expected ${expectedFrame.toString(16)}`;
    const level = hart.exports.walkLevel.value as number;
    if (level !== expected.level) return `level ${level}, expected ${expected.level}`;
    const global = ((hart.exports.walkLeaf.value as number) & PTE_G) !== 0;
    if (global !== expected.global) return `global ${global}`;
  }
  for (const [pa, pte] of model.written) {
    const stored = hart.doubles[Number(pa >> 3n)];
    if (stored !== pte) return `PTE at ${pa.toString(16)} is ${stored.toString(16)}, expected ${pte.toString(16)}`;
  }
  return "";
}

test("every combination of the ten low bits, at each level, privilege, access and A/D mode", () => {
  let cases = 0;
  const wrong: string[] = [];
  for (const trapAccessedDirty of [false, true]) {
    const hart = new TestHart({ machineOptions: trapAccessedDirty ? OPTION_TRAP_AD : 0 });
    const va = 0x12_1845_6000n; // its low 30 bits are an address in RAM: a 1 GiB leaf at 0 reaches it
    for (const level of [0, 1, 2]) {
      hart.root = hart.frame();
      const address = hart.pteAddress(va, level);
      const pfn = [BigInt(RAM_PFN_BASE + 77), BigInt(RAM_PFN_BASE + 1024), 0n][level];
      for (const privilege of [PRIV_USER, PRIV_SUPERVISOR]) {
        hart.switchTo(hart.root, 0, privilege);
        for (let flags = 0; flags < 1024; flags++) {
          for (const access of ACCESSES) {
            hart.doubles[address >>> 3] = (pfn << 10n) | BigInt(flags);
            const text = difference(hart, privilege, trapAccessedDirty, va, access);
            if (text !== "")
              wrong.push(`level ${level} priv ${privilege} flags ${flags.toString(2)} ${access}: ${text}`);
            cases++;
          }
        }
      }
    }
  }
  console.log(`walk, exhaustive low bits: ${cases} cases`);
  expect(wrong.slice(0, 5)).toEqual([]);
});

test("each bit of the high half of a PTE, pointer or leaf", () => {
  const hart = new TestHart();
  const va = 0x2a_0000_5000n;
  const wrong: string[] = [];
  for (const level of [0, 1, 2]) {
    hart.root = hart.frame();
    const address = hart.pteAddress(va, level);
    hart.switchTo(hart.root);
    for (let bit = 10; bit < 64; bit++) {
      for (const low of [PTE_V, 0xdf]) {
        for (const access of ACCESSES) {
          hart.doubles[address >>> 3] = BigInt(low) | (1n << BigInt(bit)) | (BigInt(RAM_PFN_BASE) << 10n);
          const text = difference(hart, PRIV_USER, false, va, access);
          if (text !== "") wrong.push(`level ${level} bit ${bit} low ${low} access ${access}: ${text}`);
        }
      }
    }
  }
  expect(wrong.slice(0, 5)).toEqual([]);
});

/** Fills `count` frames with PTEs that are mostly plausible and point mostly at each other. */
function randomTables(hart: TestHart, random: Random, frames: number[]): void {
  for (const frame of frames) {
    for (let i = 0; i < PTE_COUNT; i++) {
      hart.doubles[((frame * PAGE_BYTES) >>> 3) + i] = random.chance(20) ? 0n : randomPte(random, frames);
    }
  }
}

function randomPte(random: Random, frames: number[]): bigint {
  let pfn = BigInt(random.pick(frames));
  if (random.chance(15)) pfn = BigInt(RAM_PFN_BASE + random.below(RAM_FRAMES + 64));
  if (random.chance(30)) pfn &= random.chance(50) ? ~0x1ffn : ~0x3ffffn; // aligned superpages
  if (random.chance(3)) pfn = BigInt(random.below(RAM_PFN_BASE));
  if (random.chance(2)) pfn |= 1n << BigInt(20 + random.below(24));
  let flags = random.chance(45)
    ? PTE_V | (random.chance(20) ? PTE_G : 0)
    : random.below(1024) | (random.chance(80) ? PTE_V : 0);
  if (random.chance(10)) flags |= random.below(1024);
  const high = random.chance(3) ? 1n << BigInt(54 + random.below(10)) : 0n;
  return high | (pfn << 10n) | BigInt(flags);
}

function randomVa(random: Random): bigint {
  let va = BigInt.asUintN(64, BigInt.asIntN(39, random.bits64()));
  // A 1 GiB leaf at 0 reaches RAM only at these offsets.
  if (random.chance(30)) va = (va & ~0x3fff_ffffn) | BigInt(RAM_BASE + random.below(RAM_FRAMES * PAGE_BYTES));
  return random.chance(5) ? va ^ (1n << BigInt(38 + random.below(26))) : va;
}

test.each([
  ["hardware A/D", 0],
  ["trapping A/D", OPTION_TRAP_AD],
])("random page tables: %s", (title, machineOptions) => {
  const seed = seedOf(`walk, random tables, ${title}`);
  const random = new Random(seed);
  const hart = new TestHart({ machineOptions });
  const frames = Array.from({ length: 12 }, () => hart.frame());
  let walks = 0;
  outcomes.clear();
  for (let round = 0; round < 40; round++) {
    randomTables(hart, random, frames);
    const privilege = random.chance(70) ? PRIV_USER : PRIV_SUPERVISOR;
    hart.switchTo(random.pick(frames), 0, privilege);
    for (let i = 0; i < 1000; i++) {
      const va = randomVa(random);
      const access = random.below(3);
      const text = difference(hart, privilege, machineOptions !== 0, va, access);
      expect(text, `SEED=${seed} round ${round} va ${va.toString(16)} access ${access}`).toBe("");
      walks++;
    }
  }
  expect(hart.counter(COUNTER_PTW)).toBe(walks);
  for (const outcome of ["page", "access", "level 0", "level 1", "level 2"]) {
    expect(outcomes.get(outcome) ?? 0, `SEED=${seed} outcome ${outcome}`).toBeGreaterThan(20);
  }
});

test("the page-walk cache changes no answer on tables that do not change", () => {
  const seed = seedOf("walk, random tables, page-walk cache");
  const random = new Random(seed);
  const hart = new TestHart({ machineOptions: OPTION_PWC });
  const frames = Array.from({ length: 12 }, () => hart.frame());
  for (let round = 0; round < 20; round++) {
    randomTables(hart, random, frames);
    hart.switchTo(random.pick(frames), random.below(4));
    hart.exports.flushAll();
    const neighbourhood = Array.from({ length: 20 }, () => randomVa(random));
    for (let i = 0; i < 1000; i++) {
      const va = random.pick(neighbourhood) ^ BigInt(random.below(1 << 22));
      const text = difference(hart, PRIV_USER, false, va, random.below(3));
      expect(text, `SEED=${seed} round ${round} va ${va.toString(16)}`).toBe("");
    }
  }
});
