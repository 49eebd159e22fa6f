// mmap and its family: arguments in, mm does the work.

import { FILE_FLAGS, PAGE_BYTES, PAGE_SHIFT, TASK_MM } from "../../../assembly/layout.ts";
import { EBADF, EINVAL } from "../../memory/errno.ts";
import { doBrk } from "../../mm/call/brk.ts";
import { doMadvise, removesPages } from "../../mm/call/madvise.ts";
import { doMincore } from "../../mm/call/mincore.ts";
import { doMlock, doMlockall, doMunlock, doMunlockall } from "../../mm/call/mlock.ts";
import { doMmap } from "../../mm/call/mmap.ts";
import { doMprotect } from "../../mm/call/mprotect.ts";
import { doMremap } from "../../mm/call/mremap.ts";
import { doMseal } from "../../mm/call/mseal.ts";
import { doMsync } from "../../mm/call/msync.ts";
import { doMunmap } from "../../mm/call/munmap.ts";
import { isPageAligned, isUserRange, pageAlign, toVpn } from "../../mm/call/range.ts";
import { doRemapFilePages } from "../../mm/call/remap-file-pages.ts";
import type { MappedFile } from "../../mm/mapping/mapped-file.ts";
import { MAP_ANONYMOUS } from "../../mm/uapi.ts";
import { announceRemoval } from "../../mm/userfaultfd/userfaultfd-events.ts";
import type { Hart } from "../../policy/hart.ts";
import { isReadable, isWritable } from "../file/file.ts";
import { opsOf } from "../file/file-kinds.ts";
import { MAPPING_ANONYMOUS } from "../file/file-ops.ts";
import { fget, fput } from "../file/files.ts";
import { afterEvents, mustAnnounce } from "../memory/userfaultfd-events.ts";
import { argAddress, argInt, argUint } from "../registers.ts";
import { WAIT } from "../sched/wait.ts";
import { O_APPEND } from "../uapi.ts";
import { call, type SystemCall } from "./types.ts";

export const memoryCalls: readonly (readonly [number, SystemCall])[] = [
  [214, call("brk", ["pointer"], afterEvents(sysBrk), "pointer")],
  [215, call("munmap", ["pointer", "size"], afterEvents(sysMunmap))],
  [216, call("mremap", ["pointer", "size", "size", "hex", "pointer"], afterEvents(sysMremap), "pointer")],
  [222, call("mmap", ["pointer", "size", "prot", "mapFlags", "int", "hex"], afterEvents(sysMmap), "pointer")],
  [226, call("mprotect", ["pointer", "size", "prot"], sysMprotect)],
  [227, call("msync", ["pointer", "size", "hex"], sysMsync)],
  [228, call("mlock", ["pointer", "size"], sysMlock)],
  [229, call("munlock", ["pointer", "size"], sysMunlock)],
  [230, call("mlockall", ["hex"], sysMlockall)],
  [231, call("munlockall", [], sysMunlockall)],
  [232, call("mincore", ["pointer", "size", "pointer"], sysMincore)],
  [233, call("madvise", ["pointer", "size", "int"], sysMadvise)],
  [234, call("remap_file_pages", ["pointer", "size", "prot", "size", "mapFlags"], afterEvents(sysRemapFilePages))],
  [462, call("mseal", ["pointer", "size", "hex"], sysMseal)],
  [284, call("mlock2", ["pointer", "size", "hex"], sysMlock2)],
];

function currentMm(hart: Hart): number {
  return hart.shared.get(hart.current + TASK_MM);
}

function sysBrk(hart: Hart): number {
  return doBrk(hart, currentMm(hart), argAddress(hart, 0));
}

function sysMmap(hart: Hart): number {
  const flags = argUint(hart, 3);
  const offset = argAddress(hart, 5);
  if (offset % PAGE_BYTES !== 0) return -EINVAL;
  if ((flags & MAP_ANONYMOUS) !== 0) return mapPages(hart, flags, null);
  const file = fget(hart, argInt(hart, 4));
  if (file === 0) return -EBADF;
  try {
    const mapping = opsOf(hart, file).mapping(hart, file);
    return mapping === MAPPING_ANONYMOUS
      ? mapPages(hart, flags, null)
      : mapPages(hart, flags, asMapped(hart, file, mapping));
  } finally {
    fput(hart, file);
  }
}

/** The file as mmap sees it; `mapping` below 0: it has no pages. */
function asMapped(hart: Hart, file: number, mapping: number): MappedFile {
  return {
    file,
    mapping: Math.max(0, mapping),
    canRead: isReadable(hart, file),
    canWrite: isWritable(hart, file),
    isAppend: (hart.shared.loadOnce(file + FILE_FLAGS) & O_APPEND) !== 0,
    isNoexec: false,
  };
}

function mapPages(hart: Hart, flags: number, source: MappedFile | null): number {
  const pgoff = argAddress(hart, 5) / (1 << PAGE_SHIFT);
  const [address, length, prot] = [argAddress(hart, 0), argAddress(hart, 1), argUint(hart, 2)];
  return doMmap(hart, currentMm(hart), address, length, prot, flags, pgoff, source);
}

function sysMunmap(hart: Hart): number {
  return doMunmap(hart, currentMm(hart), argAddress(hart, 0), argAddress(hart, 1));
}

function sysMprotect(hart: Hart): number {
  return doMprotect(hart, currentMm(hart), argAddress(hart, 0), argAddress(hart, 1), argUint(hart, 2));
}

function sysMremap(hart: Hart): number {
  const mm = currentMm(hart);
  return doMremap(
    hart,
    mm,
    argAddress(hart, 0),
    argAddress(hart, 1),
    argAddress(hart, 2),
    argUint(hart, 3),
    argAddress(hart, 4),
  );
}

function sysMadvise(hart: Hart): number {
  const [mm, address, length, behavior] = [currentMm(hart), argAddress(hart, 0), argAddress(hart, 1), argInt(hart, 2)];
  if (removesPages(behavior) && isUserRange(address, length) && isPageAligned(address)) {
    const end = toVpn(address + pageAlign(length));
    if (mustAnnounce(hart, () => announceRemoval(hart, mm, toVpn(address), end))) return WAIT;
  }
  return doMadvise(hart, mm, address, length, behavior);
}

function sysRemapFilePages(hart: Hart): number {
  const [address, length, prot] = [argAddress(hart, 0), argAddress(hart, 1), argUint(hart, 2)];
  return doRemapFilePages(hart, currentMm(hart), address, length, prot, argAddress(hart, 3), argUint(hart, 4));
}

function sysMseal(hart: Hart): number {
  return doMseal(hart, currentMm(hart), argAddress(hart, 0), argAddress(hart, 1), argAddress(hart, 2));
}

function sysMincore(hart: Hart): number {
  return doMincore(hart, currentMm(hart), argAddress(hart, 0), argAddress(hart, 1), argAddress(hart, 2));
}

function sysMsync(hart: Hart): number {
  return doMsync(hart, currentMm(hart), argAddress(hart, 0), argAddress(hart, 1), argInt(hart, 2));
}

function sysMlock(hart: Hart): number {
  return doMlock(hart, currentMm(hart), argAddress(hart, 0), argAddress(hart, 1), 0);
}

function sysMlock2(hart: Hart): number {
  return doMlock(hart, currentMm(hart), argAddress(hart, 0), argAddress(hart, 1), argInt(hart, 2));
}

function sysMunlock(hart: Hart): number {
  return doMunlock(hart, currentMm(hart), argAddress(hart, 0), argAddress(hart, 1));
}

function sysMlockall(hart: Hart): number {
  return doMlockall(hart, currentMm(hart), argInt(hart, 0));
}

function sysMunlockall(hart: Hart): number {
  return doMunlockall(hart, currentMm(hart));
}
