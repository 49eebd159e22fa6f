// What /proc says of a task besides numbers: its state, and what it does with signals.

import {
  PROCESS_FLAGS,
  PROCESS_STATE,
  PROCESS_STOPPED,
  PROCESS_ZOMBIE,
  TASK_DEAD,
  TASK_INTERRUPTIBLE,
  TASK_RUNNING,
  TASK_STATE,
  TASK_STOPPED,
  TASK_UNINTERRUPTIBLE,
} from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { handlerOf } from "../signal/sighand.ts";
import { SIG_DFL, SIG_IGN, SIGNAL_COUNT } from "../signal/signal-numbers.ts";
import { hex64 } from "./format.ts";

/** As in status; stat has its first letter. (task_state_array) */
export function stateLetter(hart: Hart, task: number, process: number): string {
  const { shared } = hart;
  if (process !== 0 && shared.get(process + PROCESS_STATE) === PROCESS_ZOMBIE) return "Z (zombie)";
  switch (shared.loadOnce(task + TASK_STATE)) {
    case TASK_RUNNING:
      return "R (running)";
    case TASK_INTERRUPTIBLE:
      return "S (sleeping)";
    case TASK_UNINTERRUPTIBLE:
      return "D (disk sleep)";
    case TASK_STOPPED:
      return "T (stopped)";
    case TASK_DEAD:
      return "X (dead)";
    default:
      return process !== 0 && (shared.get(process + PROCESS_FLAGS) & PROCESS_STOPPED) !== 0
        ? "T (stopped)"
        : "R (running)";
  }
}

/** The signals that are ignored and those that have a handler, as 64 bits each. (collect_sigign_sigcatch) */
export function handledSignals(hart: Hart, sighand: number): { ignored: string; caught: string } {
  const ignored = [0, 0];
  const caught = [0, 0];
  for (let signal = 1; sighand !== 0 && signal <= SIGNAL_COUNT; signal++) {
    const handler = handlerOf(hart, sighand, signal);
    const set = handler === SIG_IGN ? ignored : handler === SIG_DFL ? undefined : caught;
    if (set !== undefined) set[(signal - 1) >>> 5] |= 1 << ((signal - 1) & 31);
  }
  return { ignored: hex64(ignored[0], ignored[1]), caught: hex64(caught[0], caught[1]) };
}
