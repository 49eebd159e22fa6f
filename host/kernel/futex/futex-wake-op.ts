// FUTEX_WAKE_OP: changes a second word atomically, wakes waiters of the first, and waiters of the second if its old
// value passes a comparison. (Linux: kernel/futex/waitwake.c, futex_wake_op)

import { ACCESS_STORE } from "../../../assembly/layout.ts";
import { EFAULT, ENOSYS } from "../../memory/errno.ts";
import { cmpxchgUser32, getUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { FUTEX_BITSET_MATCH_ANY, wakeMatchingLocked } from "./futex.ts";
import { futexBucket, futexKey } from "./futex-key.ts";
import { lockBuckets, unlockBuckets } from "./futex-requeue.ts";

// encoded: operation 4 bits (the top one: the argument is a shift), comparison 4, argument 12, comparand 12
const OP_SET = 0;
const OP_ADD = 1;
const OP_OR = 2;
const OP_ANDN = 3;
const OP_XOR = 4;
const OP_ARG_SHIFT = 8;

const CMP_EQ = 0;
const CMP_NE = 1;
const CMP_LT = 2;
const CMP_LE = 3;
const CMP_GT = 4;
const CMP_GE = 5;

/** Number of tasks woken, or -errno. */
export function futexWakeOp(
  hart: Hart,
  va: number,
  secondVa: number,
  isPrivate: boolean,
  countMax: number,
  secondCountMax: number,
  encoded: number,
): number {
  const error = futexKey(hart, va, isPrivate, 0) || futexKey(hart, secondVa, isPrivate, 1);
  if (error !== 0) return error;
  const operation = (encoded >>> 28) & 7;
  const comparison = (encoded >>> 24) & 15;
  if (operation > OP_XOR || comparison > CMP_GE) return -ENOSYS;
  const argument = (encoded << 8) >> 20;
  const operand = ((encoded >>> 28) & OP_ARG_SHIFT) !== 0 ? 1 << (argument & 31) : argument;
  const comparand = (encoded << 20) >> 20;
  const first = futexBucket(hart, 0);
  const second = futexBucket(hart, 1);
  for (;;) {
    lockBuckets(hart, first, second);
    const pa = hart.core.userAddress(secondVa, ACCESS_STORE);
    if (pa !== 0) {
      const old = modify(hart, pa, operation, operand);
      let woken = wakeMatchingLocked(hart, first, 0, countMax, FUTEX_BITSET_MATCH_ANY);
      if (compare(old, comparison, comparand)) {
        woken += wakeMatchingLocked(hart, second, 1, secondCountMax, FUTEX_BITSET_MATCH_ANY);
      }
      unlockBuckets(hart, first, second);
      return woken;
    }
    unlockBuckets(hart, first, second);
    // Make the page writable: exchange the word with itself.
    const word = getUser32(hart, secondVa);
    if (word < 0 || cmpxchgUser32(hart, secondVa, word, word) < 0) return -EFAULT;
  }
}

/** Atomic on the word at `pa`, which was translated for a store since the last poll; the old value. */
function modify(hart: Hart, pa: number, operation: number, operand: number): number {
  const { shared } = hart;
  for (;;) {
    const old = shared.loadAcquire(pa);
    if (shared.compareExchange(pa, old, result(old, operation, operand)) === old) return old;
  }
}

function result(old: number, operation: number, operand: number): number {
  switch (operation) {
    case OP_SET:
      return operand;
    case OP_ADD:
      return (old + operand) | 0;
    case OP_OR:
      return old | operand;
    case OP_ANDN:
      return old & ~operand;
    default:
      return old ^ operand;
  }
}

function compare(old: number, comparison: number, comparand: number): boolean {
  switch (comparison) {
    case CMP_EQ:
      return old === comparand;
    case CMP_NE:
      return old !== comparand;
    case CMP_LT:
      return old < comparand;
    case CMP_LE:
      return old <= comparand;
    case CMP_GT:
      return old > comparand;
    default:
      return old >= comparand;
  }
}
