// The path of a dentry, for getcwd and for links in /proc. (Linux: d_path in fs/d_path.c)

import { DENTRY_FLAGS, DENTRY_LINKED, DENTRY_NAME_BYTES, DENTRY_PARENT } from "../../assembly/layout.ts";
import { ENAMETOOLONG } from "../memory/errno.ts";
import type { Hart } from "../policy/hart.ts";
import { dentryName } from "./dentry.ts";
import { mountPoint } from "./path-walk.ts";

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

/** Has the dentry, or a directory above it, been removed from the tree? Requires: FS_LOCK. */
export function isUnlinked(hart: Hart, dentry: number): boolean {
  const { shared } = hart;
  return shared.get(dentry + DENTRY_PARENT) !== 0 && (shared.get(dentry + DENTRY_FLAGS) & DENTRY_LINKED) === 0;
}
