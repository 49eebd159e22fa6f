// The entries of a tar archive, one after the other: headers with their extensions applied, and where the data lies.

import {
  BLOCK_BYTES,
  isZeroBlock,
  parseHeader,
  TarError,
  type TarHeader,
  TYPE_FILE,
  TYPE_GNU_LONG_LINK,
  TYPE_GNU_LONG_NAME,
  TYPE_GNU_VOLUME,
  TYPE_PAX,
  TYPE_PAX_GLOBAL,
  text,
} from "./header.ts";
import { applyPax, type PaxRecords, parsePax } from "./pax.ts";

/** An archive that can be read anywhere in it. */
export interface TarSource {
  readonly bytes: number;
  /** Fills `into` from `position`; the caller stays below `bytes`. */
  read(position: number, into: Uint8Array): void;
}

export interface TarEntry extends TarHeader {
  /** Where its data begins in the archive. */
  readonly position: number;
}

/** Long names and pax records; GNU tar's own limit is about as large. */
const EXTENSION_BYTES_MAX = 1 << 20;

/** What headers say about the entry after them. */
interface Extensions {
  longName: string;
  longLink: string;
  pax: PaxRecords;
}

/** Yields every entry. Throws TarError, whose message begins with which one it is about. */
export function* tarEntries(source: TarSource): Generator<TarEntry> {
  const block = new Uint8Array(BLOCK_BYTES);
  let global: PaxRecords = new Map();
  let extensions = noExtensions();
  for (let position = 0, count = 1; ; count++) {
    if (position + BLOCK_BYTES > source.bytes) throw new TarError("is truncated: it has no end mark");
    source.read(position, block);
    position += BLOCK_BYTES;
    if (isZeroBlock(block)) {
      checkEnd(source, position);
      return;
    }
    const entry = about(`header ${count}`, () => {
      const header = parseHeader(block);
      const isExtension = "xgLK".includes(header.type);
      if (!isExtension) extend(header, extensions, global);
      if (position + header.bytes > source.bytes) throw new TarError("is cut off: the archive ends in its data");
      if (!isExtension) return { ...header, position };
      const data = extensionData(source, position, header.bytes);
      if (header.type === TYPE_PAX_GLOBAL) global = new Map([...global, ...parsePax(data)]);
      if (header.type === TYPE_PAX) extensions.pax = parsePax(data);
      if (header.type === TYPE_GNU_LONG_NAME) extensions.longName = text(data, 0, data.length);
      if (header.type === TYPE_GNU_LONG_LINK) extensions.longLink = text(data, 0, data.length);
      return { ...header, position };
    });
    if (!"xgLK".includes(entry.type)) {
      extensions = noExtensions();
      if (entry.type !== TYPE_GNU_VOLUME) yield entry;
    }
    position += Math.ceil(entry.bytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
}

function noExtensions(): Extensions {
  return { longName: "", longLink: "", pax: new Map() };
}

function extend(header: TarHeader, extensions: Extensions, global: PaxRecords): void {
  applyPax(header, global);
  if (extensions.longName !== "") header.name = extensions.longName;
  if (extensions.longLink !== "") header.linkName = extensions.longLink;
  applyPax(header, extensions.pax);
  // Only plain files have data, whatever the size of a link or a directory says.
  if (header.type !== TYPE_FILE) header.bytes = 0;
}

/** Two zero blocks end an archive; with one, it could have been cut between two entries. */
function checkEnd(source: TarSource, position: number): void {
  const block = new Uint8Array(BLOCK_BYTES);
  if (position + BLOCK_BYTES > source.bytes) throw new TarError("is truncated: half of its end mark is missing");
  source.read(position, block);
  if (!isZeroBlock(block)) throw new TarError("is damaged: data follows a zero block");
}

function extensionData(source: TarSource, position: number, bytes: number): Uint8Array {
  if (bytes > EXTENSION_BYTES_MAX) throw new TarError(`is an extension of ${bytes} bytes: at most 1 MiB`);
  const data = new Uint8Array(bytes);
  source.read(position, data);
  return data;
}

function about<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof TarError) throw new TarError(`${what} ${error.message}`);
    throw error;
  }
}
