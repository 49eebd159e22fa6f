// ELF64 for riscv64: from the bytes of a file to a plan of what to map, or to one line that says why not. A total
// function over bytes: whatever they are, it neither throws nor reads outside them. (System V gABI, chapters 4 and 5;
// riscv-elf psABI.)

import { PAGE_BYTES, USER_VPN_END } from "../../assembly/layout.ts";

/** A piece of the file and where it goes. Addresses are those of the file, without the load bias. */
export interface Segment {
  readonly va: number;
  readonly memoryBytes: number;
  readonly offset: number;
  readonly fileBytes: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
}

export interface ElfPlan {
  readonly entry: number;
  /** ET_DYN: the addresses are relative to a base that the loader chooses. */
  readonly relocatable: boolean;
  /** In ascending order of addresses; not empty. */
  readonly segments: readonly Segment[];
  /** Where the program headers are in memory (AT_PHDR), 0 if no segment covers them. */
  readonly headersVa: number;
  readonly headerCount: number;
  /** Path of the dynamic loader (PT_INTERP), "" if it needs none. */
  readonly interpreter: string;
}

export interface ElfError {
  readonly error: string;
}

const HEADER_BYTES = 64;
export const PROGRAM_HEADER_BYTES = 56;
/** Linux reads at most 64 KiB of program headers. */
const PROGRAM_HEADERS_BYTES_MAX = 65536;
const PATH_BYTES_MAX = 4096;
const USER_END = USER_VPN_END * PAGE_BYTES;

const CLASS_64 = 2;
const DATA_LITTLE_ENDIAN = 1;
const ET_EXEC = 2;
export const ET_DYN = 3;
export const EM_RISCV = 243;
const PT_LOAD = 1;
const PT_INTERP = 3;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;

/**
 * `image`: the file, or so much of its beginning that the program headers and the loader's path are in it; `fileBytes`:
 * its length. `memoryBytesMax`: how much the segments may ask for together.
 */
export function parseElf(image: Uint8Array, memoryBytesMax: number, fileBytes = image.length): ElfPlan | ElfError {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const refusal = checkHeader(view);
  if (refusal !== "") return { error: refusal };
  const segments: Segment[] = [];
  let interpreter = "";
  const headersOffset = u64(view, 32);
  const count = view.getUint16(56, true);
  for (let i = 0; i < count; i++) {
    const at = headersOffset + i * PROGRAM_HEADER_BYTES;
    const type = view.getUint32(at, true);
    if (type === PT_INTERP && interpreter === "") {
      interpreter = readInterpreter(image, view, at);
      if (interpreter === "") return { error: "the path of its dynamic loader is broken" };
    }
    if (type !== PT_LOAD) continue;
    const segment = readSegment(view, at);
    const problem = checkSegment(segment, fileBytes);
    if (problem !== "") return { error: `program header ${i}: ${problem}` };
    if (segment.memoryBytes > 0) segments.push(segment);
  }
  const problem = checkTogether(segments, memoryBytesMax);
  if (problem !== "") return { error: problem };
  const entry = u64(view, 24);
  if (!segments.some((segment) => contains(segment, entry) && segment.executable)) {
    return { error: "the entry point lies in no executable segment" };
  }
  const relocatable = view.getUint16(16, true) === ET_DYN;
  const headersVa = findHeaders(segments, headersOffset);
  return { entry, relocatable, segments, headersVa, headerCount: count, interpreter };
}

/** "" or what is wrong with the file header and the place of the program headers. */
function checkHeader(view: DataView): string {
  if (view.byteLength < 4 || view.getUint32(0, false) !== 0x7f454c46) return "not an ELF file";
  if (view.byteLength < HEADER_BYTES) return "the ELF header is truncated";
  if (view.getUint8(4) !== CLASS_64) return "not a 64-bit ELF file";
  if (view.getUint8(5) !== DATA_LITTLE_ENDIAN) return "not a little-endian ELF file";
  const machine = view.getUint16(18, true);
  if (machine !== EM_RISCV) return `built for another machine (ELF machine ${machine}, RISC-V is ${EM_RISCV})`;
  const type = view.getUint16(16, true);
  if (type !== ET_EXEC && type !== ET_DYN) return `not an executable (ELF type ${type})`;
  if (view.getUint16(54, true) !== PROGRAM_HEADER_BYTES) return "program headers of a wrong size";
  const count = view.getUint16(56, true);
  if (count === 0) return "no program headers";
  if (count * PROGRAM_HEADER_BYTES > PROGRAM_HEADERS_BYTES_MAX) return "too many program headers";
  if (u64(view, 32) + count * PROGRAM_HEADER_BYTES > view.byteLength) return "the program headers are truncated";
  return "";
}

/** "" if it is no string of the file. (Linux: load_elf_binary, which refuses it with ENOEXEC) */
function readInterpreter(image: Uint8Array, view: DataView, at: number): string {
  const offset = u64(view, at + 8);
  const bytes = u64(view, at + 32);
  if (bytes < 2 || bytes > PATH_BYTES_MAX || offset + bytes > image.length || image[offset + bytes - 1] !== 0)
    return "";
  return new TextDecoder().decode(image.subarray(offset, image.indexOf(0, offset)));
}

function readSegment(view: DataView, at: number): Segment {
  const flags = view.getUint32(at + 4, true);
  return {
    offset: u64(view, at + 8),
    va: u64(view, at + 16),
    fileBytes: u64(view, at + 32),
    memoryBytes: u64(view, at + 40),
    readable: (flags & PF_R) !== 0,
    writable: (flags & PF_W) !== 0,
    executable: (flags & PF_X) !== 0,
  };
}

/** Values of 2^53 and above are rounded, but then they exceed every bound that is checked first. */
function checkSegment(segment: Segment, imageBytes: number): string {
  if (segment.fileBytes > segment.memoryBytes) return "the segment is longer in the file than in memory";
  if (segment.offset + segment.fileBytes > imageBytes) return "the segment is truncated";
  if (segment.va + segment.memoryBytes > USER_END) return "the segment lies outside user space";
  if (segment.fileBytes > 0 && segment.offset % PAGE_BYTES !== segment.va % PAGE_BYTES) {
    return "address and file offset of the segment differ within the page";
  }
  return "";
}

function checkTogether(segments: Segment[], memoryBytesMax: number): string {
  if (segments.length === 0) return "nothing to load";
  let memoryBytes = 0;
  let end = -1;
  for (const segment of segments) {
    // The gABI wants them in ascending order, so this finds every overlap.
    if (segment.va < end) return "segments overlap or are not in ascending order";
    end = segment.va + segment.memoryBytes;
    memoryBytes += segment.memoryBytes;
  }
  return memoryBytes > memoryBytesMax ? "does not fit into the machine's RAM: try a larger --ram" : "";
}

function contains(segment: Segment, va: number): boolean {
  return va >= segment.va && va < segment.va + segment.memoryBytes;
}

function findHeaders(segments: readonly Segment[], offset: number): number {
  const segment = segments.find((s) => offset >= s.offset && offset < s.offset + s.fileBytes);
  return segment === undefined ? 0 : segment.va + (offset - segment.offset);
}

function u64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
}
