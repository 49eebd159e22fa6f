// /proc/PID/maps, smaps, smaps_rollup and pagemap. (fs/proc/task_mmu.c)

import {
  DENTRY_INODE,
  FILE_DENTRY,
  FS_ROOT,
  INODE_NUMBER,
  INODE_SUPER,
  PAGE_BYTES,
  SUPER_DEVICE,
  TASK_FS,
  USER_VPN_END,
  VM_DONTCOPY,
  VM_DONTEXPAND,
  VM_EXEC,
  VM_GROWSDOWN,
  VM_HUGEPAGE,
  VM_LOCKED,
  VM_LOCKONFAULT,
  VM_MAYEXEC,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_NOHUGEPAGE,
  VM_NORESERVE,
  VM_READ,
  VM_SEALED,
  VM_SHARED,
  VM_WIPEONFORK,
  VM_WRITE,
  VMA_END,
  VMA_FLAGS,
  VMA_START,
} from "../../../assembly/layout.ts";
import { dentryText } from "../../fs/full-path.ts";
import { fsReadLock, fsReadUnlock } from "../../fs/lock.ts";
import { EINVAL } from "../../memory/errno.ts";
import { mayCollapse } from "../../mm/huge/collapse.ts";
import { wantsHuge } from "../../mm/huge/thp.ts";
import { mmapReadLock, mmapReadUnlock } from "../../mm/lock.ts";
import { addVmaUsage, emptyUsage, type VmaUsage, writePagemapEntry } from "../../mm/smaps.ts";
import { vmaFind } from "../../mm/vma/vma-map.ts";
import type { Hart } from "../../policy/hart.ts";
import { hex, kilobyteLine } from "./format.ts";
import { type MappedFile, mapsTextLocked } from "./maps.ts";
import type { ProcTarget } from "./node.ts";
import { withMm } from "./process-files.ts";

export function mapsText(hart: Hart, target: ProcTarget): string {
  return withMm(hart, target, "", (mm) => {
    mmapReadLock(hart, mm);
    const text = mapsTextLocked(hart, mm, (file) => mappedFile(hart, file));
    mmapReadUnlock(hart, mm);
    return text;
  });
}

function mappedFile(hart: Hart, file: number): MappedFile {
  const { shared } = hart;
  const dentry = shared.get(file + FILE_DENTRY);
  const inode = shared.get(dentry + DENTRY_INODE);
  fsReadLock(hart);
  const root = shared.get(shared.get(hart.current + TASK_FS) + FS_ROOT);
  const path = dentryText(hart, dentry, root);
  fsReadUnlock(hart);
  return {
    device: shared.get(shared.get(inode + INODE_SUPER) + SUPER_DEVICE),
    inode: shared.getF64(inode + INODE_NUMBER),
    path,
  };
}

/** Like maps, with what is in memory of each mapping. */
export function smapsText(hart: Hart, target: ProcTarget): string {
  return withMm(hart, target, "", (mm) => {
    mmapReadLock(hart, mm);
    const about = (vma: number) => {
      const usage = emptyUsage();
      addVmaUsage(hart, mm, vma, usage);
      const bytes = (hart.shared.get(vma + VMA_END) - hart.shared.get(vma + VMA_START)) * PAGE_BYTES;
      const flags = hart.shared.get(vma + VMA_FLAGS);
      return (
        sizeLines(bytes) +
        usageLines(usage, (flags & VM_LOCKED) !== 0) +
        flagsLine(flags, mayCollapse(hart, vma) && wantsHuge(hart.shared, flags))
      );
    };
    const text = mapsTextLocked(hart, mm, (file) => mappedFile(hart, file), about);
    mmapReadUnlock(hart, mm);
    return text;
  });
}

/** The sum of smaps, under one line that spans all mappings. */
export function smapsRollupText(hart: Hart, target: ProcTarget): string {
  return withMm(hart, target, "", (mm) => {
    const usage = emptyUsage();
    let [first, last] = [0, 0];
    mmapReadLock(hart, mm);
    for (let vma = vmaFind(hart, mm, 0); vma !== 0; vma = vmaFind(hart, mm, last)) {
      if (last === 0) first = hart.shared.get(vma + VMA_START);
      last = hart.shared.get(vma + VMA_END);
      addVmaUsage(hart, mm, vma, usage);
    }
    mmapReadUnlock(hart, mm);
    const head = `${hex(first * PAGE_BYTES, 8)}-${hex(last * PAGE_BYTES, 8)} ---p 00000000 00:00 0 `;
    return `${head.padEnd(72)} [rollup]\n${usageLines(usage, false)}`;
  });
}

function sizeLines(bytes: number): string {
  const page = kilobyteLine("KernelPageSize", PAGE_BYTES) + kilobyteLine("MMUPageSize", PAGE_BYTES);
  return kilobyteLine("Size", bytes) + page;
}

/** (__show_smap) */
function usageLines(usage: VmaUsage, isLocked: boolean): string {
  const rows: readonly (readonly [string, number])[] = [
    ["Rss", usage.rss],
    ["Pss", usage.pss],
    ["Pss_Dirty", usage.pssDirty],
    ["Shared_Clean", usage.sharedClean],
    ["Shared_Dirty", usage.sharedDirty],
    ["Private_Clean", usage.privateClean],
    ["Private_Dirty", usage.privateDirty],
    ["Referenced", usage.referenced],
    ["Anonymous", usage.anonymous],
    ["KSM", 0],
    ["LazyFree", usage.lazyFree],
    ["AnonHugePages", usage.anonHuge],
    ["ShmemPmdMapped", 0],
    ["FilePmdMapped", 0],
    ["Shared_Hugetlb", 0],
    ["Private_Hugetlb", 0],
    ["Swap", usage.swap],
    ["SwapPss", usage.swapPss],
    ["Locked", isLocked ? usage.pss : 0],
  ];
  return rows.map(([name, bytes]) => kilobyteLine(name, bytes)).join("");
}

/** (show_smap_vma_flags) */
function flagsLine(flags: number, isEligible: boolean): string {
  const names = VM_FLAG_NAMES.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => `${name} `);
  return `THPeligible:           ${isEligible ? 1 : 0}\nVmFlags: ${names.join("")}\n`;
}

const VM_FLAG_NAMES: readonly (readonly [number, string])[] = [
  [VM_READ, "rd"],
  [VM_WRITE, "wr"],
  [VM_EXEC, "ex"],
  [VM_SHARED, "sh"],
  [VM_MAYREAD, "mr"],
  [VM_MAYWRITE, "mw"],
  [VM_MAYEXEC, "me"],
  [VM_MAYSHARE, "ms"],
  [VM_GROWSDOWN, "gd"],
  [VM_LOCKED, "lo"],
  [VM_DONTCOPY, "dc"],
  [VM_DONTEXPAND, "de"],
  [VM_LOCKONFAULT, "lf"],
  [VM_NORESERVE, "nr"],
  [VM_WIPEONFORK, "wf"],
  [VM_HUGEPAGE, "hg"],
  [VM_NOHUGEPAGE, "nh"],
  [VM_SEALED, "sl"],
];

const PAGEMAP_ENTRY_BYTES = 8;
/** Entries between two looks at interrupts. */
const ENTRIES_AT_ONCE = 64;

/** One u64 for each page of user space, by position. Both must be whole entries. (pagemap_read) */
export function readPagemap(hart: Hart, target: ProcTarget, position: number, address: number, bytes: number): number {
  if (position % PAGEMAP_ENTRY_BYTES !== 0 || bytes % PAGEMAP_ENTRY_BYTES !== 0) return -EINVAL;
  const first = position / PAGEMAP_ENTRY_BYTES;
  const count = Math.min(bytes / PAGEMAP_ENTRY_BYTES, USER_VPN_END - first);
  if (count <= 0) return 0;
  return withMm(hart, target, 0, (mm) => {
    mmapReadLock(hart, mm);
    for (let i = 0; i < count; i++) {
      writePagemapEntry(hart, mm, first + i, address + i * PAGEMAP_ENTRY_BYTES);
      if (i % ENTRIES_AT_ONCE === 0) hart.pollIrq();
    }
    mmapReadUnlock(hart, mm);
    return count * PAGEMAP_ENTRY_BYTES;
  });
}
