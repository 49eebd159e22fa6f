// Files without a place in the tree: pipes, eventfd and the like. Their inodes belong to a file system of their own
// that is mounted nowhere; the dentry's name is what /proc/self/fd shows. (Linux: fs/anon_inodes.c, alloc_file_pseudo)

import { HART_KERNEL_SCRATCH, MACHINE_BASE, MACHINE_PIPE_SUPER } from "../../../assembly/layout.ts";
import { dentryAlloc, dput } from "../../fs/dentry.ts";
import { changeLinks, inodeAlloc, iput } from "../../fs/inode.ts";
import type { Hart } from "../../policy/hart.ts";
import { allocFile } from "./file.ts";

/** What /proc/self/fd shows of a pipe, before its inode number. */
export const PIPE_NAME = "pipe:";

/** A dentry with a new inode of `mode`, with one reference, or 0. `name` is ASCII, at most 60 characters. */
export function anonymousDentry(hart: Hart, mode: number, name: string): number {
  const superBlock = hart.shared.get(MACHINE_BASE + MACHINE_PIPE_SUPER);
  const inode = inodeAlloc(hart, superBlock, mode, 0);
  if (inode === 0) return 0;
  changeLinks(hart, inode, 1);
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  for (let i = 0; i < name.length; i++) hart.shared.u8[scratch + i] = name.charCodeAt(i);
  const dentry = dentryAlloc(hart, 0, scratch, name.length, inode);
  if (dentry === 0) iput(hart, inode);
  return dentry;
}

/** An open file of `kind` on a new inode of `mode`, or 0. */
export function anonymousFile(hart: Hart, kind: number, mode: number, flags: number, name: string): number {
  const dentry = anonymousDentry(hart, mode, name);
  if (dentry === 0) return 0;
  const file = allocFile(hart, kind, flags, dentry);
  if (file === 0) dput(hart, dentry);
  return file;
}
