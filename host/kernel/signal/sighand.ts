// Signal actions (Linux: sighand_struct), shared by the threads of a group. SIGHAND_LOCK guards them and every set of
// pending signals of the group.

import {
  POOL_SIGHAND,
  SIGACTION_BYTES,
  SIGHAND_ACTIONS,
  SIGHAND_BYTES,
  SIGHAND_LOCK,
  SIGHAND_REFCOUNT,
} from "../../../assembly/layout.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadU64 } from "../registers.ts";
import { SIG_IGN, SIGNAL_COUNT } from "./signal-numbers.ts";

// fields of an action, as in struct sigaction of the kernel interface (riscv has no restorer)
export const ACTION_HANDLER = 0;
export const ACTION_FLAGS = 8;
export const ACTION_MASK = 16;
export const ACTION_USER_BYTES = 24;

export const SA_NOCLDSTOP = 1;
export const SA_NOCLDWAIT = 2;
export const SA_SIGINFO = 4;
export const SA_EXPOSE_TAGBITS = 0x800;
export const SA_ONSTACK = 0x08000000;
export const SA_RESTART = 0x10000000;
export const SA_NODEFER = 0x40000000;
export const SA_RESETHAND = 1 << 31;
/** UAPI_SA_FLAGS: other bits are dropped, so that a program can find out what a kernel knows. */
export const SA_KNOWN =
  SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_EXPOSE_TAGBITS | SA_ONSTACK | SA_RESTART | SA_NODEFER | SA_RESETHAND;

/** All actions default, one reference; 0 if there is none left. */
export function allocSighand(hart: Hart): number {
  const sighand = kmemCacheAlloc(hart, POOL_SIGHAND);
  if (sighand === 0) return 0;
  hart.core.zeroBytes(sighand, SIGHAND_BYTES);
  hart.shared.storeRelease(sighand + SIGHAND_REFCOUNT, 1);
  return sighand;
}

/** The same actions in a record of its own, or 0. */
export function copySighand(hart: Hart, from: number): number {
  const sighand = allocSighand(hart);
  if (sighand === 0) return 0;
  spinLock(hart, from + SIGHAND_LOCK);
  hart.core.copyBytes(sighand + SIGHAND_ACTIONS, from + SIGHAND_ACTIONS, (SIGNAL_COUNT + 1) * SIGACTION_BYTES);
  spinUnlock(hart, from + SIGHAND_LOCK);
  return sighand;
}

/** Every action that runs a handler is the default from now on; ignored signals stay so. (flush_signal_handlers) */
export function clearHandlers(hart: Hart, sighand: number): void {
  spinLock(hart, sighand + SIGHAND_LOCK);
  for (let signal = 1; signal <= SIGNAL_COUNT; signal++) {
    const action = actionOf(sighand, signal);
    const isIgnored = loadU64(hart, action + ACTION_HANDLER) === SIG_IGN;
    hart.core.zeroBytes(action, SIGACTION_BYTES);
    if (isIgnored) hart.shared.set(action + ACTION_HANDLER, SIG_IGN);
  }
  spinUnlock(hart, sighand + SIGHAND_LOCK);
}

export function getSighand(hart: Hart, sighand: number): number {
  hart.shared.fetchAdd(sighand + SIGHAND_REFCOUNT, 1);
  return sighand;
}

export function putSighand(hart: Hart, sighand: number): void {
  if (hart.shared.fetchAdd(sighand + SIGHAND_REFCOUNT, -1) === 1) kmemCacheFree(hart, POOL_SIGHAND, sighand);
}

/** Address of the record of `signal` (1..64). */
export function actionOf(sighand: number, signal: number): number {
  return sighand + SIGHAND_ACTIONS + signal * SIGACTION_BYTES;
}

/** SIG_DFL, SIG_IGN or an address. Requires: SIGHAND_LOCK. */
export function handlerOf(hart: Hart, sighand: number, signal: number): number {
  return loadU64(hart, actionOf(sighand, signal) + ACTION_HANDLER);
}
