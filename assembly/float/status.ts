// The floating-point control and status register of this hart: fcsr = frm << 5 | fflags
// (RISC-V unprivileged manual, "F" extension, Floating-Point Control and Status Register).
// Module globals are private to the instance, and so to the hart.

// Accrued exception flags, with the manual's bit positions.
export const NX: u32 = 1; // inexact
export const UF: u32 = 2; // underflow
export const OF: u32 = 4; // overflow
export const DZ: u32 = 8; // division by zero
export const NV: u32 = 16; // invalid operation
export const FFLAGS_MASK: u32 = 31;

// Rounding modes, with the manual's encoding. Every `rm` argument in this directory is one of these:
// the caller has resolved DYN (7) to frm, and raised an illegal instruction for 5, 6 and a bad frm.
export const RNE: u32 = 0; // to nearest, ties to even
export const RTZ: u32 = 1; // towards zero
export const RDN: u32 = 2; // down, towards minus infinity
export const RUP: u32 = 3; // up, towards plus infinity
export const RMM: u32 = 4; // to nearest, ties away from zero
export const FRM_MASK: u32 = 7;

let fflags: u32 = 0;
let frm: u32 = 0; // RNE, as a literal: asc would make a start function to assign it

export function getFflags(): u32 {
  return fflags;
}

export function setFflags(flags: u32): void {
  fflags = flags & FFLAGS_MASK;
}

/** Flags are sticky: only setFflags clears one. */
export function raise(flags: u32): void {
  fflags |= flags;
}

/** The raw field: a guest may write the reserved encodings 5 to 7, and read them back. */
export function getFrm(): u32 {
  return frm;
}

export function setFrm(mode: u32): void {
  frm = mode & FRM_MASK;
}
