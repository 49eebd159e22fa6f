// How a chain of names becomes something that node:fs can be asked about, without leaving the root.
//
// Each name is looked up relative to the *descriptor* of the directory before it, with O_NOFOLLOW, and must be a
// directory. Node has no openat(2), but on Linux /proc/self/fd/N/NAME is the same: the host goes to the open directory,
// wherever that is by now, and looks up one name in it. So a directory that somebody on the host swaps for a link,
// between one step and the next, gives -ENOTDIR and never another directory.
//
// O_PATH takes hold of a name without opening what it stands for: no FIFO that blocks, no device that does something.
// Only when fstat has said "regular file" it is opened, by that descriptor, so it cannot have become something else.

import { closeSync, constants, fstatSync, lstatSync, openSync, realpathSync } from "node:fs";
import { HostFailure } from "./host-errno.ts";
import { type OpenFile, OpenFiles } from "./open-files.ts";

/** Names below the root, one character for each byte. */
export type Names = readonly string[];

export interface HostWalk {
  /** The path to hand to lstat, readlink and readdir, which must not follow its last name. */
  locate(names: Names): Buffer;
  /** Opens a regular file for reading. Throws HostFailure ENXIO if it is anything else. */
  openFile(names: Names): OpenFile;
  /** Closes what is kept open; false if that was nothing. */
  closeAll(): boolean;
}

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
const O_PATH = 0o10000000; // Linux, asm-generic/fcntl.h; node:fs has no name for it

/** The root is an open directory of this process. */
export class DescriptorWalk implements HostWalk {
  readonly #root: number;
  readonly #directories: OpenFiles;

  constructor(root: number, openMax: number) {
    this.#root = root;
    this.#directories = new OpenFiles(openMax);
  }

  locate(names: Names): Buffer {
    if (names.length === 0) return Buffer.from(`/proc/self/fd/${this.#root}/.`);
    return below(this.#directory(names.slice(0, -1)), names[names.length - 1]);
  }

  openFile(names: Names): OpenFile {
    const held = openSync(this.locate(names), O_PATH | O_NOFOLLOW);
    try {
      const { dev, ino } = regular(fstatSync(held));
      const fd = openSync(`/proc/self/fd/${held}`, O_RDONLY | O_NONBLOCK | O_NOCTTY);
      return { fd, device: dev, inode: ino };
    } finally {
      closeSync(held);
    }
  }

  closeAll(): boolean {
    return this.#directories.closeAll();
  }

  /** The descriptor of a directory, by way of the nearest one above it that is open. */
  #directory(names: Names): number {
    let depth = names.length;
    let open: OpenFile | undefined;
    while (depth > 0 && open === undefined) {
      open = this.#directories.get(names.slice(0, depth).join("/"));
      if (open === undefined) depth--;
    }
    let fd = open?.fd ?? this.#root;
    for (; depth < names.length; depth++) {
      fd = openSync(below(fd, names[depth]), O_PATH | O_DIRECTORY | O_NOFOLLOW);
      this.#directories.add(names.slice(0, depth + 1).join("/"), { fd, device: 0, inode: 0 });
    }
    return fd;
  }
}

function below(directory: number, name: string): Buffer {
  return Buffer.from(`/proc/self/fd/${directory}/${name}`, "latin1");
}

/**
 * For hosts without /proc: whole paths. The directory's real path must be the path itself, before and after. That holds
 * against links that are there; a process on the host that swaps directories at the right moments can get past it.
 */
export class PathWalk implements HostWalk {
  readonly #root: string;

  /** `root` is a real path, one character for each byte. */
  constructor(root: string) {
    this.#root = root;
  }

  locate(names: Names): Buffer {
    this.#checkDirectory(names);
    return Buffer.from([this.#root, ...names].join("/"), "latin1");
  }

  openFile(names: Names): OpenFile {
    const path = this.locate(names);
    const { dev, ino } = regular(lstatSync(path));
    const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    try {
      this.#checkDirectory(names);
      const now = fstatSync(fd);
      if (now.dev !== dev || now.ino !== ino) throw new HostFailure("ELOOP");
      return { fd, device: dev, inode: ino };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  closeAll(): boolean {
    return false;
  }

  #checkDirectory(names: Names): void {
    const path = [this.#root, ...names.slice(0, -1)].join("/");
    const real = realpathSync.native(Buffer.from(path, "latin1"), "latin1");
    if (real !== path) throw new HostFailure("ENOTDIR");
  }
}

function regular<T extends { isFile(): boolean }>(status: T): T {
  if (!status.isFile()) throw new HostFailure("ENXIO");
  return status;
}
