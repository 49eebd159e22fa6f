// The Sv39 translation of the RISC-V privileged manual ("Virtual Address Translation Process"), step by step, in the
// slowest and plainest way. It shares nothing with the walker but the numbers of layout.ts.

import {
  ACCESS_FETCH,
  ACCESS_LOAD,
  ACCESS_STORE,
  PRIV_USER,
  PTE_A,
  PTE_D,
  PTE_G,
  PTE_R,
  PTE_U,
  PTE_V,
  PTE_W,
  PTE_X,
} from "../../../assembly/layout.ts";

const LEVELS = 3;
const PAGESIZE = 4096n;
const PTESIZE = 8n;

export interface ModelMachine {
  read(pa: bigint): bigint;
  write(pa: bigint, pte: bigint): void;
  /** Physical memory attributes: only RAM can be accessed. */
  isRam(pa: bigint): boolean;
  rootPpn: bigint;
  privilege: number;
  /** A and D are not set by hardware (Svade). */
  trapAccessedDirty: boolean;
}

export type ModelResult =
  | { fault: "page" | "access" }
  | { fault: undefined; pa: bigint; level: number; global: boolean; pteAddress: bigint };

const has = (pte: bigint, bit: number) => (pte & BigInt(bit)) !== 0n;

export function translate(machine: ModelMachine, va: bigint, access: number): ModelResult {
  // "bits 63-39 must all be equal to bit 38, or else a page-fault exception will occur"
  if (BigInt.asUintN(64, BigInt.asIntN(39, va)) !== va) return { fault: "page" };
  const vpn = (i: number) => (va >> BigInt(12 + 9 * i)) & 0x1ffn;

  let a = machine.rootPpn * PAGESIZE; // 1
  let i = LEVELS - 1;
  let global = false;
  for (;;) {
    const address = a + vpn(i) * PTESIZE; // 2
    if (!machine.isRam(address)) return { fault: "access" };
    let pte = machine.read(address);

    // 3: not valid, W without R, or anything reserved: bits 60-54, PBMT and N without their extensions
    if (!has(pte, PTE_V)) return { fault: "page" };
    if (!has(pte, PTE_R) && has(pte, PTE_W)) return { fault: "page" };
    if (pte >> 54n !== 0n) return { fault: "page" };
    const ppn = (pte >> 10n) & ((1n << 44n) - 1n);
    global ||= has(pte, PTE_G);

    if (!has(pte, PTE_R) && !has(pte, PTE_X)) {
      // 4: a pointer, for which A, D and U are reserved
      if (has(pte, PTE_A) || has(pte, PTE_D) || has(pte, PTE_U)) return { fault: "page" };
      i--;
      if (i < 0) return { fault: "page" };
      a = ppn * PAGESIZE;
      continue;
    }
    // 5-8: privilege (SUM = 0), permission (MXR = 0), misaligned superpage
    if (machine.privilege === PRIV_USER && !has(pte, PTE_U)) return { fault: "page" };
    if (machine.privilege !== PRIV_USER && has(pte, PTE_U)) return { fault: "page" };
    if (access === ACCESS_LOAD && !has(pte, PTE_R)) return { fault: "page" };
    if (access === ACCESS_STORE && !has(pte, PTE_W)) return { fault: "page" };
    if (access === ACCESS_FETCH && !has(pte, PTE_X)) return { fault: "page" };
    if (ppn % (1n << BigInt(9 * i)) !== 0n) return { fault: "page" };

    // 9: accessed and dirty
    if (!has(pte, PTE_A) || (access === ACCESS_STORE && !has(pte, PTE_D))) {
      if (machine.trapAccessedDirty) return { fault: "page" };
      pte |= BigInt(PTE_A) | (access === ACCESS_STORE ? BigInt(PTE_D) : 0n);
      machine.write(address, pte);
    }
    // 10
    const leafBytes = PAGESIZE << BigInt(9 * i);
    const pa = ppn * PAGESIZE + (va % leafBytes);
    if (!machine.isRam(pa)) return { fault: "access" };
    return { fault: undefined, pa, level: i, global, pteAddress: address };
  }
}
