// Signals at the edge between kernel and guest: what is done about pending ones before guest code runs. The frame of a
// handler is signal-frame.ts, what happens to the call that the signal interrupted is restart.ts.
// (Linux: get_signal in kernel/signal.c, arch_do_signal_or_restart in arch/riscv/kernel/signal.c)

import {
  HART_SIGACTION,
  PROCESS_EXIT_CODE,
  PROCESS_GROUP_EXIT,
  SIGACTION_BYTES,
  SIGHAND_LOCK,
  TASK_PROCESS,
  TASK_RSEQ_BYTES,
  TASK_SAVED_MASK,
  TASK_SAVED_MASK_HI,
  TASK_SAVED_MASK_LO,
  TASK_SIGHAND,
  TASK_SIGMASK_HI,
  TASK_SIGMASK_LO,
  TASK_SIGNAL_PENDING,
  TASK_STOP_PENDING,
  TASK_WAIT_QUEUE,
} from "../../../assembly/layout.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { TRACE_SIGNAL_DELIVER, trace } from "../../memory/trace.ts";
import type { Hart } from "../../policy/hart.ts";
import { doExit } from "../process/exit.ts";
import { mustMakeRoom } from "../process/group-exit.ts";
import { abortRseq } from "../process/rseq.ts";
import { loadU64, storeU64 } from "../registers.ts";
import { finishWait } from "../sched/wait.ts";
import { timerSignalTaken } from "../time/posix-timer.ts";
import { forceBadFrame, killGroup } from "./force-signal.ts";
import { continuesOf, joinStop, stopGroup } from "./group-stop.ts";
import { settleRestart } from "./restart.ts";
import { ACTION_FLAGS, ACTION_HANDLER, ACTION_MASK, actionOf, SA_NODEFER, SA_RESETHAND } from "./sighand.ts";
import { SI_TIMER, siginfoCode } from "./siginfo.ts";
import { pushSignalFrame } from "./signal-frame.ts";
import { restoreSavedMask, setBlocked } from "./signal-mask.ts";
import {
  ACTION_CORE,
  ACTION_IGNORE,
  ACTION_STOP,
  defaultAction,
  SIG_DFL,
  SIG_IGN,
  SIGKILL,
  SIGSEGV,
} from "./signal-numbers.ts";
import { bitOf, takeSignal } from "./sigqueue.ts";

/** takeHandled: nothing is left to do. */
const NONE = 0;
/** takeHandled: the task is dead or stopped. */
const GONE = -1;

/**
 * Before guest code runs: does what the pending signals of the current task ask for. True if the task is gone and the
 * hart must schedule. Several handlers may be entered at once: the last frame is on top, and runs first.
 */
export function deliverSignals(hart: Hart): boolean {
  const { shared, current } = hart;
  const process = shared.get(current + TASK_PROCESS);
  // First the flag: whoever adds a signal after our look sets it again.
  shared.exchange(current + TASK_SIGNAL_PENDING, 0);
  if (shared.loadAcquire(process + PROCESS_GROUP_EXIT) !== 0) {
    doExit(hart, shared.get(process + PROCESS_EXIT_CODE));
    return true;
  }
  if (mustMakeRoom(hart, process)) {
    doExit(hart, SIGKILL);
    return true;
  }
  // A fault that waited is made again by the instruction, once the handler has returned.
  if (shared.loadAcquire(current + TASK_WAIT_QUEUE) !== 0) finishWait(hart);
  for (;;) {
    const signal = takeHandled(hart, process);
    if (signal === GONE) return true;
    settleRestart(hart, signal !== NONE, shared.get(hart.base + HART_SIGACTION + ACTION_FLAGS));
    if (signal === NONE) break;
    if (!enterHandler(hart, signal)) return true;
  }
  restoreSavedMask(hart);
  return false;
}

/**
 * Takes signals until one has a handler, whose action is then in HART_SIGACTION. The others happen on the way: ignored
 * ones vanish, and the default action is done.
 */
function takeHandled(hart: Hart, process: number): number {
  const { shared, current } = hart;
  const sighand = shared.get(current + TASK_SIGHAND);
  const action = hart.base + HART_SIGACTION;
  for (;;) {
    if (shared.get(current + TASK_STOP_PENDING) !== 0 && joinStop(hart, process)) return GONE;
    const continues = continuesOf(hart, process);
    spinLock(hart, sighand + SIGHAND_LOCK);
    const [lo, hi] = [shared.get(current + TASK_SIGMASK_LO), shared.get(current + TASK_SIGMASK_HI)];
    const signal = takeSignal(hart, current, process, lo, hi) || takeSignal(hart, 0, process, lo, hi);
    if (signal !== 0) {
      hart.core.copyBytes(action, actionOf(sighand, signal), SIGACTION_BYTES);
      if ((shared.get(action + ACTION_FLAGS) & SA_RESETHAND) !== 0) resetHandler(hart, sighand, signal);
    }
    spinUnlock(hart, sighand + SIGHAND_LOCK);
    if (signal === 0) return NONE;
    if (siginfoCode(hart) === SI_TIMER) timerSignalTaken(hart);
    const handler = loadU64(hart, action + ACTION_HANDLER);
    trace(hart, TRACE_SIGNAL_DELIVER, signal, siginfoCode(hart), handler, Math.floor(handler / 2 ** 32));
    if (handler === SIG_IGN) continue;
    if (handler !== SIG_DFL) return signal;
    const deed = defaultAction(signal);
    if (deed === ACTION_IGNORE) continue;
    if (deed === ACTION_STOP) {
      if (stopGroup(hart, process, signal, continues)) return GONE;
      continue;
    }
    killGroup(hart, signal, "", deed === ACTION_CORE);
    return GONE;
  }
}

/** Requires: SIGHAND_LOCK. */
function resetHandler(hart: Hart, sighand: number, signal: number): void {
  const handler = actionOf(sighand, signal) + ACTION_HANDLER;
  if (loadU64(hart, handler) > SIG_IGN) storeU64(hart, handler, SIG_DFL);
}

/** The task goes on with the handler of HART_SIGACTION. False: it has ended. (handle_signal, signal_setup_done) */
function enterHandler(hart: Hart, signal: number): boolean {
  const { shared, current } = hart;
  const action = hart.base + HART_SIGACTION;
  const flags = shared.get(action + ACTION_FLAGS);
  const isSaved = shared.get(current + TASK_SAVED_MASK) !== 0;
  const maskLo = shared.get(current + (isSaved ? TASK_SAVED_MASK_LO : TASK_SIGMASK_LO));
  const maskHi = shared.get(current + (isSaved ? TASK_SAVED_MASK_HI : TASK_SIGMASK_HI));
  // The frame says where the program goes on: not in the middle of a sequence that a handler has interrupted.
  const isWhole = shared.get(current + TASK_RSEQ_BYTES) === 0 || abortRseq(hart);
  if (!isWhole || !pushSignalFrame(hart, signal, loadU64(hart, action + ACTION_HANDLER), flags, maskLo, maskHi)) {
    // A handler of SIGSEGV that has no room either would never come to an end. (HANDLER_SIG_DFL)
    if (signal === SIGSEGV) resetAction(hart, signal);
    return forceBadFrame(hart, "no room on the stack for a signal handler");
  }
  shared.set(current + TASK_SAVED_MASK, 0);
  const own = (flags & SA_NODEFER) !== 0 ? 0 : bitOf(signal);
  const lo = shared.get(action + ACTION_MASK) | (signal <= 32 ? own : 0);
  const hi = shared.get(action + ACTION_MASK + 4) | (signal > 32 ? own : 0);
  setBlocked(hart, shared.get(current + TASK_SIGMASK_LO) | lo, shared.get(current + TASK_SIGMASK_HI) | hi);
  return true;
}

function resetAction(hart: Hart, signal: number): void {
  const sighand = hart.shared.get(hart.current + TASK_SIGHAND);
  spinLock(hart, sighand + SIGHAND_LOCK);
  resetHandler(hart, sighand, signal);
  spinUnlock(hart, sighand + SIGHAND_LOCK);
}
