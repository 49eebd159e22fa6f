// One 512-byte header of a tar archive, in any of the formats that occur: v7, ustar, GNU, and the header blocks of pax
// (POSIX.1-2001, "pax interchange format"; GNU tar's manual, "Basic Tar Format"). Pure functions over bytes; an archive
// comes from anywhere, so nothing in it is believed.
//
//   0     100  108  116  124   136    148   156  157       257    263   265  ...  345    500
//   | name |mode|uid |gid |size |mtime |chksum|type|linkname |magic|version|  ...  |prefix|

export const BLOCK_BYTES = 512;

/** An archive that cannot be used; the message is for one line. */
export class TarError extends Error {
  override readonly name = "TarError";
}

export const TYPE_FILE = "0";
export const TYPE_HARD_LINK = "1";
export const TYPE_SYMLINK = "2";
export const TYPE_CHARACTER = "3";
export const TYPE_BLOCK = "4";
export const TYPE_DIRECTORY = "5";
export const TYPE_FIFO = "6";
export const TYPE_PAX = "x";
export const TYPE_PAX_GLOBAL = "g";
export const TYPE_GNU_LONG_NAME = "L";
export const TYPE_GNU_LONG_LINK = "K";
export const TYPE_GNU_VOLUME = "V";

/** Names are bytes, one character for each. */
export interface TarHeader {
  name: string;
  linkName: string;
  type: string;
  mode: number;
  uid: number;
  gid: number;
  bytes: number;
  mtimeSeconds: number;
  mtimeNs: number;
}

export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Throws TarError. */
export function parseHeader(block: Uint8Array): TarHeader {
  checkSum(block);
  const magic = text(block, 257, 6);
  // GNU archives ("ustar ") have other fields where ustar has the prefix.
  const prefix = magic === "ustar" ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  const type = typeOf(block[156], name);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    type,
    mode: number(block, 100, 8) & 0o7777,
    uid: count(block, 108, 8),
    gid: count(block, 116, 8),
    bytes: count(block, 124, 12),
    mtimeSeconds: number(block, 136, 12),
    mtimeNs: 0,
  };
}

/** v7 has no directories but by their slash, and "0" and "7" (contiguous) are plain files. */
function typeOf(byte: number, name: string): string {
  if (byte !== 0 && byte !== 0x30 && byte !== 0x37) return String.fromCharCode(byte);
  return name.endsWith("/") ? TYPE_DIRECTORY : TYPE_FILE;
}

/** Sum of all bytes, with spaces where the sum stands. Some old programs summed signed bytes. */
function checkSum(block: Uint8Array): void {
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    if (i >= 148 && i < 156) continue;
    unsigned += block[i];
    signed += (block[i] << 24) >> 24;
  }
  const sum = number(block, 148, 8);
  if (sum !== unsigned && sum !== signed) throw new TarError("is not a tar header (wrong checksum)");
}

/** Up to a NUL or the end of the field. */
export function text(block: Uint8Array, start: number, bytes: number): string {
  const field = block.subarray(start, start + bytes);
  const end = field.indexOf(0);
  return latin1(end < 0 ? field : field.subarray(0, end));
}

export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** A number that is not below 0: with such a size the next header would lie before this one. */
function count(block: Uint8Array, start: number, bytes: number): number {
  const value = number(block, start, bytes);
  if (value < 0) throw new TarError(`has ${value} where a number should be`);
  return value;
}

/** Octal digits between spaces, or GNU's base 256: a first byte with the top bit set. */
function number(block: Uint8Array, start: number, bytes: number): number {
  if ((block[start] & 0x80) !== 0) return base256(block.subarray(start, start + bytes));
  const digits = text(block, start, bytes).trim();
  if (digits === "") return 0;
  if (!/^[0-7]+$/.test(digits)) throw new TarError(`has ${JSON.stringify(digits)} where a number should be`);
  return Number.parseInt(digits, 8);
}

function base256(field: Uint8Array): number {
  const negative = (field[0] & 0x40) !== 0;
  let value = negative ? field[0] | ~0xff : field[0] & 0x7f;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  if (!Number.isSafeInteger(value)) throw new TarError("has a number beyond 2^53");
  return value;
}
