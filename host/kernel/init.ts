// The first process. Made by hart 0 before the others are let go: the idle task lends its hart, so that the program can
// be copied through the new address space's own translations.

import {
  CONSOLE_IS_TTY,
  MACHINE_BASE,
  MACHINE_INIT_TASK,
  MACHINE_PROCESS_COUNT,
  STOP_NOT_RUNNABLE,
  TASK_FILES,
  TASK_FS,
  TASK_MM,
  TASK_PC,
  TASK_SIGHAND,
} from "../../assembly/layout.ts";
import { consoleFlags } from "../devices/console.ts";
import { stopMachine } from "../devices/power.ts";
import { type LoadedProgram, loadProgram } from "../loader/exec.ts";
import { spinLock, spinUnlock } from "../memory/spinlock.ts";
import { mmAlloc } from "../mm/mm.ts";
import { writeOops } from "../observe/oops.ts";
import type { Hart } from "../policy/hart.ts";
import { findInitProgram, type InitProgram, type NoProgram } from "./exec/init-program.ts";
import { allocConsoleFiles, fput } from "./file/files.ts";
import { allocFs } from "./file/fs-struct.ts";
import { mountRoot } from "./file/mount-root.ts";
import { addThreadLocked, allocProcess, nameProcess, setExePath } from "./process/process.ts";
import { allocTask, attachPidLocked, setComm, TASKLIST_LOCK } from "./process/task.ts";
import { random32 } from "./random.ts";
import { registerOffset, storeU64 } from "./registers.ts";
import { unuseMm, useMmOf } from "./sched/kthread-mm.ts";
import { allocSighand } from "./signal/sighand.ts";
import { giveTerminalLocked } from "./tty/tty-job-control.ts";

const SP = 2;
const NO_MEMORY: NoProgram = { error: "not enough memory for the first process", missing: false };

/**
 * Makes init, ready to be woken. 0 if the program can not be run: then the machine has stopped (STOP_NOT_RUNNABLE) and
 * one line says why, where an oops would be.
 */
export function makeInitTask(hart: Hart, init: InitProgram): number {
  const { shared } = hart;
  const task = allocInit(hart, init.path);
  const loaded = task === 0 ? NO_MEMORY : load(hart, task, init);
  if ("error" in loaded) {
    writeOops(shared, `${init.path}: ${loaded.error}`);
    stopMachine(shared, STOP_NOT_RUNNABLE, loaded.missing ? 1 : 0, hart.id);
    return 0;
  }
  storeU64(hart, task + TASK_PC, loaded.entry);
  storeU64(hart, task + registerOffset(SP), loaded.sp);
  return task;
}

function allocInit(hart: Hart, path: string): number {
  const { shared } = hart;
  const task = allocTask(hart);
  const process = task === 0 ? 0 : allocProcess(hart, task);
  const mm = mmAlloc(hart);
  const root = mountRoot(hart);
  const fs = root === 0 ? 0 : allocFs(hart, root);
  const files = fs === 0 ? 0 : allocConsoleFiles(hart, (consoleFlags(hart) & CONSOLE_IS_TTY) !== 0);
  const sighand = allocSighand(hart);
  if (process === 0 || mm === 0 || files === 0 || sighand === 0) return 0;
  shared.set(task + TASK_MM, mm);
  shared.set(task + TASK_FILES, files);
  shared.set(task + TASK_FS, fs);
  shared.set(task + TASK_SIGHAND, sighand);
  setComm(shared, task, path.slice(path.lastIndexOf("/") + 1));
  setExePath(shared, process, path);
  spinLock(hart, TASKLIST_LOCK);
  attachPidLocked(hart, task);
  addThreadLocked(shared, process, task);
  nameProcess(shared, process);
  // The first process leads the session that has the terminal, as a shell does that getty has started.
  if ((consoleFlags(hart) & CONSOLE_IS_TTY) !== 0) giveTerminalLocked(shared, process);
  shared.set(MACHINE_BASE + MACHINE_PROCESS_COUNT, 1);
  spinUnlock(hart, TASKLIST_LOCK);
  shared.set(MACHINE_BASE + MACHINE_INIT_TASK, task);
  return task;
}

/** Loads the program as `task` would: it is current and its mm is loaded. */
function load(hart: Hart, task: number, init: InitProgram): LoadedProgram | NoProgram {
  const mm = hart.shared.get(task + TASK_MM);
  const previous = useMmOf(hart, task);
  const held: number[] = [];
  const program = findInitProgram(hart, init, held);
  const loaded = "error" in program ? program : loadProgram(hart, mm, program, () => random32(hart));
  for (const file of held) fput(hart, file);
  unuseMm(hart, previous);
  return "error" in loaded ? { missing: false, ...loaded } : loaded;
}
