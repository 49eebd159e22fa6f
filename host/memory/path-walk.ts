// What a walk along a path has found (Linux: struct nameidata). Each hart has two, for calls with two paths; nothing is
// allocated for a walk. The fields are good only while FS_LOCK is held. See host/fs/path-lock.ts.

const LINK_DEPTH_MAX = 40; // MAXSYMLINKS

/** What the last name of the path is. */
export const LAST_NORMAL = 0;
export const LAST_ROOT = 1; // there is none: "/"
export const LAST_DOT = 2;
export const LAST_DOTDOT = 3;
export const LAST_JUMP = 4; // a link of /proc, and the path ends where it leads

/** Links of /proc that lead to a file rather than along a path, in one walk. */
const JUMPS_MAX = 4;

export class PathWalk {
  /** Dentry of the directory in which the last name was looked up. */
  parent = 0;
  /** The last name's own dentry, whatever is mounted on it; 0 if it is absent. May be negative (no inode). */
  entry = 0;
  /** What the path names, with what is mounted there; 0 if it is absent. */
  dentry = 0;
  /** Last name: address and bytes. */
  name = 0;
  nameBytes = 0;
  lastKind = LAST_NORMAL;
  /** The last name is followed by a slash: it must be a directory. */
  trailingSlash = false;
  /** Links followed so far. */
  linkCount = 0;
  /** What is left of the paths in which links were met, innermost last: address and end. */
  readonly restAt = new Float64Array(LINK_DEPTH_MAX);
  readonly restEnd = new Float64Array(LINK_DEPTH_MAX);
  depth = 0;
  /** Where the next text of a link that is made up on the fly goes. */
  textAt = 0;
  /** A dentry with a reference, to be dropped after the walk: what a change has taken out of the tree. */
  held = 0;
  /** Dentries with a reference, to be dropped after the walk: where links of /proc led. */
  readonly jumps = new Int32Array(JUMPS_MAX);
  jumpCount = 0;

  /** Forgets what is to be dropped: the shared memory has gone back to a state before it was taken. */
  reset(): void {
    this.depth = 0;
    this.held = 0;
    this.jumpCount = 0;
  }

  /** FsType.readLink: the link leads to `dentry`, whose reference the walk takes over. */
  jumpTo(dentry: number): void {
    this.jumps[this.jumpCount++] = dentry;
  }

  get canJump(): boolean {
    return this.jumpCount < JUMPS_MAX;
  }
}
