// The path of a dentry, for getcwd and for links in /proc. (Linux: d_path in fs/d_path.c)

import {
  DENTRY_FLAGS,
  DENTRY_INODE,
  DENTRY_LINKED,
  DENTRY_NAME_BYTES,
  DENTRY_PARENT,
  HART_BUFFER,
  INODE_NUMBER,
  INODE_SUPER,
  MACHINE_BASE,
  MACHINE_PIPE_SUPER,
} from "../../assembly/layout.ts";
import { ENAMETOOLONG } from "../memory/errno.ts";
import type { Hart } from "../policy/hart.ts";
import { dentryName } from "./dentry.ts";
import { mountPoint } from "./mounts.ts";
import { PATH_MAX } from "./uapi.ts";

const SLASH = 0x2f;

/**
 * Writes the path of `dentry` below `root` so that it ends at `end`; it has at most `room` bytes. Returns its length or
 * -ENAMETOOLONG. Requires: FS_LOCK.
 */
export function fullPath(hart: Hart, dentry: number, root: number, end: number, room: number): number {
  const { shared } = hart;
  let at = end;
  for (let here = dentry; here !== root; ) {
    const parent = shared.get(here + DENTRY_PARENT);
    if (parent === 0) {
      const point = mountPoint(hart, here);
      if (point === 0) break;
      here = point;
      continue;
    }
    const bytes = shared.get(here + DENTRY_NAME_BYTES);
    at -= bytes + 1;
    if (end - at > room) return -ENAMETOOLONG;
    hart.core.copyBytes(at + 1, dentryName(hart, here), bytes);
    shared.u8[at] = SLASH;
    here = parent;
  }
  if (at === end) {
    if (room < 1) return -ENAMETOOLONG;
    at--;
    shared.u8[at] = SLASH;
  }
  return end - at;
}

/** Work space of dentryText in HART_BUFFER, behind that of a path walk. */
const TEXT_END = HART_BUFFER + 16 * PATH_MAX;

/**
 * What /proc shows of a dentry: its path below `root`, one character for each byte; or the name of a file that has no
 * place in the tree, such as pipe:[5]. Requires: FS_LOCK. (Linux: d_path)
 */
export function dentryText(hart: Hart, dentry: number, root: number): string {
  const { shared } = hart;
  const inode = shared.get(dentry + DENTRY_INODE);
  if (shared.get(inode + INODE_SUPER) === shared.get(MACHINE_BASE + MACHINE_PIPE_SUPER)) {
    const name = latin1(hart, dentryName(hart, dentry), shared.get(dentry + DENTRY_NAME_BYTES));
    return name.startsWith("/") || !name.endsWith(":") ? name : `${name}[${shared.getF64(inode + INODE_NUMBER)}]`;
  }
  const end = hart.base + TEXT_END;
  const bytes = fullPath(hart, dentry, root, end, PATH_MAX);
  const path = bytes < 0 ? "" : latin1(hart, end - bytes, bytes);
  return isUnlinked(hart, dentry) ? `${path} (deleted)` : path;
}

function latin1(hart: Hart, address: number, bytes: number): string {
  let text = "";
  for (let i = 0; i < bytes; i++) text += String.fromCharCode(hart.shared.u8[address + i]);
  return text;
}

/** Has the dentry, or a directory above it, been removed from the tree? Requires: FS_LOCK. */
export function isUnlinked(hart: Hart, dentry: number): boolean {
  const { shared } = hart;
  return shared.get(dentry + DENTRY_PARENT) !== 0 && (shared.get(dentry + DENTRY_FLAGS) & DENTRY_LINKED) === 0;
}
