// How many tasks run or could, now and on average. (Linux: kernel/sched/loadavg.c)

import {
  HART_IDLE_TASK,
  MACHINE_BASE,
  MACHINE_HART_COUNT,
  MACHINE_LOAD_AVERAGES,
  MACHINE_LOAD_SAMPLED_NS,
  RQ_COUNT,
  TASK_ON_HART,
} from "../../../assembly/layout.ts";
import { hartBase, rqOf } from "../../memory/hart-local.ts";
import type { Hart } from "../../policy/hart.ts";

const AVERAGES = MACHINE_BASE + MACHINE_LOAD_AVERAGES;
const SAMPLED = MACHINE_BASE + MACHINE_LOAD_SAMPLED_NS;
/** What each of the three averages forgets to a third in. */
const PERIODS_NS = [60e9, 300e9, 900e9];

/** Tasks that run or could. */
export function runningCount({ shared }: Hart): number {
  let count = 0;
  for (let id = 0; id < shared.get(MACHINE_BASE + MACHINE_HART_COUNT); id++) {
    const idleTask = shared.get(hartBase(id) + HART_IDLE_TASK);
    const busy = idleTask !== 0 && shared.loadOnce(idleTask + TASK_ON_HART) === 0;
    count += shared.loadOnce(rqOf(id) + RQ_COUNT) + (busy ? 1 : 0);
  }
  return count;
}

/** Called now and then by a kernel thread, which does not count itself. The times in between may differ. */
export function sampleLoad(hart: Hart): void {
  const { shared } = hart;
  const now = hart.clock.now();
  const passed = now - shared.getF64(SAMPLED);
  const active = runningCount(hart) - 1;
  PERIODS_NS.forEach((period, i) => {
    const kept = Math.exp(-passed / period);
    shared.setF64(AVERAGES + 8 * i, shared.getF64(AVERAGES + 8 * i) * kept + active * (1 - kept));
  });
  shared.setF64(SAMPLED, now);
}

/** Of 1, 5 and 15 minutes. */
export function loadAverages({ shared }: Hart): number[] {
  return PERIODS_NS.map((_, i) => shared.getF64(AVERAGES + 8 * i));
}
