// The descriptors that one worker keeps open below the root, least recently used first out. Their number is bounded,
// because a process has only so many and every hart has its own.

import { closeSync } from "node:fs";

export interface OpenFile {
  readonly fd: number;
  readonly device: number;
  readonly inode: number;
}

export class OpenFiles {
  readonly #limit: number;
  /** A Map iterates in the order of insertion: what is used goes to the end. */
  readonly #files = new Map<string, OpenFile>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(path: string): OpenFile | undefined {
    const file = this.#files.get(path);
    if (file === undefined) return undefined;
    this.#files.delete(path);
    this.#files.set(path, file);
    return file;
  }

  add(path: string, file: OpenFile): void {
    this.close(path);
    for (const [oldest] of this.#files) {
      if (this.#files.size < this.#limit) break;
      this.close(oldest);
    }
    this.#files.set(path, file);
  }

  close(path: string): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.delete(path);
    closeSync(file.fd);
  }

  /** Returns whether there was anything to close. */
  closeAll(): boolean {
    const paths = [...this.#files.keys()];
    for (const path of paths) this.close(path);
    return paths.length > 0;
  }
}
