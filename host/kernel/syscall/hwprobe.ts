// riscv_hwprobe: which extensions and properties every hart of a set has. (Linux: Documentation/arch/riscv/hwprobe.rst)

import {
  CPUMASK_BYTES,
  CPUMASK_WORDS,
  HART_BUFFER,
  HART_KERNEL_SCRATCH,
  MACHINE_BASE,
  MACHINE_ONLINE_MASK,
} from "../../../assembly/layout.ts";
import { EFAULT, EINTR, EINVAL } from "../../memory/errno.ts";
import { rcuQuiescent } from "../../memory/rcu.ts";
import { fatalSignalPending } from "../../memory/signal-pending.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import { TASK_BYTES_USER } from "../../mm/uapi.ts";
import type { Hart } from "../../policy/hart.ts";
import { argAddress, argUint, loadI64, storeU64 } from "../registers.ts";
import { call, type SystemCall } from "./types.ts";

export const hwprobeCalls: readonly (readonly [number, SystemCall])[] = [
  [258, call("riscv_hwprobe", ["pointer", "size", "size", "pointer", "hex"], sysHwprobe)],
];

const PAIR_BYTES = 16; // {s64 key; u64 value}
const QUIESCENT_PAIRS = 64; // how often a long call lets grace periods pass

const KEY_MVENDORID = 0;
const KEY_MARCHID = 1;
const KEY_MIMPID = 2;
const KEY_BASE_BEHAVIOR = 3;
const KEY_IMA_EXT_0 = 4;
const KEY_CPUPERF_0 = 5;
const KEY_ZICBOZ_BLOCK_SIZE = 6;
const KEY_HIGHEST_VIRT_ADDRESS = 7;
const KEY_TIME_CSR_FREQ = 8;
const KEY_MISALIGNED_SCALAR_PERF = 9;

const BASE_BEHAVIOR_IMA = 1;
const IMA_FD = 1 << 0;
const IMA_C = 1 << 1;
/** Misaligned accesses work, but take the slow path of the core. */
const MISALIGNED_SLOW = 2;
/** The time CSR counts nanoseconds. */
const TIME_CSR_HZ = 1_000_000_000;

function sysHwprobe(hart: Hart): number {
  if (argUint(hart, 4) !== 0) return -EINVAL; // RISCV_HWPROBE_WHICH_CPUS (Linux 6.8) is not offered
  const error = checkMask(hart, argAddress(hart, 2), argAddress(hart, 3));
  if (error !== 0) return error;
  const pair = hart.base + HART_KERNEL_SCRATCH;
  const count = argAddress(hart, 1);
  for (let i = 0; i < count; i++) {
    const va = argAddress(hart, 0) + i * PAIR_BYTES;
    if (copyFromUser(hart, pair, va, 8) < 0) return -EFAULT;
    const value = valueOfKey(loadI64(hart, pair));
    if (value < 0) storeMinusOne(hart, pair);
    storeU64(hart, pair + 8, Math.max(value, 0));
    if (copyToUser(hart, va, pair, PAIR_BYTES) < 0) return -EFAULT;
    hart.pollIrq();
    if (i % QUIESCENT_PAIRS === 0) rcuQuiescent(hart); // the guest says how many there are
    if (fatalSignalPending(hart)) return -EINTR;
  }
  return 0;
}

/** All harts are alike, so the set only has to name one that is there. An empty argument means all. */
function checkMask(hart: Hart, bytes: number, va: number): number {
  if (bytes === 0 && va === 0) return 0;
  const mask = hart.base + HART_BUFFER;
  hart.core.zeroBytes(mask, CPUMASK_BYTES);
  if (copyFromUser(hart, mask, va, Math.min(bytes, CPUMASK_BYTES)) < 0) return -EFAULT;
  for (let word = 0; word < CPUMASK_WORDS; word++) {
    const online = hart.shared.loadOnce(MACHINE_BASE + MACHINE_ONLINE_MASK + word * 4);
    if ((hart.shared.get(mask + word * 4) & online) !== 0) return 0;
  }
  return -EINVAL;
}

/** -1: no such key. */
function valueOfKey(key: number): number {
  switch (key) {
    case KEY_MVENDORID:
    case KEY_MARCHID:
    case KEY_MIMPID:
    case KEY_ZICBOZ_BLOCK_SIZE:
      return 0;
    case KEY_BASE_BEHAVIOR:
      return BASE_BEHAVIOR_IMA;
    case KEY_IMA_EXT_0:
      return IMA_FD | IMA_C;
    case KEY_CPUPERF_0:
    case KEY_MISALIGNED_SCALAR_PERF:
      return MISALIGNED_SLOW;
    case KEY_HIGHEST_VIRT_ADDRESS:
      return TASK_BYTES_USER - 1;
    case KEY_TIME_CSR_FREQ:
      return TIME_CSR_HZ;
    default:
      return -1;
  }
}

function storeMinusOne(hart: Hart, address: number): void {
  hart.shared.set(address, -1);
  hart.shared.set(address + 4, -1);
}
