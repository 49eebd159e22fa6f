// Sending signals by system call. Everybody is root and may send to everybody.

import {
  HART_SIGINFO,
  PROCESS_PGID,
  PROCESS_TGID,
  SIGINFO_BYTES,
  TASK_PID,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { EFAULT, EINTR, EINVAL, EPERM, ESRCH } from "../../memory/errno.ts";
import { copyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { argAddress, argInt } from "../registers.ts";
import { RESTART_SYSCALL } from "../signal/restart.ts";
import { SI_TKILL, SI_USER, SIGINFO_SIGNO, siginfoCode, siginfoFromCurrent } from "../signal/siginfo.ts";
import { SIGNAL_COUNT } from "../signal/signal-numbers.ts";
import { sendSignalToAll, sendSignalToGroup, sendSignalToProcess, sendSignalToThread } from "../signal/signal-send.ts";
import { call, type SystemCall } from "./types.ts";

export const signalCalls: readonly (readonly [number, SystemCall])[] = [
  [RESTART_SYSCALL, call("restart_syscall", [], () => -EINTR)],
  [129, call("kill", ["int", "signal"], sysKill)],
  [130, call("tkill", ["int", "signal"], sysTkill)],
  [131, call("tgkill", ["int", "int", "signal"], sysTgkill)],
  [138, call("rt_sigqueueinfo", ["int", "signal", "pointer"], sysSigqueueinfo)],
  [240, call("rt_tgsigqueueinfo", ["int", "int", "signal", "pointer"], sysTgsigqueueinfo)],
];

const INT_MIN = -(2 ** 31);

export function isSignal(signal: number): boolean {
  return signal >= 0 && signal <= SIGNAL_COUNT;
}

function sysKill(hart: Hart): number {
  const { shared, current } = hart;
  const [pid, signal] = [argInt(hart, 0), argInt(hart, 1)];
  if (!isSignal(signal)) return -EINVAL;
  siginfoFromCurrent(hart, signal, SI_USER);
  if (pid > 0) return sendSignalToProcess(hart, pid, signal);
  if (pid === -1) return sendSignalToAll(hart, signal);
  if (pid === INT_MIN) return -ESRCH;
  const group = pid === 0 ? shared.get(shared.get(current + TASK_PROCESS) + PROCESS_PGID) : -pid;
  return sendSignalToGroup(hart, group, signal);
}

function sysTkill(hart: Hart): number {
  const [tid, signal] = [argInt(hart, 0), argInt(hart, 1)];
  if (tid <= 0 || !isSignal(signal)) return -EINVAL;
  siginfoFromCurrent(hart, signal, SI_TKILL);
  return sendSignalToThread(hart, -1, tid, signal);
}

function sysTgkill(hart: Hart): number {
  const [tgid, tid, signal] = [argInt(hart, 0), argInt(hart, 1), argInt(hart, 2)];
  if (tgid <= 0 || tid <= 0 || !isSignal(signal)) return -EINVAL;
  siginfoFromCurrent(hart, signal, SI_TKILL);
  return sendSignalToThread(hart, tgid, tid, signal);
}

function sysSigqueueinfo(hart: Hart): number {
  const { shared, current } = hart;
  const [pid, signal] = [argInt(hart, 0), argInt(hart, 1)];
  const own = shared.get(shared.get(current + TASK_PROCESS) + PROCESS_TGID);
  const error = loadSiginfo(hart, argAddress(hart, 2), signal, pid === own);
  if (error !== 0) return error;
  if (!isSignal(signal)) return -EINVAL;
  return sendSignalToProcess(hart, pid, signal);
}

function sysTgsigqueueinfo(hart: Hart): number {
  const { shared, current } = hart;
  const [tgid, tid, signal] = [argInt(hart, 0), argInt(hart, 1), argInt(hart, 2)];
  const error = loadSiginfo(hart, argAddress(hart, 3), signal, tid === shared.get(current + TASK_PID));
  if (tgid <= 0 || tid <= 0) return -EINVAL;
  if (error !== 0) return error;
  if (!isSignal(signal)) return -EINVAL;
  return sendSignalToThread(hart, tgid, tid, signal);
}

/**
 * Nobody may speak for the kernel, kill(2) or tgkill(2) to others. (do_rt_sigqueueinfo, pidfd_send_signal, to which the
 * signal is the `same` twice)
 */
export function loadSiginfo(hart: Hart, va: number, signal: number, toSelf: boolean, same = false): number {
  const info = hart.base + HART_SIGINFO;
  const failed = copyFromUser(hart, info, va, SIGINFO_BYTES) < 0;
  const code = siginfoCode(hart);
  const isOther = same && hart.shared.get(info + SIGINFO_SIGNO) !== signal;
  hart.shared.set(info + SIGINFO_SIGNO, failed ? 0 : signal);
  if (failed) return -EFAULT;
  if (isOther) return -EINVAL;
  return (code >= 0 || code === SI_TKILL) && !toSelf ? -EPERM : 0;
}
