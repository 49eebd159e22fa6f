// What the kernel may ask of the host's files: look, list, read. There is no way to write, and no way out: a path is a
// chain of names below one directory, and the host follows no link on it (links are the guest's business).
//
// Calls are synchronous and made on the hart that needs the answer, inside hostIo(). Names are bytes, not text.

/** What lstat says; filled in by HostFiles.lstat, so that a hart can keep one. */
export interface HostStat {
  /** S_IFMT and permissions. */
  mode: number;
  links: number;
  uid: number;
  gid: number;
  /** With `inode`, the identity of a file: read() refuses another one that has taken its name. */
  device: number;
  inode: number;
  bytes: number;
  /** Of 512 bytes. */
  blocks: number;
  atimeSeconds: number;
  atimeNs: number;
  mtimeSeconds: number;
  mtimeNs: number;
  ctimeSeconds: number;
  ctimeNs: number;
}

export interface HostEntry {
  readonly name: Uint8Array;
  /** DT_* of getdents64; 0 where the host's file system does not say. */
  readonly type: number;
}

export interface HostFiles {
  /**
   * Status of the file itself, also of a link. `path` is names joined by "/", none empty, "." or ".."; the empty
   * path is the root. 0 or -errno: -ELOOP or -ENOTDIR when a name before the last is no directory.
   */
  lstat(path: Uint8Array, stat: HostStat): number;
  /** Every entry but "." and "..", in the order of their bytes; or -errno. */
  readDirectory(path: Uint8Array): readonly HostEntry[] | number;
  /** Where a link points, at most PATH_MAX bytes; or -errno. */
  readLink(path: Uint8Array): Uint8Array | number;
  /**
   * Reads a regular file into shared memory at `address`: how many bytes, 0 at its end, or -errno. -ENXIO if it is no
   * regular file (nothing else is ever opened), -ESTALE if it is not the file {device, inode} any more.
   */
  read(path: Uint8Array, device: number, inode: number, position: number, address: number, bytes: number): number;
}

export function emptyHostStat(): HostStat {
  return {
    mode: 0,
    links: 0,
    uid: 0,
    gid: 0,
    device: 0,
    inode: 0,
    bytes: 0,
    blocks: 0,
    atimeSeconds: 0,
    atimeNs: 0,
    mtimeSeconds: 0,
    mtimeNs: 0,
    ctimeSeconds: 0,
    ctimeNs: 0,
  };
}
