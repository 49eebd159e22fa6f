// /proc/sys/vm: settings that this kernel obeys. (kernel/sysctl.c, mm/util.c, mm/page_alloc.c)

import {
  MACHINE_BASE,
  MACHINE_OVERCOMMIT_KBYTES,
  MACHINE_OVERCOMMIT_MEMORY,
  MACHINE_OVERCOMMIT_RATIO,
  MACHINE_SWAPPINESS,
} from "../../../assembly/layout.ts";
import { EINVAL } from "../../memory/errno.ts";
import { minFreeKilobytes, setMinFree } from "../../mm/frame/watermark.ts";
import { OVERCOMMIT_NEVER } from "../../mm/overcommit.ts";
import { dropCaches } from "../../mm/reclaim/vmscan.ts";
import type { Hart } from "../../policy/hart.ts";
import type { Sysctl } from "./sysctl.ts";

const SWAPPINESS_MAX = 200;
const INT_MAX = 0x7fffffff;

export const VM_SYSCTLS: readonly Sysctl[] = [
  word("vm/swappiness", MACHINE_SWAPPINESS, SWAPPINESS_MAX),
  word("vm/overcommit_memory", MACHINE_OVERCOMMIT_MEMORY, OVERCOMMIT_NEVER),
  // Either counts, and setting one clears the other; a ratio of 0 with no kbytes is what is left of clearing.
  {
    path: "vm/overcommit_ratio",
    read: ({ shared }) => shared.loadOnce(MACHINE_BASE + MACHINE_OVERCOMMIT_RATIO),
    write: (hart, text) => setCommit(hart, text, MACHINE_OVERCOMMIT_RATIO, MACHINE_OVERCOMMIT_KBYTES),
  },
  {
    path: "vm/overcommit_kbytes",
    read: ({ shared }) => shared.loadOnce(MACHINE_BASE + MACHINE_OVERCOMMIT_KBYTES),
    write: (hart, text) => setCommit(hart, text, MACHINE_OVERCOMMIT_KBYTES, MACHINE_OVERCOMMIT_RATIO),
  },
  {
    path: "vm/min_free_kbytes",
    read: ({ shared }) => minFreeKilobytes(shared),
    write: ({ shared }, text) => withNumber(text, INT_MAX, (value) => setMinFree(shared, value)),
  },
  {
    path: "vm/drop_caches",
    read: () => 0,
    // 1: pages, 2: names and inodes, which are not cached beyond their use here.
    write: (hart, text) =>
      withNumber(text, 4, (value) => {
        if ((value & 1) !== 0) dropCaches(hart);
      }),
  },
];

function word(path: string, field: number, max: number): Sysctl {
  return {
    path,
    read: ({ shared }) => shared.loadOnce(MACHINE_BASE + field),
    write: ({ shared }, text) => withNumber(text, max, (value) => shared.storeOnce(MACHINE_BASE + field, value)),
  };
}

function setCommit({ shared }: Hart, text: string, field: number, other: number): number {
  return withNumber(text, INT_MAX, (value) => {
    shared.storeOnce(MACHINE_BASE + field, value);
    shared.storeOnce(MACHINE_BASE + other, 0);
  });
}

/** proc_dointvec_minmax with 0 as the minimum: 0 or -EINVAL. */
function withNumber(text: string, max: number, use: (value: number) => void): number {
  const value = Number(text.trim());
  if (!/^\s*\+?\d+\s*$/.test(text) || value > max) return -EINVAL;
  use(value);
  return 0;
}
