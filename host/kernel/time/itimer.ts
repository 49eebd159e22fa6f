// Interval timers: setitimer(2). The real one is a timer of the monotonic clock; the other two count what the process
// has run, and are looked at on ticks (cpu-timer.ts). All of it under TASKLIST_LOCK. (Linux: kernel/time/itimer.c)

import {
  KTIMER_KIND,
  KTIMER_REAL,
  PSIG_CPU_TIMERS,
  PSIG_PROF_EXPIRY,
  PSIG_PROF_INTERVAL,
  PSIG_REAL_EXPIRY,
  PSIG_REAL_INTERVAL,
  PSIG_REAL_TIMER,
  PSIG_VIRTUAL_EXPIRY,
  PSIG_VIRTUAL_INTERVAL,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import type { Hart } from "../../policy/hart.ts";
import { processRuntimeLocked } from "../process/runtime.ts";
import { TASKLIST_LOCK } from "../process/task.ts";
import { siginfoFromKernel } from "../signal/siginfo.ts";
import { SIGALRM, SIGPROF, SIGVTALRM } from "../signal/signal-numbers.ts";
import { forgetSiginfo, sendSignalLocked } from "../signal/signal-send.ts";
import { psigOf } from "../signal/sigqueue.ts";
import { armKtimer, disarmKtimer } from "./timer.ts";

export const ITIMER_REAL = 0;
export const ITIMER_VIRTUAL = 1;
export const ITIMER_PROF = 2;

const EXPIRY = [PSIG_REAL_EXPIRY, PSIG_VIRTUAL_EXPIRY, PSIG_PROF_EXPIRY];
const INTERVAL = [PSIG_REAL_INTERVAL, PSIG_VIRTUAL_INTERVAL, PSIG_PROF_INTERVAL];

/** ns until the timer expires, 0 if it is not armed. Requires: TASKLIST_LOCK. */
export function itimerLeftLocked(hart: Hart, process: number, which: number): number {
  const expiry = hart.shared.getF64(psigOf(process) + EXPIRY[which]);
  return expiry === 0 ? 0 : Math.max(expiry - clockOf(hart, process, which), 1000);
}

/** ns. Requires: TASKLIST_LOCK. */
export function itimerInterval(hart: Hart, process: number, which: number): number {
  return hart.shared.getF64(psigOf(process) + INTERVAL[which]);
}

/** Arms the timer `valueNs` from now, or disarms it (0). Requires: TASKLIST_LOCK. */
export function setItimerLocked(hart: Hart, process: number, which: number, valueNs: number, intervalNs: number): void {
  const { shared } = hart;
  const psig = psigOf(process);
  const wasArmed = shared.getF64(psig + EXPIRY[which]) !== 0;
  const expiry = valueNs === 0 ? 0 : clockOf(hart, process, which) + valueNs;
  shared.setF64(psig + EXPIRY[which], expiry);
  shared.setF64(psig + INTERVAL[which], intervalNs);
  if (which !== ITIMER_REAL) {
    const change = (expiry !== 0 ? 1 : 0) - (wasArmed ? 1 : 0);
    shared.storeOnce(psig + PSIG_CPU_TIMERS, shared.get(psig + PSIG_CPU_TIMERS) + change);
    return;
  }
  shared.set(psig + PSIG_REAL_TIMER + KTIMER_KIND, KTIMER_REAL);
  if (expiry === 0) disarmKtimer(hart, psig + PSIG_REAL_TIMER);
  else armKtimer(hart, psig + PSIG_REAL_TIMER, expiry);
}

function clockOf(hart: Hart, process: number, which: number): number {
  return which === ITIMER_REAL ? hart.clock.now() : processRuntimeLocked(hart, process);
}

/** KTIMER_REAL. The process may have set its timer anew meanwhile, or ended. */
export function realTimerExpired(hart: Hart, process: number): void {
  const { shared } = hart;
  const psig = psigOf(process);
  spinLock(hart, TASKLIST_LOCK);
  const expiry = shared.getF64(psig + PSIG_REAL_EXPIRY);
  const now = hart.clock.now();
  if (expiry !== 0 && expiry <= now) {
    const interval = shared.getF64(psig + PSIG_REAL_INTERVAL);
    const next = interval === 0 ? 0 : forward(expiry, interval, now);
    shared.setF64(psig + PSIG_REAL_EXPIRY, next);
    if (next !== 0) armKtimer(hart, psig + PSIG_REAL_TIMER, next);
    send(hart, process, SIGALRM);
  }
  spinUnlock(hart, TASKLIST_LOCK);
}

/** ITIMER_VIRTUAL and ITIMER_PROF: the process has run `runtimeNs`. Requires: TASKLIST_LOCK. (check_cpu_itimer) */
export function checkCpuItimers(hart: Hart, process: number, runtimeNs: number): void {
  for (const which of [ITIMER_VIRTUAL, ITIMER_PROF]) {
    const psig = psigOf(process);
    const expiry = hart.shared.getF64(psig + EXPIRY[which]);
    if (expiry === 0 || runtimeNs < expiry) continue;
    const interval = hart.shared.getF64(psig + INTERVAL[which]);
    const left = interval === 0 ? 0 : forward(expiry, interval, runtimeNs) - runtimeNs;
    setItimerLocked(hart, process, which, left, interval);
    send(hart, process, which === ITIMER_VIRTUAL ? SIGVTALRM : SIGPROF);
  }
}

/** The process ends. Requires: TASKLIST_LOCK. */
export function exitItimers(hart: Hart, process: number): void {
  for (const which of [ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF]) setItimerLocked(hart, process, which, 0, 0);
}

/** The first of expiry + n intervals that lies behind `now`. (hrtimer_forward) */
export function forward(expiry: number, interval: number, now: number): number {
  return expiry + (Math.floor((now - expiry) / interval) + 1) * interval;
}

function send(hart: Hart, process: number, signal: number): void {
  siginfoFromKernel(hart, signal);
  sendSignalLocked(hart, process, signal);
  forgetSiginfo(hart);
}
