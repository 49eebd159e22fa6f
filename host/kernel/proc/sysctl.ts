// /proc/sys: the settings of the machine that programs ask for. Those that this kernel has one way of doing are
// read-only; a write to them fails as it does on a Linux that was built without the choice.

import {
  FD_COUNT_MAX,
  MACHINE_BASE,
  MACHINE_TASK_COUNT_MAX,
  PID_COUNT_MAX,
  TASK_COUNT_MAX,
  VMA_COUNT_MAX,
} from "../../../assembly/layout.ts";
import type { Hart } from "../../policy/hart.ts";
import { random32 } from "../random.ts";
import { hex } from "./format.ts";
import { VM_SYSCTLS } from "./sysctl-vm.ts";

/** A file of /proc/sys. */
export interface Sysctl {
  /** Below /proc/sys. */
  readonly path: string;
  readonly read: (hart: Hart) => string | number;
  /** 0 or -errno. */
  readonly write?: (hart: Hart, text: string) => number;
}

export const OS_TYPE = "Linux";
export const OS_RELEASE = "6.12.0";
export const OS_VERSION = "#1 SMP pagewalk";
export const HOST_NAME = "pagewalk";

/** What never changes, and what is made anew for each reader. */
const READ_ONLY: Readonly<Record<string, Sysctl["read"]>> = {
  "fs/file-max": () => 65536,
  "fs/nr_open": () => FD_COUNT_MAX,
  "fs/pipe-max-size": () => 1048576,
  "kernel/cap_last_cap": () => 40,
  "kernel/hostname": () => HOST_NAME,
  "kernel/msgmax": () => 8192,
  "kernel/ngroups_max": () => 65536,
  "kernel/osrelease": () => OS_RELEASE,
  "kernel/ostype": () => OS_TYPE,
  "kernel/overflowgid": () => 65534,
  "kernel/overflowuid": () => 65534,
  "kernel/pid_max": () => PID_COUNT_MAX,
  "kernel/random/boot_id": () => "00000000-0000-4000-8000-000000000000",
  "kernel/random/entropy_avail": () => 256,
  "kernel/random/poolsize": () => 256,
  "kernel/random/uuid": uuid,
  "kernel/randomize_va_space": () => 2,
  "kernel/sem": () => "32000\t1024000000\t500\t32000",
  "kernel/shmall": () => "18446744073692774399",
  "kernel/shmmax": () => "18446744073692774399",
  "kernel/shmmni": () => 4096,
  "kernel/threads-max": (hart) => hart.shared.get(MACHINE_BASE + MACHINE_TASK_COUNT_MAX) || TASK_COUNT_MAX,
  "kernel/version": () => OS_VERSION,
  "vm/max_map_count": () => Math.min(VMA_COUNT_MAX, 65530),
  "vm/mmap_min_addr": () => 65536,
  "vm/nr_hugepages": () => 0,
  "vm/oom_kill_allocating_task": () => 0,
  "vm/page-cluster": () => 0,
  "vm/panic_on_oom": () => 0,
  "vm/unprivileged_userfaultfd": () => 0,
  "vm/vfs_cache_pressure": () => 100,
};

export const SYSCTLS: readonly Sysctl[] = [
  ...Object.entries(READ_ONLY).map(([path, read]) => ({ path, read })),
  ...VM_SYSCTLS,
];

/** A random one (version 4). */
function uuid(hart: Hart): string {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random32(hart);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => hex(byte, 2)).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
