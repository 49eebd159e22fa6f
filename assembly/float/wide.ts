// 128-bit helpers. A function returns one word, so a wide value is computed as its two halves.

/** The upper 64 bits of a * b; the lower ones are the Wasm product. */
export function mulHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const cross = a1 * b0 + ((a0 * b0) >> 32);
  const carry = a0 * b1 + (cross & 0xffffffff);
  return a1 * b1 + (cross >> 32) + (carry >> 32);
}

/** Upper half of (hi:lo) >> count. */
export function shiftRightHigh(hi: u64, count: i32): u64 {
  return count < 64 ? hi >> count : 0;
}

/** Lower half of (hi:lo) >> count, with bit 0 set if any bit was lost. */
export function shiftRightLowSticky(hi: u64, lo: u64, count: i32): u64 {
  if (count == 0) return lo;
  if (count < 64) return (hi << (64 - count)) | (lo >> count) | <u64>((lo << (64 - count)) != 0);
  if (count == 64) return hi | <u64>(lo != 0);
  if (count < 128) return (hi >> (count - 64)) | <u64>(((hi << (128 - count)) | lo) != 0);
  return <u64>((hi | lo) != 0);
}
