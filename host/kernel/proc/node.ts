// What /proc and /sys are made of: trees of nodes that are the same on every machine. An inode is an instance of a
// node, for one task where the node is below /proc/PID.

import { S_IFDIR, S_IFLNK, S_IFREG } from "../../fs/uapi.ts";
import type { PathWalk } from "../../memory/path-walk.ts";
import type { Hart } from "../../policy/hart.ts";

/** Which task a file is about; pid 0 where it is about the machine. See target.ts. */
export interface ProcTarget {
  readonly pid: number;
  /** PROCESS_START_NS of its process. */
  readonly startNs: number;
  /** Below fd/: the descriptor. */
  readonly fd: number;
}

/** Members of a directory that come and go. */
export interface ProcMembers {
  /** The node whose instances they are. */
  readonly node: ProcNode;
  /** What the member `name` is about, or undefined: it is not there. `of` is what the directory is about. */
  findMember(hart: Hart, of: ProcTarget, name: string): ProcTarget | undefined;
  /** Names of all. */
  listMembers(hart: Hart, of: ProcTarget): string[];
}

export interface ProcNode {
  readonly name: string;
  /** st_mode. */
  readonly mode: number;
  readonly children: readonly ProcNode[];
  readonly members?: ProcMembers;
  /** What reading gives, or -errno. One character for each byte. No lock held. */
  readonly read?: (hart: Hart, target: ProcTarget) => string | number;
  /** Reading at a position, for files that are too long to be made at once: bytes at `address`, or -errno. */
  readonly readAt?: (hart: Hart, target: ProcTarget, position: number, address: number, bytes: number) => number;
  /** Bytes taken, or -errno. */
  readonly write?: (hart: Hart, target: ProcTarget, text: string) => number;
  /** Text of a link, or -errno; or LINK_JUMP after walk.jumpTo. FS_LOCK held for read. */
  readonly link?: (hart: Hart, target: ProcTarget, walk: PathWalk) => string | number;
}

type Read = NonNullable<ProcNode["read"]>;
type Write = NonNullable<ProcNode["write"]>;

export function file(name: string, read: Read, write?: Write): ProcNode {
  return { name, mode: S_IFREG | (write === undefined ? 0o444 : 0o644), children: [], read, write };
}

export function directory(name: string, children: readonly ProcNode[], members?: ProcMembers): ProcNode {
  return { name, mode: S_IFDIR | 0o555, children, members };
}

export function link(name: string, follow: NonNullable<ProcNode["link"]>): ProcNode {
  return { name, mode: S_IFLNK | 0o777, children: [], link: follow };
}
