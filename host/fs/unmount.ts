// The end of file systems: everything in the tree goes, deepest names first.

import {
  DENTRY_CHILD_FIRST,
  DENTRY_PARENT,
  DENTRY_SUPER,
  SUPER_COUNT_MAX,
  SUPER_POINT,
  SUPER_ROOT,
  SUPER_TYPE,
} from "../../assembly/layout.ts";
import type { Hart } from "../policy/hart.ts";
import { dentryUnlink, dput } from "./dentry.ts";
import { superAt } from "./super.ts";

/** The machine ends: no process is left, so nothing is locked. */
export function unmountAll(hart: Hart): void {
  const { shared } = hart;
  for (let index = SUPER_COUNT_MAX - 1; index >= 0; index--) {
    const superBlock = superAt(index);
    if (shared.get(superBlock + SUPER_TYPE) === 0) continue;
    const root = shared.get(superBlock + SUPER_ROOT);
    const point = shared.get(superBlock + SUPER_POINT);
    emptyTree(hart, root);
    dput(hart, root);
    if (point !== 0) {
      shared.set(point + DENTRY_SUPER, 0);
      dput(hart, point);
    }
  }
}

/** Takes every entry below `root` out of the tree. The loop may be long; a directory may be deeper than any stack. */
function emptyTree(hart: Hart, root: number): void {
  const { shared } = hart;
  let at = root;
  for (;;) {
    const child = shared.get(at + DENTRY_CHILD_FIRST);
    if (child !== 0) {
      at = child;
      continue;
    }
    if (at === root) return;
    const parent = shared.get(at + DENTRY_PARENT);
    dentryUnlink(hart, at);
    dput(hart, at);
    at = parent;
  }
}
