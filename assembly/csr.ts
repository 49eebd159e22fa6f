// Control and status registers (Zicsr): those of user mode. All others are illegal instructions.

import { FFLAGS_MASK, getFflags, getFrm, setFflags, setFrm } from "./float/status.ts";
import { hart } from "./hart.ts";
import { HART_INSTRET, HART_TIME_NS } from "./layout.ts";
import { retiredInRun } from "./execute/position.ts";

const CSR_FFLAGS: u32 = 0x001;
const CSR_FRM: u32 = 0x002;
const CSR_FCSR: u32 = 0x003;
const CSR_CYCLE: u32 = 0xc00;
const CSR_TIME: u32 = 0xc01;
const CSR_INSTRET: u32 = 0xc02;

const FRM_SHIFT: u32 = 5;

/** Whether this hart may read the register, and write it if the instruction would. */
export function csrAllowed(csr: u32, writes: bool): bool {
  if (csr >= CSR_FFLAGS && csr <= CSR_FCSR) return true;
  return csr >= CSR_CYCLE && csr <= CSR_INSTRET && !writes;
}

/** csrrw: returns the old value. */
export function csrWrite(csr: u32, value: u64): u64 {
  const old = csrRead(csr);
  csrStore(csr, <u32>value);
  return old;
}

/** csrrs */
export function csrSet(csr: u32, bits: u64): u64 {
  const old = csrRead(csr);
  if (bits != 0) csrStore(csr, <u32>(old | bits));
  return old;
}

/** csrrc */
export function csrClear(csr: u32, bits: u64): u64 {
  const old = csrRead(csr);
  if (bits != 0) csrStore(csr, <u32>(old & ~bits));
  return old;
}

function csrRead(csr: u32): u64 {
  switch (csr) {
    case CSR_FFLAGS: return getFflags();
    case CSR_FRM: return getFrm();
    case CSR_FCSR: return fcsr();
    case CSR_TIME: return time();
    default: return load<u64>(hart, HART_INSTRET) + retiredInRun(); // a cycle is an instruction
  }
}

function csrStore(csr: u32, value: u32): void {
  switch (csr) {
    case CSR_FFLAGS: setFflags(value); break;
    case CSR_FRM: setFrm(value); break;
    case CSR_FCSR: setFcsr(value); break;
  }
}

export function fcsr(): u32 {
  return (getFrm() << FRM_SHIFT) | getFflags();
}

/** The bits above frm are reserved: written values are ignored. */
export function setFcsr(value: u32): void {
  setFflags(value & FFLAGS_MASK);
  setFrm(value >>> FRM_SHIFT);
}

/**
 * In ns. The kernel gives the time at which run() began; in between it creeps with the instructions, so that two reads
 * differ, but slower than any host runs them, so that it never goes back.
 */
function time(): u64 {
  return load<u64>(hart, HART_TIME_NS) + (retiredInRun() >> 2);
}
