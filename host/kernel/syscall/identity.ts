// Who is asking: numbers of process, thread and parent.

import { PROCESS_PARENT, PROCESS_TGID, TASK_PID, TASK_PROCESS } from "../../../assembly/layout.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import type { Hart } from "../../policy/hart.ts";
import { call, type SystemCall } from "./types.ts";

export const identityCalls: readonly (readonly [number, SystemCall])[] = [
  [172, call("getpid", [], sysGetpid)],
  [173, call("getppid", [], sysGetppid)],
  [178, call("gettid", [], sysGettid)],
];

function sysGetpid(hart: Hart): number {
  return hart.shared.get(hart.shared.get(hart.current + TASK_PROCESS) + PROCESS_TGID);
}

function sysGettid(hart: Hart): number {
  return hart.shared.get(hart.current + TASK_PID);
}

/** The parent may end at any moment: its record stays for as long as we look. */
function sysGetppid(hart: Hart): number {
  const { shared } = hart;
  rcuReadLock(hart);
  const parent = shared.loadAcquire(shared.get(hart.current + TASK_PROCESS) + PROCESS_PARENT);
  const pid = parent === 0 ? 0 : shared.get(parent + PROCESS_TGID);
  rcuReadUnlock(hart);
  return pid;
}
