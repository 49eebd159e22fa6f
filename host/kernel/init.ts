// The first process. Made by hart 0 before the others are let go: the idle task lends its hart, so that the program can
// be copied through the new address space's own translations.

import {
  CONSOLE_IS_TTY,
  HART_IRQ_OFF_DEPTH,
  MACHINE_BASE,
  MACHINE_INIT_TASK,
  TASK_ACTIVE_MM,
  TASK_FILES,
  TASK_MM,
  TASK_PC,
  TASK_SIGHAND,
} from "../../assembly/layout.ts";
import { consoleFlags } from "../devices/console.ts";
import { type LoadedProgram, loadProgram, type Program } from "../loader/exec.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { switchMm } from "../mm/context.ts";
import { mmAlloc } from "../mm/mm.ts";
import type { Hart } from "../policy/hart.ts";
import { allocConsoleFiles } from "./files.ts";
import { addThreadLocked, allocProcess, nameProcess, setExePath } from "./process.ts";
import { random32, seedRandom } from "./random.ts";
import { registerOffset, storeU64 } from "./registers.ts";
import { wakeTask } from "./sched.ts";
import { allocSighand } from "./sighand.ts";
import { allocTask, attachPidLocked, setComm, TASKLIST_LOCK } from "./task.ts";

const SP = 2;

/** Makes init from `program` and starts it. "" or one line that says why the program can not be run. */
export function startInit(hart: Hart, program: Program): string {
  const { shared } = hart;
  seedRandom(shared);
  const task = makeInitTask(hart, program);
  if (task === 0) return "not enough memory for the first process";
  const loaded = withMm(hart, task, () =>
    loadProgram(hart, shared.get(task + TASK_MM), program, () => random32(hart)),
  );
  if ("error" in loaded) return loaded.error;
  startAt(hart, task, loaded);
  return "";
}

function makeInitTask(hart: Hart, program: Program): number {
  const { shared } = hart;
  const task = allocTask(hart);
  const process = task === 0 ? 0 : allocProcess(hart, task);
  const mm = mmAlloc(hart);
  const files = allocConsoleFiles(hart, (consoleFlags(hart) & CONSOLE_IS_TTY) !== 0);
  const sighand = allocSighand(hart);
  if (process === 0 || mm === 0 || files === 0 || sighand === 0) return 0;
  shared.set(task + TASK_MM, mm);
  shared.set(task + TASK_FILES, files);
  shared.set(task + TASK_SIGHAND, sighand);
  setComm(shared, task, program.path.slice(program.path.lastIndexOf("/") + 1));
  setExePath(shared, process, program.path);
  spinLock(hart, TASKLIST_LOCK);
  attachPidLocked(hart, task);
  addThreadLocked(shared, process, task);
  nameProcess(shared, process);
  spinUnlock(hart, TASKLIST_LOCK);
  shared.set(MACHINE_BASE + MACHINE_INIT_TASK, task);
  return task;
}

/** Runs `work` as `task` would: it is current and its mm is loaded. (Linux: kthread_use_mm) */
function withMm(hart: Hart, task: number, work: () => ReturnType<typeof loadProgram>): ReturnType<typeof loadProgram> {
  const { shared } = hart;
  const idle = hart.current;
  const borrowed = shared.get(idle + TASK_ACTIVE_MM);
  const mm = shared.get(task + TASK_MM);
  switchWithInterruptsOff(hart, borrowed, mm);
  shared.set(task + TASK_ACTIVE_MM, mm);
  hart.setCurrent(task);
  try {
    return work();
  } finally {
    hart.setCurrent(idle);
    shared.set(task + TASK_ACTIVE_MM, 0);
    switchWithInterruptsOff(hart, mm, borrowed);
  }
}

function switchWithInterruptsOff(hart: Hart, from: number, to: number): void {
  hart.set(HART_IRQ_OFF_DEPTH, hart.get(HART_IRQ_OFF_DEPTH) + 1);
  switchMm(hart, from, to);
  hart.set(HART_IRQ_OFF_DEPTH, hart.get(HART_IRQ_OFF_DEPTH) - 1);
}

function startAt(hart: Hart, task: number, loaded: LoadedProgram): void {
  storeU64(hart, task + TASK_PC, loaded.entry);
  storeU64(hart, task + registerOffset(SP), loaded.sp);
  wakeTask(hart, task);
}
