// A packed tar archive where the kernel expects a directory of the host: the same questions, answered from the table.

import { EINVAL, ENOENT, ENOTDIR, ENXIO, ESTALE } from "../../memory/errno.ts";
import type { HostEntry, HostFiles, HostStat } from "../../memory/host-files.ts";
import {
  TAR_BYTES,
  TAR_CHILD_COUNT,
  TAR_FIELDS,
  TAR_FIRST_CHILD,
  TAR_GID,
  TAR_HEAD,
  TAR_INODE,
  TAR_LINKS,
  TAR_MODE,
  TAR_MTIME_NS,
  TAR_MTIME_SECONDS,
  TAR_NAME_BYTES,
  TAR_NAME_START,
  TAR_POSITION,
  TAR_TARGET_BYTES,
  TAR_TARGET_START,
  TAR_UID,
} from "./pack.ts";

/** Reads the archive from `position` into shared memory: how many bytes, or -errno. */
export type ReadArchive = (position: number, address: number, bytes: number) => number;

const SLASH = 0x2f;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const STAT_BLOCK_BYTES = 512;

export class TarFiles implements HostFiles {
  readonly #table: Float64Array;
  readonly #names: Uint8Array;
  readonly #readArchive: ReadArchive;

  constructor(packed: SharedArrayBuffer, readArchive: ReadArchive) {
    const tableNumbers = TAR_HEAD + new Float64Array(packed, 0, 1)[0] * TAR_FIELDS;
    this.#table = new Float64Array(packed, 0, tableNumbers);
    this.#names = new Uint8Array(packed, tableNumbers * 8);
    this.#readArchive = readArchive;
  }

  lstat(path: Uint8Array, stat: HostStat): number {
    const node = this.#find(path);
    if (node < 0) return node;
    stat.mode = this.#get(node, TAR_MODE);
    stat.links = this.#get(node, TAR_LINKS);
    stat.uid = this.#get(node, TAR_UID);
    stat.gid = this.#get(node, TAR_GID);
    stat.device = 0;
    stat.inode = this.#get(node, TAR_INODE);
    stat.bytes = this.#get(node, TAR_BYTES);
    stat.blocks = Math.ceil(stat.bytes / STAT_BLOCK_BYTES);
    stat.atimeSeconds = stat.mtimeSeconds = stat.ctimeSeconds = this.#get(node, TAR_MTIME_SECONDS);
    stat.atimeNs = stat.mtimeNs = stat.ctimeNs = this.#get(node, TAR_MTIME_NS);
    return 0;
  }

  readDirectory(path: Uint8Array): readonly HostEntry[] | number {
    const node = this.#find(path);
    if (node < 0) return node;
    if (!this.#is(node, S_IFDIR)) return -ENOTDIR;
    const first = this.#get(node, TAR_FIRST_CHILD);
    return Array.from({ length: this.#get(node, TAR_CHILD_COUNT) }, (_, i) => ({
      name: this.#name(first + i),
      type: (this.#get(first + i, TAR_MODE) & S_IFMT) >>> 12,
    }));
  }

  readLink(path: Uint8Array): Uint8Array | number {
    const node = this.#find(path);
    if (node < 0) return node;
    if (!this.#is(node, S_IFLNK)) return -EINVAL;
    const start = this.#get(node, TAR_TARGET_START);
    return this.#names.slice(start, start + this.#get(node, TAR_TARGET_BYTES));
  }

  read(path: Uint8Array, device: number, inode: number, position: number, address: number, bytes: number): number {
    const node = this.#find(path);
    if (node < 0) return node;
    if (!this.#is(node, S_IFREG)) return -ENXIO;
    if (device !== 0 || inode !== this.#get(node, TAR_INODE)) return -ESTALE;
    const count = Math.min(bytes, this.#get(node, TAR_BYTES) - position);
    return count <= 0 ? 0 : this.#readArchive(this.#get(node, TAR_POSITION) + position, address, count);
  }

  /** Number of the node, or -errno. */
  #find(path: Uint8Array): number {
    let node = 0;
    for (let start = 0; start < path.length; ) {
      const slash = path.indexOf(SLASH, start);
      const end = slash < 0 ? path.length : slash;
      if (!this.#is(node, S_IFDIR)) return -ENOTDIR;
      node = this.#child(node, path.subarray(start, end));
      if (node < 0) return -ENOENT;
      start = end + 1;
    }
    return node;
  }

  /** By halving: the entries of a directory are in the order of their names. -1: none of them. */
  #child(directory: number, name: Uint8Array): number {
    let low = this.#get(directory, TAR_FIRST_CHILD);
    let high = low + this.#get(directory, TAR_CHILD_COUNT);
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = compare(this.#name(middle), name);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return -1;
  }

  #name(node: number): Uint8Array {
    const start = this.#get(node, TAR_NAME_START);
    return this.#names.subarray(start, start + this.#get(node, TAR_NAME_BYTES));
  }

  #is(node: number, fileType: number): boolean {
    return (this.#get(node, TAR_MODE) & S_IFMT) === fileType;
  }

  #get(node: number, field: number): number {
    return this.#table[TAR_HEAD + node * TAR_FIELDS + field];
  }
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}
