// clone and clone3: the arguments of both, as one. (riscv64 has no fork or vfork of its own.)

import { HART_BUFFER, TASK_RESTART } from "../../../assembly/layout.ts";
import { E2BIG, EFAULT, EINVAL } from "../../memory/errno.ts";
import { copyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { afterEvents } from "../memory/userfaultfd-events.ts";
import { type CloneArguments, cloneTask } from "../process/clone.ts";
import { waitForVfork } from "../process/vfork.ts";
import { argAddress, argUint, loadU64 } from "../registers.ts";
import { isRestart, WAIT } from "../sched/wait.ts";
import { SIGNAL_COUNT } from "../signal/signal-numbers.ts";
import { CLONE_DETACHED, CLONE_PARENT, CLONE_SIGHAND, CLONE_THREAD, CLONE_VFORK, CSIGNAL } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

const NR_CLONE = 220;
const NR_CLONE3 = 435;

export const cloneCalls: readonly (readonly [number, SystemCall])[] = [
  [NR_CLONE, call("clone", ["cloneFlags", "pointer", "pointer", "pointer", "pointer"], afterEvents(sysClone))],
  [NR_CLONE3, call("clone3", ["pointer", "size"], afterEvents(sysClone3))],
];

/** riscv64 has the argument order of CONFIG_CLONE_BACKWARDS: tls before child_tid. */
function sysClone(hart: Hart): number {
  if (isRestart(hart, NR_CLONE)) return afterVfork(hart, NR_CLONE);
  const flags = argUint(hart, 0);
  const args = {
    flags: flags & ~CSIGNAL,
    clearsHandlers: false,
    stack: argAddress(hart, 1),
    parentTid: argAddress(hart, 2),
    pidfd: argAddress(hart, 2),
    childTid: argAddress(hart, 4),
    tls: argAddress(hart, 3),
    exitSignal: flags & CSIGNAL,
  };
  return begin(hart, NR_CLONE, args);
}

// struct clone_args (linux/sched.h)
const ARGS_FLAGS = 0;
const ARGS_PIDFD = 8;
const ARGS_CHILD_TID = 16;
const ARGS_PARENT_TID = 24;
const ARGS_EXIT_SIGNAL = 32;
const ARGS_STACK = 40;
const ARGS_STACK_BYTES = 48;
const ARGS_TLS = 56;
const ARGS_SET_TID = 64;
const ARGS_SET_TID_COUNT = 72;
const ARGS_BYTES_MIN = 64; // CLONE_ARGS_SIZE_VER0
const ARGS_BYTES = 88; // CLONE_ARGS_SIZE_VER2
const ARGS_BYTES_MAX = 4096;
const CLEAR_SIGHAND_HIGH = 1; // CLONE_CLEAR_SIGHAND, in the upper half of the flags

function sysClone3(hart: Hart): number {
  if (isRestart(hart, NR_CLONE3)) return afterVfork(hart, NR_CLONE3);
  const bytes = argAddress(hart, 1);
  const buffer = hart.base + HART_BUFFER;
  if (bytes > ARGS_BYTES_MAX) return -E2BIG;
  if (bytes < ARGS_BYTES_MIN) return -EINVAL;
  hart.core.zeroBytes(buffer, ARGS_BYTES);
  if (copyFromUser(hart, buffer, argAddress(hart, 0), bytes) < 0) return -EFAULT;
  // A newer program's struct may be longer, if what this kernel does not know is 0. (copy_struct_from_user)
  for (let i = ARGS_BYTES; i < bytes; i++) if (hart.shared.u8[buffer + i] !== 0) return -E2BIG;
  const error = checkArguments(hart, buffer);
  if (error !== 0) return error;
  const stack = loadU64(hart, buffer + ARGS_STACK);
  return begin(hart, NR_CLONE3, {
    flags: hart.shared.get(buffer + ARGS_FLAGS),
    clearsHandlers: hart.shared.get(buffer + ARGS_FLAGS + 4) !== 0,
    stack: stack === 0 ? 0 : stack + loadU64(hart, buffer + ARGS_STACK_BYTES),
    parentTid: loadU64(hart, buffer + ARGS_PARENT_TID),
    pidfd: loadU64(hart, buffer + ARGS_PIDFD),
    childTid: loadU64(hart, buffer + ARGS_CHILD_TID),
    tls: loadU64(hart, buffer + ARGS_TLS),
    exitSignal: hart.shared.get(buffer + ARGS_EXIT_SIGNAL),
  });
}

/** copy_clone_args_from_user and clone3_args_valid. */
function checkArguments(hart: Hart, buffer: number): number {
  const { shared } = hart;
  const at = (field: number) => loadU64(hart, buffer + field);
  // The caller may not choose numbers (set_tid), nor a cgroup.
  if (at(ARGS_SET_TID) !== 0 || at(ARGS_SET_TID_COUNT) !== 0) return -EINVAL;
  const exitSignal = at(ARGS_EXIT_SIGNAL);
  if (exitSignal > SIGNAL_COUNT) return -EINVAL;
  const flags = shared.get(buffer + ARGS_FLAGS);
  const high = shared.get(buffer + ARGS_FLAGS + 4);
  if ((high & ~CLEAR_SIGHAND_HIGH) !== 0) return -EINVAL;
  if ((flags & (CLONE_DETACHED | CSIGNAL)) !== 0) return -EINVAL;
  if ((flags & CLONE_SIGHAND) !== 0 && high !== 0) return -EINVAL;
  if ((flags & (CLONE_THREAD | CLONE_PARENT)) !== 0 && exitSignal !== 0) return -EINVAL;
  return (at(ARGS_STACK) === 0) === (at(ARGS_STACK_BYTES) === 0) ? 0 : -EINVAL;
}

function begin(hart: Hart, number: number, args: CloneArguments): number {
  const pid = cloneTask(hart, args);
  if (pid < 0 || (args.flags & CLONE_VFORK) === 0) return pid;
  hart.shared.setF64(hart.current + TASK_RESTART, pid);
  return afterVfork(hart, number);
}

function afterVfork(hart: Hart, number: number): number {
  return waitForVfork(hart, number) ? WAIT : hart.shared.getF64(hart.current + TASK_RESTART);
}
