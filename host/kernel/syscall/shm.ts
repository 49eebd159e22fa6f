// shmget, shmat and shmdt. (Linux: ipc/shm.c)

import { FILE_KIND, FILE_KIND_SHM, PAGE_BYTES, SHM_SEGSZ, TASK_MM } from "../../../assembly/layout.ts";
import { EACCES, EEXIST, EIDRM, EINVAL, ENOENT } from "../../memory/errno.ts";
import { spinLock, spinUnlock } from "../../memory/spinlock.ts";
import { detachFile } from "../../mm/call/detach.ts";
import { doMmap } from "../../mm/call/mmap.ts";
import { isPageAligned, toVpn } from "../../mm/call/range.ts";
import { MAPPING_LENGTH_MAX } from "../../mm/mapping/mapping.ts";
import {
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_SHARED,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
  TASK_BYTES_USER,
} from "../../mm/uapi.ts";
import type { Hart } from "../../policy/hart.ts";
import { opsOf } from "../file/file-kinds.ts";
import { fput } from "../file/files.ts";
import * as shm from "../memory/shm.ts";
import { argAddress, argInt } from "../registers.ts";
import { sysShmctl } from "./shmctl.ts";
import { call, type SystemCall } from "./types.ts";

export const shmCalls: readonly (readonly [number, SystemCall])[] = [
  [194, call("shmget", ["int", "size", "octal"], sysShmget)],
  [195, call("shmctl", ["int", "int", "pointer"], sysShmctl)],
  [196, call("shmat", ["int", "pointer", "octal"], sysShmat, "pointer")],
  [197, call("shmdt", ["pointer"], sysShmdt)],
];

// linux/ipc.h, linux/shm.h
const IPC_CREAT = 0o1000;
const IPC_EXCL = 0o2000;
const SHM_HUGETLB = 0o4000;
const SHM_RDONLY = 0o10000;
const SHM_RND = 0o20000;
const SHM_REMAP = 0o40000;
const SHM_EXEC = 0o100000;

function sysShmget(hart: Hart): number {
  const [key, bytes, flags] = [argInt(hart, 0), argAddress(hart, 1), argInt(hart, 2)];
  if (key === shm.IPC_PRIVATE) return create(hart, key, bytes, flags);
  spinLock(hart, shm.SHM_LOCK);
  const found = existingLocked(hart, key, bytes, flags);
  spinUnlock(hart, shm.SHM_LOCK);
  return found === -ENOENT && (flags & IPC_CREAT) !== 0 ? create(hart, key, bytes, flags) : found;
}

/** The identifier of the segment with `key`, or -errno. Requires: SHM_LOCK. (ipcget_public) */
function existingLocked(hart: Hart, key: number, bytes: number, flags: number): number {
  const segment = shm.findByKeyLocked(hart, key);
  if (segment === 0) return -ENOENT;
  if ((flags & IPC_CREAT) !== 0 && (flags & IPC_EXCL) !== 0) return -EEXIST;
  if (hart.shared.getF64(segment + SHM_SEGSZ) < bytes) return -EINVAL;
  const wanted = (flags >>> 6) | (flags >>> 3) | flags;
  return shm.isAllowed(hart, segment, wanted & 7) ? shm.segmentId(hart, segment) : -EACCES;
}

/** (newseg) */
function create(hart: Hart, key: number, bytes: number, flags: number): number {
  if (bytes < 1 || bytes > MAPPING_LENGTH_MAX) return -EINVAL;
  if ((flags & SHM_HUGETLB) !== 0) return -EINVAL;
  const file = shm.createSegmentFile(hart, key, bytes);
  if (file < 0) return file;
  spinLock(hart, shm.SHM_LOCK);
  // Another process may have been faster.
  const other = key === shm.IPC_PRIVATE ? -ENOENT : existingLocked(hart, key, bytes, flags);
  const id = other === -ENOENT ? shm.addSegmentLocked(hart, file, key, bytes, flags) : other;
  spinUnlock(hart, shm.SHM_LOCK);
  if (other !== -ENOENT || id < 0) fput(hart, file);
  return id;
}

/** (do_shmat) */
function sysShmat(hart: Hart): number {
  const [id, flags] = [argInt(hart, 0), argInt(hart, 2)];
  let address = argAddress(hart, 1);
  if (id < 0) return -EINVAL;
  if (address !== 0 && !isPageAligned(address)) {
    if ((flags & SHM_RND) === 0) return -EINVAL;
    address -= address % PAGE_BYTES;
    if (address === 0 && (flags & SHM_REMAP) !== 0) return -EINVAL;
  } else if (address === 0 && (flags & SHM_REMAP) !== 0) {
    return -EINVAL;
  }
  const isReadOnly = (flags & SHM_RDONLY) !== 0;
  const isExecutable = (flags & SHM_EXEC) !== 0;
  const wanted = 4 | (isReadOnly ? 0 : 2) | (isExecutable ? 1 : 0);
  const file = openSegment(hart, id, wanted);
  if (file < 0) return file;
  try {
    const prot = PROT_READ | (isReadOnly ? 0 : PROT_WRITE) | (isExecutable ? PROT_EXEC : 0);
    const fixed = (flags & SHM_REMAP) !== 0 ? MAP_FIXED : MAP_FIXED_NOREPLACE;
    return attach(hart, file, address, prot, MAP_SHARED | (address === 0 ? 0 : fixed), !isReadOnly);
  } finally {
    fput(hart, file);
  }
}

/** The file of segment `id` with a reference, or -errno. */
function openSegment(hart: Hart, id: number, wanted: number): number {
  spinLock(hart, shm.SHM_LOCK);
  const segment = shm.findByIdLocked(hart, id);
  let file = -EINVAL;
  if (segment !== 0) {
    file = shm.isAllowed(hart, segment, wanted) ? shm.getSegmentFileLocked(hart, segment) : -EACCES;
    if (file === 0) file = -EIDRM;
  }
  spinUnlock(hart, shm.SHM_LOCK);
  return file;
}

function attach(hart: Hart, file: number, address: number, prot: number, mapFlags: number, canWrite: boolean): number {
  const mapping = opsOf(hart, file).mapping(hart, file);
  const bytes = sizeOf(hart, file);
  if (address + bytes > TASK_BYTES_USER) return -EINVAL;
  const source = { file, mapping, canRead: true, canWrite, isAppend: false, isNoexec: false };
  const mm = hart.shared.get(hart.current + TASK_MM);
  const result = doMmap(hart, mm, address, bytes, prot, mapFlags, 0, source);
  return result === -EEXIST ? -EINVAL : result;
}

function sizeOf(hart: Hart, file: number): number {
  const segment = shm.segmentOf(hart, file);
  return hart.shared.getF64(segment + SHM_SEGSZ);
}

function sysShmdt(hart: Hart): number {
  const address = argAddress(hart, 0);
  if (!isPageAligned(address) || address >= TASK_BYTES_USER) return -EINVAL;
  const isSegment = (file: number) => hart.shared.get(file + FILE_KIND) === FILE_KIND_SHM;
  return detachFile(hart, hart.shared.get(hart.current + TASK_MM), toVpn(address), isSegment);
}
