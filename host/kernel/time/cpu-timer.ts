// Timers that count processor time, looked at on the ticks of the hart that runs the process: ITIMER_VIRTUAL,
// ITIMER_PROF, timers of a CPU clock, and RLIMIT_CPU. Time in the kernel and in user mode are not told apart.
// (Linux: kernel/time/posix-cpu-timers.c)

import { PROCESS_GROUP_EXIT, PSIG_CPU_TIMERS, PSIG_CPU_WARNED_NS, TASK_PROCESS } from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { hardLimit, softLimit } from "../process/process.ts";
import { processRuntimeLocked } from "../process/runtime.ts";
import { TASKLIST_LOCK } from "../process/task.ts";
import { siginfoFromKernel } from "../signal/siginfo.ts";
import { SIGKILL, SIGXCPU } from "../signal/signal-numbers.ts";
import { forgetSiginfo, sendSignalLocked } from "../signal/signal-send.ts";
import { psigOf } from "../signal/sigqueue.ts";
import { NS_PER_SECOND, RLIM_INFINITY_F64, RLIMIT_CPU } from "../uapi.ts";
import { checkCpuItimers } from "./itimer.ts";
import { checkCpuTimers } from "./posix-timer.ts";

/** The timer interrupt, on the current task. */
export function cpuTimersTick(hart: Hart): void {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  if (process === 0) return;
  const psig = psigOf(process);
  const hasLimit = softLimit(shared, process, RLIMIT_CPU) !== RLIM_INFINITY_F64;
  if (shared.loadOnce(psig + PSIG_CPU_TIMERS) === 0 && !hasLimit) return;
  spinLock(hart, TASKLIST_LOCK);
  if (shared.loadAcquire(process + PROCESS_GROUP_EXIT) === 0) {
    const runtime = processRuntimeLocked(hart, process);
    checkCpuItimers(hart, process, runtime);
    checkCpuTimers(hart, process);
    if (hasLimit) checkLimit(hart, process, runtime);
  }
  spinUnlock(hart, TASKLIST_LOCK);
}

/** SIGXCPU each second from the soft limit on, SIGKILL at the hard one. */
function checkLimit(hart: Hart, process: number, runtimeNs: number): void {
  const { shared } = hart;
  const psig = psigOf(process);
  const soft = softLimit(shared, process, RLIMIT_CPU) * NS_PER_SECOND;
  if (runtimeNs >= hardLimit(shared, process, RLIMIT_CPU) * NS_PER_SECOND) {
    sendSignalLocked(hart, process, SIGKILL);
  } else if (runtimeNs >= Math.max(soft, shared.getF64(psig + PSIG_CPU_WARNED_NS))) {
    shared.setF64(psig + PSIG_CPU_WARNED_NS, runtimeNs + NS_PER_SECOND);
    siginfoFromKernel(hart, SIGXCPU);
    sendSignalLocked(hart, process, SIGXCPU);
  }
  forgetSiginfo(hart);
}
