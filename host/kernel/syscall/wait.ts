// wait4 and waitid.

import { HART_BUFFER, PROCESS_PGID, TASK_PROCESS } from "../../../assembly/layout.ts";
import { EAGAIN, EFAULT, EINVAL, ESRCH } from "../../memory/errno.ts";
import { copyToUser, putUser32 } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { pidfdTarget } from "../process/pidfd.ts";
import { RUSAGE_BYTES, storeRusage } from "../process/rusage.ts";
import {
  FOUND_CODE,
  FOUND_MAJ_FLT,
  FOUND_MAXRSS,
  FOUND_MIN_FLT,
  FOUND_NIVCSW,
  FOUND_NVCSW,
  FOUND_RUNTIME_NS,
  FOUND_STATUS,
  FOUND_VALUE,
  type WaitFor,
  waitForChild,
} from "../process/wait-child.ts";
import { argAddress, argInt } from "../registers.ts";
import { SIGCHLD } from "../signal/signal-numbers.ts";
import {
  O_NONBLOCK,
  P_ALL,
  P_PGID,
  P_PID,
  P_PIDFD,
  WALL,
  WCLONE,
  WCONTINUED,
  WEXITED,
  WNOHANG,
  WNOTHREAD,
  WNOWAIT,
  WUNTRACED,
} from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

const NR_WAITID = 95;
const NR_WAIT4 = 260;

export const waitCalls: readonly (readonly [number, SystemCall])[] = [
  [NR_WAITID, call("waitid", ["int", "int", "pointer", "hex", "pointer"], sysWaitid)],
  [NR_WAIT4, call("wait4", ["int", "pointer", "hex", "pointer"], sysWait4)],
];

const INT_MIN = -(2 ** 31);
const WAIT4_FLAGS = WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WCLONE | WALL;
const WAITID_FLAGS = WAIT4_FLAGS | WEXITED | WNOWAIT;

/** (kernel_wait4) */
function sysWait4(hart: Hart): number {
  const { shared, current } = hart;
  const pid = argInt(hart, 0);
  const flags = argInt(hart, 2);
  if ((flags & ~WAIT4_FLAGS) !== 0) return -EINVAL;
  if (pid === INT_MIN) return -ESRCH;
  const result = waitForChild(hart, NR_WAIT4, { ...whom(hart, pid), flags: flags | WEXITED });
  if (result <= 0) return result;
  const statusVa = argAddress(hart, 1);
  if (statusVa !== 0 && putUser32(hart, statusVa, shared.getF64(current + FOUND_STATUS)) < 0) return -EFAULT;
  return copyRusage(hart, argAddress(hart, 3)) < 0 ? -EFAULT : result;
}

function whom(hart: Hart, pid: number): Omit<WaitFor, "flags"> {
  if (pid === -1) return { which: P_ALL, id: 0 };
  if (pid < 0) return { which: P_PGID, id: -pid };
  return pid === 0 ? { which: P_PGID, id: ownGroup(hart) } : { which: P_PID, id: pid };
}

/** (kernel_waitid) */
function sysWaitid(hart: Hart): number {
  const which = argInt(hart, 0);
  const id = argInt(hart, 1);
  const flags = argInt(hart, 3);
  if ((flags & ~WAITID_FLAGS) !== 0) return -EINVAL;
  if ((flags & (WEXITED | WUNTRACED | WCONTINUED)) === 0) return -EINVAL;
  if (which === P_PIDFD) return waitForPidfd(hart, id, flags);
  if (which !== P_ALL && which !== P_PID && which !== P_PGID) return -EINVAL;
  if ((which === P_PID && id <= 0) || (which === P_PGID && id < 0)) return -EINVAL;
  const group = which === P_PGID && id === 0 ? ownGroup(hart) : id;
  return tellOfChild(hart, waitForChild(hart, NR_WAITID, { which, id: group, flags }));
}

function waitForPidfd(hart: Hart, fd: number, flags: number): number {
  if (fd < 0) return -EINVAL;
  const target = pidfdTarget(hart, fd);
  if (typeof target === "number") return target;
  const isNonblocking = (target.flags & O_NONBLOCK) !== 0;
  const wanted = { which: P_PIDFD, id: target.pid, startNs: target.startNs, flags };
  const result = waitForChild(hart, NR_WAITID, isNonblocking ? { ...wanted, flags: flags | WNOHANG } : wanted);
  return result === 0 && isNonblocking && (flags & WNOHANG) === 0 ? -EAGAIN : tellOfChild(hart, result);
}

function tellOfChild(hart: Hart, result: number): number {
  if (result < 0) return result;
  if (result > 0 && copyRusage(hart, argAddress(hart, 4)) < 0) return -EFAULT;
  return copyInfo(hart, argAddress(hart, 2), result);
}

const INFO_BYTES = 28; // up to si_status: the rest of siginfo_t is left alone, as in Linux

function copyInfo(hart: Hart, va: number, pid: number): number {
  if (va === 0) return 0;
  const { shared, current } = hart;
  const buffer = hart.base + HART_BUFFER;
  hart.core.zeroBytes(buffer, INFO_BYTES);
  if (pid > 0) {
    shared.set(buffer, SIGCHLD);
    shared.set(buffer + 8, shared.getF64(current + FOUND_CODE));
    shared.set(buffer + 16, pid);
    shared.set(buffer + 24, shared.getF64(current + FOUND_VALUE));
  }
  return copyToUser(hart, va, buffer, INFO_BYTES);
}

function copyRusage(hart: Hart, va: number): number {
  if (va === 0) return 0;
  const { shared, current } = hart;
  const buffer = hart.base + HART_BUFFER;
  const counts = {
    minorFaults: shared.get(current + FOUND_MIN_FLT) >>> 0,
    majorFaults: shared.get(current + FOUND_MAJ_FLT) >>> 0,
    voluntarySwitches: shared.get(current + FOUND_NVCSW) >>> 0,
    involuntarySwitches: shared.get(current + FOUND_NIVCSW) >>> 0,
  };
  const runtimeNs = shared.getF64(current + FOUND_RUNTIME_NS);
  storeRusage(hart, buffer, runtimeNs, shared.getF64(current + FOUND_MAXRSS), counts);
  return copyToUser(hart, va, buffer, RUSAGE_BYTES);
}

function ownGroup(hart: Hart): number {
  return hart.shared.get(hart.shared.get(hart.current + TASK_PROCESS) + PROCESS_PGID);
}
