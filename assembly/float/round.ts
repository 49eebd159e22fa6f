// From an exact (or sticky) significand to the bits of a result, with the flags that rounding raises.

import { FMT_D, infinityOf } from "./format.ts";
import { NX, OF, RDN, RMM, RNE, RTZ, RUP, UF, raise } from "./status.ts";

/** sig >> count, with bit 0 set if any bit was lost. */
export function shiftRightSticky(sig: u64, count: i32): u64 {
  if (count == 0) return sig;
  if (count >= 64) return <u64>(sig != 0);
  return (sig >> count) | <u64>((sig << (64 - count)) != 0);
}

/**
 * What to add to the discarded bits so that a carry out of them means "round away from zero".
 * `mask` covers the discarded bits; `kept` is the significand without them.
 */
function roundingAddend(sign: u64, kept: u64, mask: u64, rm: u32): u64 {
  const half = mask >> 1; // one less than half a unit in the last place
  if (rm == RNE) return half + (kept & 1);
  if (rm == RMM) return half + 1;
  if (rm == RTZ) return 0;
  return (rm == RDN) == (sign != 0) ? mask : 0;
}

/** Overflow gives infinity, or the largest finite number when rounding is away from that infinity. */
function overflow(sign: u64, rm: u32, fmt: u32): u64 {
  raise(OF | NX);
  const toFinite = rm == RTZ || (rm == RDN && sign == 0) || (rm == RUP && sign != 0);
  return infinityOf(sign, fmt) - <u64>toFinite;
}

/**
 * Rounds (-1)^sign * sig * 2^(exp - 63) to format `fmt`. Bit 63 of sig is set; bit 0 is sticky: it also stands
 * for anything nonzero below it. That is sound because the rounding point is at bit 11 or above.
 */
export function roundPack(sign: u64, exp: i32, sig: u64, rm: u32, fmt: u32): u64 {
  const fractionBits: u64 = fmt == FMT_D ? 52 : 23;
  const expMax = fmt == FMT_D ? 1023 : 127;
  const expMin = 1 - expMax;
  if (exp > expMax) return overflow(sign, rm, fmt);

  const dropped: u64 = 63 - fractionBits;
  const mask: u64 = (1 << dropped) - 1;
  let expField: u64 = 0; // less one: adding the significand's leading bit makes it right
  let tiny = false;
  if (exp >= expMin) {
    expField = <u64>(exp - expMin);
  } else {
    // RISC-V detects tininess after rounding: a value just below the normal range is not tiny
    // if rounding it with the full precision would carry it into that range.
    const kept = sig >> dropped;
    const carry = ((sig & mask) + roundingAddend(sign, kept, mask, rm)) >> dropped;
    tiny = exp < expMin - 1 || (kept + carry) >> (fractionBits + 1) == 0;
    sig = shiftRightSticky(sig, expMin - exp);
  }

  const kept = sig >> dropped;
  const rest = sig & mask;
  const carry = (rest + roundingAddend(sign, kept, mask, rm)) >> dropped;
  const magnitude = (expField << fractionBits) + kept + carry;
  if (magnitude >= infinityOf(0, fmt)) return overflow(sign, rm, fmt);
  if (rest != 0) raise(tiny ? UF | NX : NX);
  return (sign << (fmt == FMT_D ? 63 : 31)) | magnitude;
}
