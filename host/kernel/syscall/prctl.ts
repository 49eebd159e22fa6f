// prctl and personality. (Linux: kernel/sys.c, kernel/exec_domain.c, security/commoncap.c)

import {
  HART_KERNEL_SCRATCH,
  PROCESS_CHILD_SUBREAPER,
  PROCESS_FLAGS,
  PROCESS_KEEPS_CAPS,
  PROCESS_NO_NEW_PRIVS,
  PROCESS_NOT_DUMPABLE,
  PROCESS_PERSONALITY,
  PROCESS_THP_DISABLE,
  TASK_CLEAR_CHILD_TID,
  TASK_COMM,
  TASK_PDEATH_SIGNAL,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { EFAULT, EINVAL } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { traceRename } from "../../memory/trace.ts";
import { copyToUser, putUser32, strncpyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { COMM_BYTES, TASKLIST_LOCK } from "../process/task.ts";
import { argAddress, argInt, argUint, storeU64 } from "../registers.ts";
import { SIGNAL_COUNT } from "../signal/signal-numbers.ts";
import { call, type SystemCall } from "./types.ts";

export const prctlCalls: readonly (readonly [number, SystemCall])[] = [
  [92, call("personality", ["hex"], sysPersonality)],
  [167, call("prctl", ["int", "hex", "hex", "hex", "hex"], sysPrctl)],
];

const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_GET_KEEPCAPS = 7;
const PR_SET_KEEPCAPS = 8;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_GET_SECUREBITS = 27;
const PR_SET_TIMERSLACK = 29;
const PR_GET_TIMERSLACK = 30;
const PR_SET_CHILD_SUBREAPER = 36;
const PR_GET_CHILD_SUBREAPER = 37;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_GET_NO_NEW_PRIVS = 39;
const PR_GET_TID_ADDRESS = 40;
const PR_SET_THP_DISABLE = 41;
const PR_GET_THP_DISABLE = 42;
const TIMERSLACK_NS = 50_000;
const CAPABILITY_COUNT = 41;

function sysPrctl(hart: Hart): number {
  const option = argInt(hart, 0);
  const value = argAddress(hart, 1);
  switch (option) {
    case PR_SET_PDEATHSIG:
      if (value > SIGNAL_COUNT) return -EINVAL;
      hart.shared.set(hart.current + TASK_PDEATH_SIGNAL, value);
      return 0;
    case PR_GET_PDEATHSIG:
      return putUser32(hart, value, hart.shared.get(hart.current + TASK_PDEATH_SIGNAL));
    case PR_SET_NAME:
      return setName(hart, value);
    case PR_GET_NAME:
      return copyToUser(hart, value, hart.current + TASK_COMM, COMM_BYTES);
    case PR_GET_TID_ADDRESS:
      storeU64(hart, hart.base + HART_KERNEL_SCRATCH, hart.shared.getF64(hart.current + TASK_CLEAR_CHILD_TID));
      return copyToUser(hart, value, hart.base + HART_KERNEL_SCRATCH, 8);
    // There is nothing that these could change: they answer Linux's default.
    case PR_GET_TIMERSLACK:
      return TIMERSLACK_NS;
    case PR_SET_TIMERSLACK:
    case PR_GET_SECUREBITS:
      return 0;
    case PR_CAPBSET_READ:
    case PR_CAPBSET_DROP:
      if (value >= CAPABILITY_COUNT) return -EINVAL;
      return option === PR_CAPBSET_READ ? 1 : 0;
    default:
      return flagOption(hart, option, value);
  }
}

/** Options that are one flag of the process. */
function flagOption(hart: Hart, option: number, value: number): number {
  switch (option) {
    case PR_GET_DUMPABLE:
      return hasFlag(hart, PROCESS_NOT_DUMPABLE) ? 0 : 1;
    case PR_SET_DUMPABLE:
      return value > 1 ? -EINVAL : setFlag(hart, PROCESS_NOT_DUMPABLE, value === 0);
    case PR_GET_KEEPCAPS:
      return hasFlag(hart, PROCESS_KEEPS_CAPS) ? 1 : 0;
    case PR_SET_KEEPCAPS:
      return value > 1 ? -EINVAL : setFlag(hart, PROCESS_KEEPS_CAPS, value === 1);
    case PR_SET_CHILD_SUBREAPER:
      return setFlag(hart, PROCESS_CHILD_SUBREAPER, value !== 0);
    case PR_GET_CHILD_SUBREAPER:
      return putUser32(hart, value, hasFlag(hart, PROCESS_CHILD_SUBREAPER) ? 1 : 0);
    case PR_SET_NO_NEW_PRIVS:
      return value === 1 && noMoreArguments(hart, 2) ? setFlag(hart, PROCESS_NO_NEW_PRIVS, true) : -EINVAL;
    case PR_GET_NO_NEW_PRIVS:
      if (!noMoreArguments(hart, 1)) return -EINVAL;
      return hasFlag(hart, PROCESS_NO_NEW_PRIVS) ? 1 : 0;
    case PR_SET_THP_DISABLE:
      return noMoreArguments(hart, 2) ? setFlag(hart, PROCESS_THP_DISABLE, value !== 0) : -EINVAL;
    case PR_GET_THP_DISABLE:
      if (!noMoreArguments(hart, 1)) return -EINVAL;
      return hasFlag(hart, PROCESS_THP_DISABLE) ? 1 : 0;
    default:
      return -EINVAL;
  }
}

function noMoreArguments(hart: Hart, from: number): boolean {
  for (let n = from; n < 5; n++) if (argAddress(hart, n) !== 0) return false;
  return true;
}

function hasFlag(hart: Hart, flag: number): boolean {
  return (hart.shared.loadOnce(hart.shared.get(hart.current + TASK_PROCESS) + PROCESS_FLAGS) & flag) !== 0;
}

function setFlag(hart: Hart, flag: number, on: boolean): number {
  const { shared } = hart;
  const process = shared.get(hart.current + TASK_PROCESS);
  spinLock(hart, TASKLIST_LOCK);
  const flags = shared.get(process + PROCESS_FLAGS);
  shared.set(process + PROCESS_FLAGS, on ? flags | flag : flags & ~flag);
  spinUnlock(hart, TASKLIST_LOCK);
  return 0;
}

function setName(hart: Hart, va: number): number {
  const { u8 } = hart.shared;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const length = strncpyFromUser(hart, scratch, va, COMM_BYTES - 1);
  if (length < 0) return -EFAULT;
  // A reader that races with this sees a mixture of both names, as in Linux.
  for (let i = 0; i < COMM_BYTES; i++) u8[hart.current + TASK_COMM + i] = i < length ? u8[scratch + i] : 0;
  traceRename(hart);
  return 0;
}

const PERSONALITY_QUERY = 0xffffffff;

/** It is remembered, and inherited, but there is only one kind of program. */
function sysPersonality(hart: Hart): number {
  const { shared } = hart;
  const process = shared.get(hart.current + TASK_PROCESS);
  const old = shared.loadOnce(process + PROCESS_PERSONALITY) >>> 0;
  const wanted = argUint(hart, 0);
  if (wanted !== PERSONALITY_QUERY) shared.storeOnce(process + PROCESS_PERSONALITY, wanted);
  return old;
}
