// The machine and what a process may use of it: uname, sysinfo, random numbers, limits, and the two
// calls that only riscv has.

import {
  HART_BUFFER,
  HART_BUFFER_BYTES,
  HART_KERNEL_SCRATCH,
  IPI_FENCE_I,
  MACHINE_BASE,
  MACHINE_ONLINE_MASK,
  MACHINE_SWAP_SLOTS,
  MACHINE_TASK_COUNT,
  PAGE_BYTES,
  RLIMIT_COUNT,
  TASK_MM,
  TASK_PROCESS,
} from "../../../assembly/layout.ts";
import { cpumaskCopyOthers } from "../../memory/cpumask.ts";
import { EFAULT, EINVAL, EPERM, ESRCH } from "../../memory/errno.ts";
import { sendIpi } from "../../memory/ipi.ts";
import { rcuReadLock, rcuReadUnlock } from "../../memory/rcu.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import { freeFrameCount } from "../../mm/frame/frames.ts";
import { ramFrameCount } from "../../mm/frame/page.ts";
import { swapFreeSlots } from "../../mm/reclaim/swap-map.ts";
import { copyFromUser, copyPartToUser, copyToUser, prepareResult } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { isCapable } from "../process/cred.ts";
import { hardLimit, setLimit, softLimit } from "../process/process.ts";
import { findTask } from "../process/task.ts";
import { randomFill } from "../random.ts";
import { argAddress, argHigh, argInt, argUint, loadU64, storeU64 } from "../registers.ts";
import { loadAverages } from "../sched/load.ts";
import { NS_PER_SECOND, RLIM_INFINITY_F64, RLIMIT_NOFILE } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const systemCalls: readonly (readonly [number, SystemCall])[] = [
  [160, call("uname", ["pointer"], sysUname)],
  [163, call("getrlimit", ["int", "pointer"], sysGetrlimit)],
  [164, call("setrlimit", ["int", "pointer"], sysSetrlimit)],
  [179, call("sysinfo", ["pointer"], sysSysinfo)],
  [259, call("riscv_flush_icache", ["pointer", "pointer", "hex"], sysFlushIcache)],
  [261, call("prlimit64", ["int", "int", "pointer", "pointer"], sysPrlimit)],
  [278, call("getrandom", ["pointer", "size", "hex"], sysGetrandom)],
];

const UTS_FIELD_BYTES = 65;
const UTS_FIELDS: readonly string[] = ["Linux", "pagewalk", "6.12.0", "#1 SMP pagewalk", "riscv64", "(none)"];

function sysUname(hart: Hart): number {
  const buffer = hart.base + HART_BUFFER;
  const bytes = UTS_FIELDS.length * UTS_FIELD_BYTES;
  hart.core.zeroBytes(buffer, bytes);
  UTS_FIELDS.forEach((text, field) => {
    for (let i = 0; i < text.length; i++) hart.shared.u8[buffer + field * UTS_FIELD_BYTES + i] = text.charCodeAt(i);
  });
  return copyToUser(hart, argAddress(hart, 0), buffer, bytes);
}

const SYSINFO_BYTES = 112;
const SI_LOAD_UNIT = 1 << 16; // 1 << SI_LOAD_SHIFT

/** struct sysinfo: uptime, loads[3], total, free, shared and buffer RAM, swap[2]; u16 procs; high[2]; u32 mem_unit. */
function sysSysinfo(hart: Hart): number {
  const { shared } = hart;
  const buffer = hart.base + HART_BUFFER;
  hart.core.zeroBytes(buffer, SYSINFO_BYTES);
  storeU64(hart, buffer, Math.floor(hart.clock.now() / NS_PER_SECOND));
  storeU64(hart, buffer + 32, ramFrameCount(shared) * PAGE_BYTES);
  storeU64(hart, buffer + 40, freeFrameCount(shared) * PAGE_BYTES);
  loadAverages(hart).forEach((load, i) => {
    storeU64(hart, buffer + 8 + 8 * i, Math.round(load * SI_LOAD_UNIT));
  });
  storeU64(hart, buffer + 64, shared.get(MACHINE_BASE + MACHINE_SWAP_SLOTS) * PAGE_BYTES);
  storeU64(hart, buffer + 72, swapFreeSlots(shared) * PAGE_BYTES);
  shared.set(buffer + 80, shared.get(MACHINE_BASE + MACHINE_TASK_COUNT));
  shared.set(buffer + 104, 1);
  return copyToUser(hart, argAddress(hart, 0), buffer, SYSINFO_BYTES);
}

const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;
const RANDOM_BYTES_MAX = 0x7fffffff;

function sysGetrandom(hart: Hart): number {
  const flags = argUint(hart, 2);
  if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) return -EINVAL;
  if ((flags & (GRND_RANDOM | GRND_INSECURE)) === (GRND_RANDOM | GRND_INSECURE)) return -EINVAL;
  const va = argAddress(hart, 0);
  const total = Math.min(argAddress(hart, 1), RANDOM_BYTES_MAX);
  const buffer = hart.base + HART_BUFFER;
  let done = 0;
  while (done < total) {
    const bytes = Math.min(total - done, HART_BUFFER_BYTES);
    randomFill(hart, buffer, bytes);
    const copied = copyPartToUser(hart, va + done, buffer, bytes);
    done += copied;
    if (copied < bytes) return done > 0 ? done : -EFAULT;
    hart.pollIrq();
    if (signalPending(hart)) break;
  }
  return done;
}

const RLIMIT_BYTES = 16; // struct rlimit64 {u64 soft, hard}

function sysGetrlimit(hart: Hart): number {
  return prlimit(hart, ownProcess(hart), argUint(hart, 0), 0, argAddress(hart, 1));
}

function sysSetrlimit(hart: Hart): number {
  const va = argAddress(hart, 1);
  return va === 0 ? -EFAULT : prlimit(hart, ownProcess(hart), argUint(hart, 0), va, 0);
}

function sysPrlimit(hart: Hart): number {
  const { shared } = hart;
  const pid = argInt(hart, 0);
  rcuReadLock(hart);
  const task = pid === 0 ? hart.current : findTask(shared, pid);
  const process = task === 0 ? 0 : shared.get(task + TASK_PROCESS);
  rcuReadUnlock(hart);
  if (process === 0) return -ESRCH;
  if (process !== ownProcess(hart) && !isCapable(hart)) return -EPERM;
  // If the process ends meanwhile the limits are those of a dead record, or of who got it: nobody is harmed.
  return prlimit(hart, process, argUint(hart, 1), argAddress(hart, 2), argAddress(hart, 3));
}

function ownProcess(hart: Hart): number {
  return hart.shared.get(hart.current + TASK_PROCESS);
}

/** Order as in Linux (SYSCALL_DEFINE4 prlimit64): new value copied in, checked, old one copied out. */
function prlimit(hart: Hart, process: number, resource: number, newVa: number, oldVa: number): number {
  const { shared } = hart;
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  const old = scratch + RLIMIT_BYTES;
  if (newVa !== 0 && copyFromUser(hart, scratch, newVa, RLIMIT_BYTES) < 0) return -EFAULT;
  if (resource >= RLIMIT_COUNT) return -EINVAL;
  if (newVa !== 0) prepareResult(hart, oldVa, RLIMIT_BYTES);
  storeLimit(hart, old, softLimit(shared, process, resource));
  storeLimit(hart, old + 8, hardLimit(shared, process, resource));
  if (newVa !== 0) {
    const [soft, hard] = [loadLimit(hart, scratch), loadLimit(hart, scratch + 8)];
    if (soft > hard) return -EINVAL;
    if (hard > hardLimit(shared, process, resource) && !isCapable(hart)) return -EPERM;
    // The descriptor table has fixed capacity (Linux: sysctl nr_open).
    if (resource === RLIMIT_NOFILE && hard > hardLimit(shared, process, resource)) return -EPERM;
    setLimit(shared, process, resource, soft, hard);
  }
  return oldVa === 0 ? 0 : copyToUser(hart, oldVa, old, RLIMIT_BYTES);
}

function loadLimit(hart: Hart, address: number): number {
  const { u32 } = hart.shared;
  const isInfinite = u32[address >>> 2] === 0xffffffff && u32[(address + 4) >>> 2] === 0xffffffff;
  return isInfinite ? RLIM_INFINITY_F64 : loadU64(hart, address);
}

function storeLimit(hart: Hart, address: number, value: number): void {
  if (value < RLIM_INFINITY_F64) {
    storeU64(hart, address, value);
    return;
  }
  hart.shared.set(address, -1);
  hart.shared.set(address + 4, -1);
}

const FLUSH_ICACHE_LOCAL = 1;

/**
 * Every hart, whatever the range: also for one that runs another address space now, because its decode cache outlives
 * the switch back. The LOCAL flag would allow less, but the thread may move.
 */
function sysFlushIcache(hart: Hart): number {
  if (argHigh(hart, 2) !== 0 || (argUint(hart, 2) & ~FLUSH_ICACHE_LOCAL) !== 0) return -EINVAL;
  hart.core.fullFence();
  hart.core.fenceI();
  const any = cpumaskCopyOthers(hart, MACHINE_BASE + MACHINE_ONLINE_MASK, hart.flushMask);
  if (any) sendIpi(hart, hart.flushMask, IPI_FENCE_I, hart.shared.get(hart.current + TASK_MM));
  return 0;
}
