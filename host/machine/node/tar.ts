// --root-tar: an archive of the host, read in place. A compressed one is unpacked into memory first.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { TarSource } from "../../fs/tar/entries.ts";
import { TarError } from "../../fs/tar/header.ts";
import { packTar } from "../../fs/tar/pack.ts";
import type { ReadArchive } from "../../fs/tar/tar-files.ts";
import { tarTree } from "../../fs/tar/tree.ts";
import { ConfigError } from "../errors.ts";
import { codeOf, errnoOf } from "./host-errno.ts";

/** An archive that the main thread has opened and indexed for all workers. */
export interface HostTar {
  /** See fs/tar/pack.ts. */
  readonly index: SharedArrayBuffer;
  /** The open archive, or what it unpacked to. */
  readonly data: number | SharedArrayBuffer;
}

const GZIP_MAGIC = 0x1f8b;
/** What a compressed archive may unpack to. */
const UNPACKED_BYTES_MAX = 2 ** 31;
/** Headers are read one by one: from a piece of this size. */
const PIECE_BYTES = 1 << 16;

/** Throws ConfigError, for one line: the archive is absent, truncated, damaged, or names what it should not. */
export function openTar(path: string): HostTar {
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
    if (!fstatSync(fd).isFile()) throw new TarError("is not a regular file");
    const magic = new Uint8Array(2);
    const compressed = readSync(fd, magic, 0, 2, 0) === 2 && magic[0] * 256 + magic[1] === GZIP_MAGIC;
    if (!compressed) return { index: packTar(tarTree(fileSource(fd))), data: fd };
    const data = unpack(fd);
    closeSync(fd);
    return { index: packTar(tarTree(memorySource(data))), data };
  } catch (error) {
    if (fd !== undefined) closeSync(fd);
    const message = error instanceof Error ? error.message : String(error);
    const absent = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new ConfigError(`root tar ${JSON.stringify(path)}: ${absent ? "there is no such file" : message}`);
  }
}

export function closeTar(tar: HostTar): void {
  if (typeof tar.data === "number") closeSync(tar.data);
}

/** How a worker reads the archive into the shared memory. */
export function tarReader(tar: HostTar, memory: Uint8Array): ReadArchive {
  const { data } = tar;
  if (typeof data !== "number") {
    const archive = new Uint8Array(data);
    return (position, address, bytes) => {
      memory.set(archive.subarray(position, position + bytes), address);
      return bytes;
    };
  }
  return (position, address, bytes) => {
    try {
      return readSync(data, memory, address, bytes, position);
    } catch (error) {
      return errnoOf(codeOf(error));
    }
  };
}

function fileSource(fd: number): TarSource {
  const { size } = fstatSync(fd);
  const piece = new Uint8Array(PIECE_BYTES);
  let start = 0;
  let end = 0;
  return {
    bytes: size,
    read(position, into) {
      if (position < start || position + into.length > end) {
        start = position;
        end = position + readSync(fd, piece, 0, PIECE_BYTES, position);
      }
      if (position + into.length <= end) into.set(piece.subarray(position - start, position - start + into.length));
      else if (readSync(fd, into, 0, into.length, position) !== into.length)
        throw new TarError("shrinks as it is read");
    },
  };
}

function memorySource(data: SharedArrayBuffer): TarSource {
  const archive = new Uint8Array(data);
  return {
    bytes: archive.length,
    read: (position, into) => into.set(archive.subarray(position, position + into.length)),
  };
}

function unpack(fd: number): SharedArrayBuffer {
  const packed = Buffer.alloc(fstatSync(fd).size);
  readSync(fd, packed, 0, packed.length, 0);
  const unpacked = gunzipSync(packed, { maxOutputLength: UNPACKED_BYTES_MAX });
  const data = new SharedArrayBuffer(unpacked.length);
  new Uint8Array(data).set(unpacked);
  return data;
}
