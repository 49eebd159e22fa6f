// Extended headers of pax: records "LENGTH KEY=VALUE\n", where LENGTH counts the whole record in decimal. They replace
// fields of the header that follows, or (global) of all that follow.

import { latin1, TarError, type TarHeader } from "./header.ts";

export type PaxRecords = ReadonlyMap<string, string>;

const SPACE = 0x20;
const NEWLINE = 0x0a;
const EQUALS = 0x3d;

/** Throws TarError. */
export function parsePax(bytes: Uint8Array): PaxRecords {
  const records = new Map<string, string>();
  for (let start = 0; start < bytes.length; ) {
    const space = bytes.indexOf(SPACE, start);
    const length = space < 0 ? "" : latin1(bytes.subarray(start, space));
    const end = start + Number(length);
    if (!/^[0-9]{1,9}$/.test(length) || end > bytes.length || end <= space + 1 || bytes[end - 1] !== NEWLINE) {
      throw new TarError("has a broken pax record");
    }
    const equals = bytes.indexOf(EQUALS, space);
    if (equals < 0 || equals >= end) throw new TarError("has a pax record without a value");
    records.set(latin1(bytes.subarray(space + 1, equals)), latin1(bytes.subarray(equals + 1, end - 1)));
    start = end;
  }
  return records;
}

/** Lets the records replace what the header says. Throws TarError. */
export function applyPax(header: TarHeader, records: PaxRecords): void {
  for (const [key, value] of records) {
    if (key.startsWith("GNU.sparse.")) throw new TarError("is a sparse file: make the archive without --sparse");
    if (value === "") continue; // an empty value takes a global one back
    switch (key) {
      case "path":
        header.name = value;
        break;
      case "linkpath":
        header.linkName = value;
        break;
      case "size":
        header.bytes = integer(key, value);
        break;
      case "uid":
        header.uid = integer(key, value);
        break;
      case "gid":
        header.gid = integer(key, value);
        break;
      case "mtime":
        applyTime(header, value);
        break;
    }
  }
}

function integer(key: string, value: string): number {
  const number = Number(value);
  if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(number)) {
    throw new TarError(`has ${JSON.stringify(value)} as its ${key}`);
  }
  return number;
}

/** Decimal seconds with a fraction of any length, possibly before 1970. */
function applyTime(header: TarHeader, value: string): void {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(value);
  if (match === null) throw new TarError(`has ${JSON.stringify(value)} as its mtime`);
  const ns = Number((match[3] ?? "").padEnd(9, "0").slice(0, 9));
  const seconds = Number(match[2]);
  const isBefore = match[1] === "-";
  header.mtimeSeconds = isBefore ? -seconds - (ns > 0 ? 1 : 0) : seconds;
  header.mtimeNs = isBefore && ns > 0 ? 1_000_000_000 - ns : ns;
}
