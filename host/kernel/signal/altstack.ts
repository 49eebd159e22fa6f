// The alternate signal stack of a thread: sigaltstack(2) and SA_ONSTACK. (Linux: do_sigaltstack in kernel/signal.c,
// include/linux/sched/signal.h)

import { TASK_ALTSTACK_BYTES, TASK_ALTSTACK_FLAGS, TASK_ALTSTACK_SP } from "../../../assembly/layout.ts";
import { EINVAL, ENOMEM } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 1 << 31;
const MINSIGSTKSZ = 2048;

/** Is `sp` on it? Never while it disarms itself: a handler that switched away from it may be interrupted again. */
export function isOnAltStack(hart: Hart, sp: number): boolean {
  const { shared, current } = hart;
  if ((shared.get(current + TASK_ALTSTACK_FLAGS) & SS_AUTODISARM) !== 0) return false;
  const bottom = shared.getF64(current + TASK_ALTSTACK_SP);
  return sp > bottom && sp - bottom <= shared.getF64(current + TASK_ALTSTACK_BYTES);
}

/** ss_flags as sigaltstack(2) reports them. (sas_ss_flags) */
export function altStackMode(hart: Hart, sp: number): number {
  const { shared, current } = hart;
  const isDisabled = shared.getF64(current + TASK_ALTSTACK_BYTES) === 0;
  const mode = isDisabled ? SS_DISABLE : isOnAltStack(hart, sp) ? SS_ONSTACK : 0;
  return mode | (shared.get(current + TASK_ALTSTACK_FLAGS) & SS_AUTODISARM);
}

/** 0, -EINVAL or -ENOMEM. The caller has made sure that it is not in use. */
export function setAltStack(hart: Hart, sp: number, bytes: number, flags: number): number {
  const { shared, current } = hart;
  const mode = flags & ~SS_AUTODISARM;
  if (mode !== SS_DISABLE && mode !== SS_ONSTACK && mode !== 0) return -EINVAL;
  const isDisabled = mode === SS_DISABLE;
  if (!isDisabled && bytes < MINSIGSTKSZ) return -ENOMEM;
  shared.setF64(current + TASK_ALTSTACK_SP, isDisabled ? 0 : sp);
  shared.setF64(current + TASK_ALTSTACK_BYTES, isDisabled ? 0 : bytes);
  shared.set(current + TASK_ALTSTACK_FLAGS, flags);
  return 0;
}
