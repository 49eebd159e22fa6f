// What can be done with an open file (Linux: struct file_operations). Each kind of file has a table of its own
// (file-kinds.ts finds it), made from `defaultOps` and what is different. A call gets the file with a reference that
// its caller holds, and no lock held; one that must wait returns WAIT and is entered again from the start.

import { EINVAL, ENODEV, ENOTTY, ESPIPE } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../uapi.ts";
import type { UserBuffers } from "../user-buffers.ts";

/** In place of a position: the file's own, which moves along. */
export const POSITION_FILE = -1;

export interface FileOps {
  /** Bytes read, 0 at the end, -errno or WAIT. `position` is POSITION_FILE or, for pread, from 0 up. */
  read(hart: Hart, file: number, buffers: UserBuffers, position: number): number;
  /** Bytes written, -errno or WAIT. */
  write(hart: Hart, file: number, buffers: UserBuffers, position: number): number;
  /** pread and pwrite have a meaning. */
  readonly hasPosition: boolean;
  /** lseek: the new position or -errno. */
  seek(hart: Hart, file: number, offset: number, whence: number): number;
  /**
   * Which of POLL* are true now. Whoever makes more of them true calls wakePollers afterwards. `wanted`: what the
   * caller is about to wait for, 0 if it only looks.
   */
  poll(hart: Hart, file: number, wanted: number): number;
  /**
   * A number that is another one after each event by which `wanted` may have come true, whether or not it was true
   * before: what EPOLLET counts. Files that have none tell by their state alone.
   */
  edges(hart: Hart, file: number, wanted: number): number;
  /** ioctl: a result or -errno, -ENOTTY for requests that it does not know. */
  ioctl(hart: Hart, file: number, request: number, va: number): number;
  /** The address_space that mmap maps, MAPPING_ANONYMOUS for zeros, or -errno. */
  mapping(hart: Hart, file: number): number;
  /** The last reference has gone. May be long; must not wait. */
  release(hart: Hart, file: number): void;
}

/** FileOps.mapping of /dev/zero: private pages of zeros, or a new shared object. */
export const MAPPING_ANONYMOUS = 0;

export const defaultOps: FileOps = {
  read: () => -EINVAL,
  write: () => -EINVAL,
  hasPosition: false,
  seek: () => -ESPIPE,
  poll: () => POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM,
  edges: () => 0,
  ioctl: () => -ENOTTY,
  mapping: () => -ENODEV,
  release: () => {},
};
