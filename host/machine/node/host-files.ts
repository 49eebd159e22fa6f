// HostFiles over node:fs: the directory below which a guest finds its files, and nothing outside it (host-walk.ts says
// why). One for each worker: descriptors are the process's, but who opened one must close it.

import {
  type BigIntStats,
  constants,
  type Dirent,
  existsSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import type { HostEntry, HostFiles, HostStat } from "../../memory/host-files.ts";
import { codeOf, errnoOf, HostFailure } from "./host-errno.ts";
import { DescriptorWalk, type HostWalk, type Names, PathWalk } from "./host-walk.ts";
import { OpenFiles } from "./open-files.ts";

/** A root that the main thread has opened for all workers. */
export interface HostRoot {
  /** A real path, one character for each byte. */
  readonly path: string;
  /** An open descriptor of it. */
  readonly fd: number;
}

/** Descriptors that the workers of one machine keep open together; common limits are 1,024 for a process. */
const OPEN_FILES_MAX = 512;
const OPEN_FILES_MIN = 8;

export class NodeHostFiles implements HostFiles {
  readonly #memory: Uint8Array;
  readonly #walk: HostWalk;
  readonly #files: OpenFiles;

  constructor(root: HostRoot, memory: Uint8Array, workers: number) {
    const openMax = Math.max(OPEN_FILES_MIN, Math.floor(OPEN_FILES_MAX / workers / 2));
    this.#memory = memory;
    this.#walk = hasDescriptorPaths(root) ? new DescriptorWalk(root.fd, openMax) : new PathWalk(root.path);
    this.#files = new OpenFiles(openMax);
  }

  lstat(path: Uint8Array, stat: HostStat): number {
    return this.#attempt(() => {
      fill(stat, lstatSync(this.#walk.locate(namesOf(path)), { bigint: true }));
      return 0;
    });
  }

  readDirectory(path: Uint8Array): readonly HostEntry[] | number {
    return this.#attempt(() => {
      const names = namesOf(path);
      // readdir would follow a link in the place of the directory; "." in that place is none.
      const place = this.#walk.locate([...names, "."]);
      const entries = readdirSync(place, { encoding: "buffer", withFileTypes: true }) as unknown as Dirent<Buffer>[];
      return entries
        .map((entry) => ({ name: entry.name, type: typeOf(entry) }))
        .sort((a, b) => Buffer.compare(a.name, b.name));
    });
  }

  readLink(path: Uint8Array): Uint8Array | number {
    return this.#attempt(() => readlinkSync(this.#walk.locate(namesOf(path)), { encoding: "buffer" }));
  }

  read(path: Uint8Array, device: number, inode: number, position: number, address: number, bytes: number): number {
    return this.#attempt(() => {
      const key = keyOf(path);
      let file = this.#files.get(key);
      if (file === undefined || file.device !== device || file.inode !== inode) {
        file = this.#walk.openFile(namesOf(path));
        this.#files.add(key, file);
        if (file.device !== device || file.inode !== inode) throw new HostFailure("ESTALE");
      }
      return readSync(file.fd, this.#memory, address, bytes, position);
    });
  }

  /** For the end of a worker, and for tests. */
  closeAll(): void {
    this.#files.closeAll();
    this.#walk.closeAll();
  }

  /** Runs a call of the host; when the process has too many descriptors, once more with none of ours. */
  #attempt<T>(call: () => T): T | number {
    try {
      return call();
    } catch (error) {
      const code = codeOf(error);
      if (code !== "EMFILE" && code !== "ENFILE") return errnoOf(code);
    }
    this.closeAll();
    try {
      return call();
    } catch (error) {
      return errnoOf(codeOf(error));
    }
  }
}

/** Is /proc there, and does it lead to the directory that we mean? */
function hasDescriptorPaths(root: HostRoot): boolean {
  return process.platform === "linux" && existsSync(`/proc/self/fd/${root.fd}/.`);
}

function keyOf(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength).toString("latin1");
}

/** The kernel resolves "." and ".."; a name that could mean more than itself never gets through. */
function namesOf(path: Uint8Array): Names {
  if (path.length === 0) return [];
  const names = keyOf(path).split("/");
  for (const name of names) {
    if (name === "" || name === "." || name === ".." || name.includes("\0")) throw new HostFailure("EINVAL");
  }
  return names;
}

const NS_PER_SECOND = 1_000_000_000n;

function fill(stat: HostStat, from: BigIntStats): void {
  stat.mode = Number(from.mode);
  stat.links = Number(from.nlink);
  stat.uid = Number(from.uid);
  stat.gid = Number(from.gid);
  stat.device = Number(from.dev);
  stat.inode = Number(from.ino);
  stat.bytes = Number(from.size);
  stat.blocks = Number(from.blocks);
  stat.atimeSeconds = Number(from.atimeNs / NS_PER_SECOND);
  stat.atimeNs = Number(from.atimeNs % NS_PER_SECOND);
  stat.mtimeSeconds = Number(from.mtimeNs / NS_PER_SECOND);
  stat.mtimeNs = Number(from.mtimeNs % NS_PER_SECOND);
  stat.ctimeSeconds = Number(from.ctimeNs / NS_PER_SECOND);
  stat.ctimeNs = Number(from.ctimeNs % NS_PER_SECOND);
}

/** DT_* of Linux's dirent.h: the file type bits of st_mode. */
function typeOf(entry: Dirent<Buffer>): number {
  if (entry.isFile()) return constants.S_IFREG >>> 12;
  if (entry.isDirectory()) return constants.S_IFDIR >>> 12;
  if (entry.isSymbolicLink()) return constants.S_IFLNK >>> 12;
  if (entry.isFIFO()) return constants.S_IFIFO >>> 12;
  if (entry.isSocket()) return constants.S_IFSOCK >>> 12;
  if (entry.isCharacterDevice()) return constants.S_IFCHR >>> 12;
  return entry.isBlockDevice() ? constants.S_IFBLK >>> 12 : 0;
}
