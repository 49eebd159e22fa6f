// rseq: where a thread's struct rseq is. (Linux: kernel/rseq.c)

import { TASK_RSEQ, TASK_RSEQ_BYTES, TASK_RSEQ_SIGNATURE } from "../../../assembly/layout.ts";
import { EBUSY, EFAULT, EINVAL, EPERM } from "../../memory/errno.ts";
import { isUserRange } from "../../mm/call/range.ts";
import type { Hart } from "../../policy/hart.ts";
import { resetIds, writeIds } from "../process/rseq.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { call, type SystemCall } from "./types.ts";

export const rseqCalls: readonly (readonly [number, SystemCall])[] = [
  [293, call("rseq", ["pointer", "uint", "hex", "hex"], sysRseq)],
];

const RSEQ_FLAG_UNREGISTER = 1;
/** All that is known of the struct, and its alignment. */
const RSEQ_BYTES = 32;

function sysRseq(hart: Hart): number {
  const { shared, current } = hart;
  const [va, bytes, flags, signature] = [argAddress(hart, 0), argUint(hart, 1), argInt(hart, 2), argInt(hart, 3)];
  const isSame = shared.getF64(current + TASK_RSEQ) === va && shared.get(current + TASK_RSEQ_BYTES) === bytes;
  const hasSignature = shared.get(current + TASK_RSEQ_SIGNATURE) === signature;
  const isRegistered = shared.get(current + TASK_RSEQ_BYTES) !== 0;
  if ((flags & RSEQ_FLAG_UNREGISTER) !== 0) {
    if ((flags & ~RSEQ_FLAG_UNREGISTER) !== 0 || !isRegistered || !isSame) return -EINVAL;
    if (!hasSignature) return -EPERM;
    if (!resetIds(hart)) return -EFAULT;
    shared.set(current + TASK_RSEQ_BYTES, 0);
    return 0;
  }
  if (flags !== 0) return -EINVAL;
  if (isRegistered) {
    if (!isSame) return -EINVAL;
    return hasSignature ? -EBUSY : -EPERM;
  }
  if (bytes < RSEQ_BYTES || va % RSEQ_BYTES !== 0) return -EINVAL;
  if (!isUserRange(va, bytes)) return -EFAULT;
  shared.setF64(current + TASK_RSEQ, va);
  shared.set(current + TASK_RSEQ_SIGNATURE, signature);
  if (!writeIds(hart)) return -EFAULT;
  shared.set(current + TASK_RSEQ_BYTES, bytes);
  return 0;
}
