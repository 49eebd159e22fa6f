// oom_score and oom_score_adj of /proc/PID. (fs/proc/base.c: proc_oom_score, oom_score_adj_write)

import { PROCESS_OOM_SCORE_ADJ, PROCESS_OOM_SCORE_ADJ_MIN } from "../../../assembly/layout.ts";
import { EACCES, EINVAL, ESRCH } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { badnessLocked, NEVER, OOM_SCORE_ADJ_MAX, OOM_SCORE_ADJ_MIN, totalPages } from "../memory/oom.ts";
import { isCapable } from "../process/cred.ts";
import type { ProcTarget } from "./node.ts";
import { withTask } from "./target.ts";

type Text = string | number;

/** Badness in thousandths of all memory, shifted so that none is negative. */
export function oomScoreText(hart: Hart, target: ProcTarget): Text {
  return withTask<Text>(hart, target, -ESRCH, (_task, process) => {
    const badness = process === 0 ? NEVER : badnessLocked(hart, process);
    if (badness === NEVER) return "0\n";
    const points = ((1000 + Math.trunc((badness * 1000) / totalPages(hart.shared))) * 2) / 3;
    return `${Math.trunc(points)}\n`;
  });
}

export function oomScoreAdjText(hart: Hart, target: ProcTarget): Text {
  return withTask<Text>(hart, target, -ESRCH, (_task, process) => {
    return `${process === 0 ? 0 : hart.shared.loadOnce(process + PROCESS_OOM_SCORE_ADJ)}\n`;
  });
}

/** Anybody may make a process likelier to be chosen, and undo that; less likely only root. (__set_oom_adj) */
export function writeOomScoreAdj(hart: Hart, target: ProcTarget, text: string): number {
  const word = text.trim();
  const value = Number(word);
  if (!/^[+-]?\d+$/.test(word) || value < OOM_SCORE_ADJ_MIN || value > OOM_SCORE_ADJ_MAX) return -EINVAL;
  const isPrivileged = isCapable(hart);
  return withTask(hart, target, -ESRCH, (_task, process) => {
    if (process === 0) return -EINVAL;
    const { shared } = hart;
    if (!isPrivileged && value < shared.loadOnce(process + PROCESS_OOM_SCORE_ADJ_MIN)) return -EACCES;
    shared.storeOnce(process + PROCESS_OOM_SCORE_ADJ, value);
    if (isPrivileged) shared.storeOnce(process + PROCESS_OOM_SCORE_ADJ_MIN, value);
    return 0;
  });
}
