// Files in memory that no path leads to: memfds, and the segments of System V shared memory. (Linux: shmem_file_setup)

import { MACHINE_BASE, MACHINE_SHM_SUPER } from "../../../assembly/layout.ts";
import { contentCreate } from "../../fs/content.ts";
import { dentryAlloc } from "../../fs/dentry.ts";
import { inodeAlloc, iput } from "../../fs/inode.ts";
import { S_IFREG } from "../../fs/uapi.ts";
import { ENOMEM, ENOSPC } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";

/** A dentry outside the tree, of an empty file in memory without a link; or -errno. */
export function memoryDentry(hart: Hart, name: number, nameBytes: number, mode: number): number {
  const superBlock = hart.shared.get(MACHINE_BASE + MACHINE_SHM_SUPER);
  const inode = inodeAlloc(hart, superBlock, S_IFREG | mode, 0);
  if (inode === 0) return -ENOSPC;
  const dentry = contentCreate(hart, inode) ? dentryAlloc(hart, 0, name, nameBytes, inode) : 0;
  if (dentry !== 0) return dentry;
  iput(hart, inode);
  return -ENOMEM;
}
