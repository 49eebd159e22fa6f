// Writes small static ELF64 files for riscv64: a header, program headers, and the segments at page-aligned places.

export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

export interface Segment {
  readonly va: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
  /** At least bytes.length; the rest is zero. */
  readonly memoryBytes?: number;
}

const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const PAGE_BYTES = 4096;
const ET_EXEC = 2;
const EM_RISCV = 243;
const PT_LOAD = 1;
/** EF_RISCV_RVC and the double-float ABI. */
const EF_RVC_DOUBLE = 5;

const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** Segments' addresses must be page-aligned. */
export function staticElf(entry: number, segments: readonly Segment[]): Buffer<ArrayBuffer> {
  const offsets: number[] = [];
  let end = EHDR_BYTES + segments.length * PHDR_BYTES;
  for (const { bytes } of segments) {
    offsets.push(roundUp(end, PAGE_BYTES));
    end = roundUp(end, PAGE_BYTES) + bytes.length;
  }
  const elf = Buffer.alloc(end);
  writeHeader(elf, entry, segments.length);
  segments.forEach((segment, index) => {
    writeProgramHeader(elf, EHDR_BYTES + index * PHDR_BYTES, segment, offsets[index]);
    elf.set(segment.bytes, offsets[index]);
  });
  return elf;
}

function writeHeader(elf: Buffer, entry: number, segments: number): void {
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64 bit, little endian, version
  elf.writeUInt16LE(ET_EXEC, 16);
  elf.writeUInt16LE(EM_RISCV, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(entry), 24);
  elf.writeBigUInt64LE(BigInt(EHDR_BYTES), 32);
  elf.writeUInt32LE(EF_RVC_DOUBLE, 48);
  elf.writeUInt16LE(EHDR_BYTES, 52);
  elf.writeUInt16LE(PHDR_BYTES, 54);
  elf.writeUInt16LE(segments, 56);
}

function writeProgramHeader(elf: Buffer, at: number, segment: Segment, offset: number): void {
  const { va, flags, bytes, memoryBytes = bytes.length } = segment;
  elf.writeUInt32LE(PT_LOAD, at);
  elf.writeUInt32LE(flags, at + 4);
  const words = [offset, va, va, bytes.length, memoryBytes, PAGE_BYTES];
  words.forEach((word, index) => {
    elf.writeBigUInt64LE(BigInt(word), at + 8 + index * 8);
  });
}
