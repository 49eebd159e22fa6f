// Where file systems meet: the root of one covers a directory of another.

import {
  DENTRY_INODE,
  DENTRY_PARENT,
  DENTRY_SUPER,
  INODE_SUPER,
  SUPER_POINT,
  SUPER_ROOT,
} from "../../assembly/layout.ts";
import type { Hart } from "../policy/hart.ts";
import { dget } from "./dentry.ts";

/** Mounts `superBlock` on directory `point`. Requires: FS_LOCK for write, or that no other hart runs. */
export function mountOn(hart: Hart, superBlock: number, point: number): void {
  hart.shared.set(superBlock + SUPER_POINT, dget(hart, point));
  hart.shared.set(point + DENTRY_SUPER, superBlock);
}

/** The root of what is mounted on `dentry`, and on that. Requires: FS_LOCK. */
export function crossMounts(hart: Hart, dentry: number): number {
  const { shared } = hart;
  let at = dentry;
  for (let mounted = shared.get(at + DENTRY_SUPER); mounted !== 0; mounted = shared.get(at + DENTRY_SUPER)) {
    at = shared.get(mounted + SUPER_ROOT);
  }
  return at;
}

/** "..": up one directory, out of a mounted file system, but not out of `root`. Requires: FS_LOCK. */
export function parentOf(hart: Hart, directory: number, root: number): number {
  const { shared } = hart;
  let at = directory;
  for (;;) {
    if (at === root) return at;
    const parent = shared.get(at + DENTRY_PARENT);
    if (parent !== 0) return crossMounts(hart, parent);
    const point = mountPoint(hart, at);
    if (point === 0) return at;
    at = point;
  }
}

/** The dentry that the file system with root `dentry` covers, 0 for the first of all. */
export function mountPoint(hart: Hart, dentry: number): number {
  const { shared } = hart;
  const superBlock = shared.get(shared.get(dentry + DENTRY_INODE) + INODE_SUPER);
  return shared.get(superBlock + SUPER_POINT);
}
