// membarrier(2): a full barrier on every hart that runs the caller's process, paid for by the caller. (Linux:
// kernel/sched/membarrier.c)
//
// A hart is interrupted if rq.curr (HART_CURRENT) runs in the mm. One that is not is in the middle of a switch, and the
// switch owes the barrier: between the last access of user code and the store of rq.curr, which the lock of the run
// queue gives, and between that store and the return to user code (orderForMembarrier in switch.ts).

import {
  HART_CURRENT,
  IPI_BARRIER,
  IPI_FENCE_I,
  IPI_RSEQ,
  MM_MEMBARRIER,
  MM_USERS,
  TASK_MM,
} from "../../../assembly/layout.ts";
import { EINVAL, EPERM } from "../../memory/errno.ts";
import { hartBase } from "../../memory/hart-local.ts";
import { sendIpi } from "../../memory/ipi.ts";
import { rcuReadLock, rcuReadUnlock, synchronizeRcu } from "../../memory/rcu.ts";
import type { Hart } from "../../policy/hart.ts";

const CMD_QUERY = 0;
const CMD_GLOBAL = 1 << 0;
const CMD_GLOBAL_EXPEDITED = 1 << 1;
const CMD_REGISTER_GLOBAL_EXPEDITED = 1 << 2;
const CMD_PRIVATE_EXPEDITED = 1 << 3;
const CMD_REGISTER_PRIVATE_EXPEDITED = 1 << 4;
const CMD_PRIVATE_EXPEDITED_SYNC_CORE = 1 << 5;
const CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 1 << 6;
const CMD_PRIVATE_EXPEDITED_RSEQ = 1 << 7;
const CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 1 << 8;
const CMD_GET_REGISTRATIONS = 1 << 9;
const ALL_COMMANDS = (1 << 10) - 1;
const CMD_FLAG_CPU = 1;

const ANY_HART = -1;

// MM_MEMBARRIER: the commands for which the process has registered, as their bits.
const PRIVATE = CMD_PRIVATE_EXPEDITED;
const SYNC_CORE = CMD_PRIVATE_EXPEDITED_SYNC_CORE;
const RSEQ = CMD_PRIVATE_EXPEDITED_RSEQ;
const GLOBAL = CMD_GLOBAL_EXPEDITED;

/** 0, a mask of commands, or -errno. May wait for other harts. `cpu`: with CMD_FLAG_CPU, the only hart that counts. */
export function membarrier(hart: Hart, command: number, flags: number, cpu = ANY_HART): number {
  if (flags !== 0 && !(command === CMD_PRIVATE_EXPEDITED_RSEQ && flags === CMD_FLAG_CPU)) return -EINVAL;
  const mm = hart.shared.get(hart.current + TASK_MM);
  switch (command) {
    case CMD_QUERY:
      return ALL_COMMANDS;
    case CMD_GLOBAL:
      if (hart.hartCount > 1) synchronizeRcu(hart);
      return 0;
    case CMD_GLOBAL_EXPEDITED:
      return interrupt(hart, 0, GLOBAL, IPI_BARRIER);
    case CMD_REGISTER_GLOBAL_EXPEDITED:
      return register(hart, mm, GLOBAL);
    case CMD_PRIVATE_EXPEDITED:
      return interruptOwn(hart, mm, PRIVATE, IPI_BARRIER);
    case CMD_REGISTER_PRIVATE_EXPEDITED:
      return register(hart, mm, PRIVATE);
    case CMD_PRIVATE_EXPEDITED_SYNC_CORE:
      return interruptOwn(hart, mm, SYNC_CORE, IPI_FENCE_I);
    case CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
      return register(hart, mm, SYNC_CORE);
    case CMD_PRIVATE_EXPEDITED_RSEQ:
      return interruptOwn(hart, mm, RSEQ, IPI_RSEQ, flags === CMD_FLAG_CPU ? cpu : ANY_HART);
    case CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
      return register(hart, mm, RSEQ);
    case CMD_GET_REGISTRATIONS:
      return registrations(hart.shared.loadAcquire(mm + MM_MEMBARRIER));
    default:
      return -EINVAL;
  }
}

/** Each registration of a private command shows that of the plain one too. (membarrier_get_registrations) */
function registrations(registered: number): number {
  const isPrivate = (registered & (PRIVATE | SYNC_CORE | RSEQ)) !== 0;
  return (
    ((registered & GLOBAL) !== 0 ? CMD_REGISTER_GLOBAL_EXPEDITED : 0) |
    (isPrivate ? CMD_REGISTER_PRIVATE_EXPEDITED : 0) |
    ((registered & SYNC_CORE) !== 0 ? CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE : 0) |
    ((registered & RSEQ) !== 0 ? CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ : 0)
  );
}

function interruptOwn(hart: Hart, mm: number, registered: number, op: number, only = ANY_HART): number {
  if ((hart.shared.loadAcquire(mm + MM_MEMBARRIER) & registered) === 0) return -EPERM;
  if (op === IPI_FENCE_I) hart.core.fenceI();
  if (hart.shared.loadAcquire(mm + MM_USERS) === 1) return 0;
  return interrupt(hart, mm, registered, op, only);
}

/**
 * A barrier, then `op` on every other hart, or on the `only` one, that runs in `mm` (0: in any mm that has registered),
 * then a barrier.
 */
function interrupt(hart: Hart, mm: number, registered: number, op: number, only = ANY_HART): number {
  const { shared } = hart;
  const targets = hart.flushMask;
  targets.fill(0);
  // Orders the caller's accesses before the reads of rq.curr.
  shared.barrier(hart.base + HART_CURRENT);
  rcuReadLock(hart);
  for (let id = 0; id < hart.hartCount; id++) {
    const counts = id !== hart.id && (only === ANY_HART || only === id);
    const task = !counts ? 0 : shared.loadAcquire(hartBase(id) + HART_CURRENT);
    const other = task === 0 ? 0 : shared.loadAcquire(task + TASK_MM);
    if (other === 0) continue;
    if (mm === 0 ? (shared.loadOnce(other + MM_MEMBARRIER) & registered) !== 0 : other === mm) {
      targets[id >>> 5] |= 1 << (id & 31);
    }
  }
  rcuReadUnlock(hart);
  sendIpi(hart, targets, op, mm);
  shared.barrier(hart.base + HART_CURRENT);
  return 0;
}

/** From when this returns, every switch to the mm gives the barrier that an uninterrupted hart owes. */
function register(hart: Hart, mm: number, bits: number): number {
  const { shared } = hart;
  if ((shared.loadAcquire(mm + MM_MEMBARRIER) & bits) === bits) return 0;
  shared.fetchOr(mm + MM_MEMBARRIER, bits);
  // A switch that has looked at the old value is over when its hart was quiescent.
  if (shared.loadAcquire(mm + MM_USERS) > 1 && hart.hartCount > 1) synchronizeRcu(hart);
  return 0;
}
