// Where a file is on the host: the chain of names by which it was found there. Renaming it in the guest changes nothing
// about that, so the chain is kept apart from the tree of dentries.

import {
  HOST_NAME,
  HOST_NAME_BYTES,
  HOST_NAME_BYTES_MAX,
  HOST_NAME_LONG,
  HOST_PARENT,
  POOL_NAME,
} from "../../../assembly/layout.ts";
import { kmemCacheAlloc, kmemCacheFree } from "../../memory/slab.ts";
import type { Hart } from "../../policy/hart.ts";
import { iget, iput } from "../inode.ts";

const SLASH = 0x2f;

/** `inode` was found in `parent` under that name. False: no memory for a long name. */
export function setHostPlace(hart: Hart, inode: number, parent: number, name: number, nameBytes: number): boolean {
  const { shared } = hart;
  let at = inode + HOST_NAME;
  if (nameBytes > HOST_NAME_BYTES_MAX) {
    at = kmemCacheAlloc(hart, POOL_NAME);
    if (at === 0) return false;
    shared.set(inode + HOST_NAME_LONG, at);
  }
  hart.core.copyBytes(at, name, nameBytes);
  shared.set(inode + HOST_NAME_BYTES, nameBytes);
  shared.set(inode + HOST_PARENT, iget(hart, parent));
  return true;
}

export function dropHostPlace(hart: Hart, inode: number): void {
  const { shared } = hart;
  const long = shared.get(inode + HOST_NAME_LONG);
  const parent = shared.get(inode + HOST_PARENT);
  if (long !== 0) kmemCacheFree(hart, POOL_NAME, long);
  if (parent !== 0) iput(hart, parent);
}

/** Names from the root down to `inode` and, if nameBytes is not 0, to that name in it, as HostFiles wants them. */
export function hostPath(hart: Hart, inode: number, name = 0, nameBytes = 0): Uint8Array {
  const { shared } = hart;
  let bytes = nameBytes;
  for (let at = inode; shared.get(at + HOST_PARENT) !== 0; at = shared.get(at + HOST_PARENT)) {
    bytes += shared.get(at + HOST_NAME_BYTES) + (bytes > 0 ? 1 : 0);
  }
  const path = new Uint8Array(bytes);
  let start = bytes - nameBytes;
  path.set(shared.u8.subarray(name, name + nameBytes), start);
  for (let at = inode; shared.get(at + HOST_PARENT) !== 0; at = shared.get(at + HOST_PARENT)) {
    if (start < bytes) path[--start] = SLASH;
    const own = shared.get(at + HOST_NAME_BYTES);
    const place = shared.get(at + HOST_NAME_LONG) || at + HOST_NAME;
    start -= own;
    path.set(shared.u8.subarray(place, place + own), start);
  }
  return path;
}
