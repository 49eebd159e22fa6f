// What a new task shares with its creator and what it gets a copy of: memory, descriptors, directories, signal actions,
// and, for a new process, what the threads of one have together. (Linux: copy_files, copy_sighand, copy_signal,
// copy_mm)

import {
  POOL_PROCESS,
  PROCESS_CHILD_SUBREAPER,
  PROCESS_DID_EXEC,
  PROCESS_EXE_BYTES,
  PROCESS_EXE_BYTES_MAX,
  PROCESS_FLAGS,
  PROCESS_OOM_SCORE_ADJ,
  PROCESS_OOM_SCORE_ADJ_MIN,
  PROCESS_PERSONALITY,
  PROCESS_RLIMIT_BYTES,
  PROCESS_RLIMITS,
  PROCESS_STOPPED,
  RLIMIT_COUNT,
  TASK_FILES,
  TASK_FS,
  TASK_MM,
  TASK_PROCESS,
  TASK_SIGHAND,
} from "../../../assembly/layout.ts";
import { EAGAIN, ENOMEM } from "../../memory/errno.ts";
import { kmemCacheFree } from "../../memory/slab.ts";
import { dupMm } from "../../mm/dup-mmap.ts";
import { mmget, mmput } from "../../mm/mm.ts";
import type { Hart } from "../../policy/hart.ts";
import { dupFiles, getFiles, putFiles } from "../file/files.ts";
import { copyFs, getFs, putFs } from "../file/fs-struct.ts";
import { clearHandlers, copySighand, getSighand, putSighand } from "../signal/sighand.ts";
import { CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_THREAD, CLONE_VM } from "../uapi.ts";
import { copyCredentials } from "./cred.ts";
import { allocProcess } from "./process.ts";

/** Flags of a process that its child begins without. */
const NOT_INHERITED = PROCESS_DID_EXEC | PROCESS_CHILD_SUBREAPER | PROCESS_STOPPED;

/** Gives `child`, which nobody knows yet, its references. 0, or -errno and it holds none. */
export function copyResources(hart: Hart, child: number, flags: number, clearsHandlers: boolean): number {
  const error = tryCopy(hart, child, flags, clearsHandlers);
  if (error !== 0) dropResources(hart, child, flags);
  return error;
}

/** The child will not come to life. */
export function dropResources(hart: Hart, child: number, flags: number): void {
  const { shared } = hart;
  const [mm, files, fs, sighand] = [TASK_MM, TASK_FILES, TASK_FS, TASK_SIGHAND].map((field) =>
    shared.get(child + field),
  );
  const process = shared.get(child + TASK_PROCESS);
  if (mm !== 0) mmput(hart, mm);
  if (files !== 0) putFiles(hart, files);
  if (fs !== 0) putFs(hart, fs);
  if (sighand !== 0) putSighand(hart, sighand);
  if (process !== 0 && (flags & CLONE_THREAD) === 0) kmemCacheFree(hart, POOL_PROCESS, process);
}

function tryCopy(hart: Hart, child: number, flags: number, clearsHandlers: boolean): number {
  const { shared, current } = hart;
  const [mm, files, fs, sighand] = [TASK_MM, TASK_FILES, TASK_FS, TASK_SIGHAND].map((field) =>
    shared.get(current + field),
  );
  if ((flags & CLONE_THREAD) === 0) {
    const process = copyProcess(hart, child);
    if (process === 0) return -EAGAIN;
    shared.set(child + TASK_PROCESS, process);
  }
  const newFiles = (flags & CLONE_FILES) !== 0 ? getFiles(hart, files) : dupFiles(hart, files);
  if (newFiles === 0) return -ENOMEM;
  shared.set(child + TASK_FILES, newFiles);
  const newFs = (flags & CLONE_FS) !== 0 ? getFs(hart, fs) : copyFs(hart, fs);
  if (newFs === 0) return -ENOMEM;
  shared.set(child + TASK_FS, newFs);
  const newSighand = (flags & CLONE_SIGHAND) !== 0 ? getSighand(hart, sighand) : copySighand(hart, sighand);
  if (newSighand === 0) return -ENOMEM;
  if (clearsHandlers) clearHandlers(hart, newSighand);
  shared.set(child + TASK_SIGHAND, newSighand);
  if ((flags & CLONE_VM) !== 0) mmget(hart, mm);
  const newMm = (flags & CLONE_VM) !== 0 ? mm : dupMm(hart, mm);
  if (newMm === 0) return -ENOMEM;
  shared.set(child + TASK_MM, newMm);
  return 0;
}

/** A process like the current one, led by `leader`, or 0. */
function copyProcess(hart: Hart, leader: number): number {
  const { shared, core } = hart;
  const own = shared.get(hart.current + TASK_PROCESS);
  const process = allocProcess(hart, leader);
  if (process === 0) return 0;
  core.copyBytes(process + PROCESS_RLIMITS, own + PROCESS_RLIMITS, RLIMIT_COUNT * PROCESS_RLIMIT_BYTES);
  core.copyBytes(process + PROCESS_EXE_BYTES, own + PROCESS_EXE_BYTES, 4 + PROCESS_EXE_BYTES_MAX);
  shared.set(process + PROCESS_FLAGS, shared.get(own + PROCESS_FLAGS) & ~NOT_INHERITED);
  copyCredentials(hart, process, own);
  for (const field of [PROCESS_OOM_SCORE_ADJ, PROCESS_OOM_SCORE_ADJ_MIN]) {
    shared.set(process + field, shared.loadOnce(own + field));
  }
  shared.set(process + PROCESS_PERSONALITY, shared.get(own + PROCESS_PERSONALITY));
  return process;
}
