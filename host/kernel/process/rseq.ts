// Restartable sequences: a thread's struct rseq says on which hart it runs, and which sequence of instructions it is
// in. A task that has lost its hart, or enters a signal handler, in the middle of one goes on at the sequence's abort
// handler. (Linux: kernel/rseq.c)

import {
  HART_KERNEL_SCRATCH,
  HART_NEED_RESCHED,
  HART_PC,
  PF_RSEQ,
  TASK_FLAGS,
  TASK_RSEQ,
  TASK_RSEQ_BYTES,
  TASK_RSEQ_SIGNATURE,
} from "../../../assembly/layout.ts";
import { clearUser, copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import { TASK_BYTES_USER } from "../../mm/uapi.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadU64, storeU64 } from "../registers.ts";
import { forceBadFrame } from "../signal/force-signal.ts";

// struct rseq
const RSEQ_CS = 8; // u64, after u32 cpu_id_start and cpu_id
const RSEQ_NODE_ID = 20; // u32, then u32 mm_cid
// struct rseq_cs: u32 version, flags; u64 start_ip, post_commit_offset, abort_ip
const CS_BYTES = 32;
const CPU_ID_UNINITIALIZED = -1;
const SIGNATURE_BYTES = 4;

/** The current task's sequence is aborted before more guest code runs; also from an interrupt. (rseq_preempt) */
export function preemptRseq(hart: Hart): void {
  const { shared, current } = hart;
  if (shared.get(current + TASK_RSEQ_BYTES) === 0) return;
  shared.set(current + TASK_FLAGS, shared.get(current + TASK_FLAGS) | PF_RSEQ);
  hart.set(HART_NEED_RESCHED, 1); // leaves the loop of traps, which does not look at the flags
}

/** Before guest code runs after a switch. False: the struct is unusable, and SIGSEGV has been sent. */
export function resumeRseq(hart: Hart): boolean {
  const { shared, current } = hart;
  shared.set(current + TASK_FLAGS, shared.get(current + TASK_FLAGS) & ~PF_RSEQ);
  if (shared.get(current + TASK_RSEQ_BYTES) === 0) return true;
  if (abortRseq(hart) && writeIds(hart)) return true;
  forceBadFrame(hart, "its struct rseq is not usable");
  return false;
}

/** If pc is in the middle of the current sequence, it goes to the abort handler. False: the struct is unusable. */
export function abortRseq(hart: Hart): boolean {
  const { shared, current } = hart;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const rseq = shared.getF64(current + TASK_RSEQ);
  if (copyFromUser(hart, scratch, rseq + RSEQ_CS, 8) < 0) return false;
  const sequence = loadU64(hart, scratch);
  if (sequence === 0) return true;
  if (sequence >= TASK_BYTES_USER || copyFromUser(hart, scratch, sequence, CS_BYTES) < 0) return false;
  const version = shared.get(scratch);
  const [start, length, abort] = [loadU64(hart, scratch + 8), loadU64(hart, scratch + 16), loadU64(hart, scratch + 24)];
  const isSound = start < TASK_BYTES_USER && abort < TASK_BYTES_USER && start + length < TASK_BYTES_USER;
  if (version !== 0 || !isSound || (abort >= start && abort < start + length)) return false;
  if (copyFromUser(hart, scratch, abort - SIGNATURE_BYTES, SIGNATURE_BYTES) < 0) return false;
  if (shared.get(scratch) !== shared.get(current + TASK_RSEQ_SIGNATURE)) return false;
  // Left or aborted, the sequence is over. (clear_rseq_cs)
  if (clearUser(hart, rseq + RSEQ_CS, 8) < 0) return false;
  const pc = loadU64(hart, hart.base + HART_PC);
  if (pc >= start && pc < start + length) storeU64(hart, hart.base + HART_PC, abort);
  return true;
}

/** The struct says where the task is. False: it can not be written. */
export function writeIds(hart: Hart): boolean {
  return store(hart, hart.id, hart.id, hart.id);
}

/** It says that nobody keeps it true any more. (rseq_reset_rseq_cpu_node_id) */
export function resetIds(hart: Hart): boolean {
  return store(hart, 0, CPU_ID_UNINITIALIZED, 0);
}

/** A process's copy goes on in the middle of what its parent was doing. */
export function copyRseq(hart: Hart, child: number): void {
  const { shared, current } = hart;
  shared.setF64(child + TASK_RSEQ, shared.getF64(current + TASK_RSEQ));
  shared.set(child + TASK_RSEQ_BYTES, shared.get(current + TASK_RSEQ_BYTES));
  shared.set(child + TASK_RSEQ_SIGNATURE, shared.get(current + TASK_RSEQ_SIGNATURE));
}

/** There is one node; harts as concurrency ids are unique in an address space, if not dense. */
function store(hart: Hart, start: number, cpu: number, concurrency: number): boolean {
  const { shared, current } = hart;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const rseq = shared.getF64(current + TASK_RSEQ);
  shared.set(scratch, start);
  shared.set(scratch + 4, cpu);
  shared.set(scratch + 8, 0);
  shared.set(scratch + 12, concurrency);
  return copyToUser(hart, rseq, scratch, 8) === 0 && copyToUser(hart, rseq + RSEQ_NODE_ID, scratch + 8, 8) === 0;
}
