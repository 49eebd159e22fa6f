// The vDSO: a small ELF shared object that the kernel maps into every process, in one page. Signal handlers return
// through its __vdso_rt_sigreturn; C libraries find its other functions, which are plain system calls here, by the
// names and the version that Linux's has (arch/riscv/kernel/vdso). There is no unwind table: unwinders know the two
// instructions of __vdso_rt_sigreturn by sight.

import { EM_RISCV, ET_DYN } from "./elf.ts";

export interface VdsoImage {
  readonly bytes: Uint8Array;
  /** Offset of __vdso_rt_sigreturn, where handlers return to. */
  readonly sigreturnOffset: number;
}

/** Name and number of the system call behind it. */
const FUNCTIONS: readonly (readonly [string, number])[] = [
  ["__vdso_rt_sigreturn", 139],
  ["__vdso_gettimeofday", 169],
  ["__vdso_clock_gettime", 113],
  ["__vdso_clock_getres", 114],
  ["__vdso_getcpu", 168],
  ["__vdso_flush_icache", 259],
];
const SONAME = "linux-vdso.so.1";
const VERSION = "LINUX_4.15";

const ECALL = 0x00000073;
const RET = 0x00008067;
const FUNCTION_BYTES = 16;

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SYMBOL_BYTES = 24;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PF_R_X = 5;
const PF_R = 4;
const DT_HASH = 4;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const DT_STRSZ = 10;
const DT_SYMENT = 11;
const DT_SONAME = 14;
const DT_VERSYM = 0x6ffffff0;
const DT_VERDEF = 0x6ffffffc;
const DT_VERDEFNUM = 0x6ffffffd;
const VER_FLG_BASE = 1;
const VERDEF_BYTES = 28; // one Elf64_Verdef and its one Elf64_Verdaux
const SYMBOL_GLOBAL_FUNCTION = 0x12;
const SYMBOL_SECTION = 1; // any section but SHN_UNDEF: there are no section headers to count
const EF_RISCV_RVC_DOUBLE = 5;

/** Offsets of the parts, one behind the other. */
function plan() {
  const strings = stringTable([SONAME, VERSION, ...FUNCTIONS.map(([name]) => name)]);
  const symbolCount = FUNCTIONS.length + 1;
  const hash = HEADER_BYTES + 2 * PROGRAM_HEADER_BYTES;
  const symbols = align(hash + 4 * (2 + 1 + symbolCount), 8); // nbucket, nchain, one bucket, the chain
  const names = symbols + SYMBOL_BYTES * symbolCount;
  const versions = align(names + strings.bytes.length, 8);
  const definitions = align(versions + 2 * symbolCount, 8);
  const dynamic = align(definitions + 2 * VERDEF_BYTES, 8);
  const text = align(dynamic + 16 * 10, 16);
  return { strings, symbolCount, hash, symbols, names, versions, definitions, dynamic, text };
}

export function buildVdso(): VdsoImage {
  const at = plan();
  const bytes = new Uint8Array(at.text + FUNCTION_BYTES * FUNCTIONS.length);
  const view = new DataView(bytes.buffer);
  const u16 = (offset: number, value: number) => view.setUint16(offset, value, true);
  const u32 = (offset: number, value: number) => view.setUint32(offset, value, true);
  const u64 = (offset: number, value: number) => view.setBigUint64(offset, BigInt(value), true);
  putHeaders(bytes, at.dynamic, u16, u32, u64);
  bytes.set(at.strings.bytes, at.names);
  u32(at.hash, 1);
  u32(at.hash + 4, at.symbolCount);
  u32(at.hash + 8, 1); // the bucket begins with symbol 1, and each symbol leads to the next
  FUNCTIONS.forEach(([name, number], i) => {
    const symbol = at.symbols + SYMBOL_BYTES * (i + 1);
    const code = at.text + FUNCTION_BYTES * i;
    u32(symbol, at.strings.offsets.get(name) ?? 0);
    bytes[symbol + 4] = SYMBOL_GLOBAL_FUNCTION;
    u16(symbol + 6, SYMBOL_SECTION);
    u64(symbol + 8, code);
    u64(symbol + 16, FUNCTION_BYTES);
    u32(at.hash + 12 + 4 * (i + 1), i + 2 < at.symbolCount ? i + 2 : 0);
    u16(at.versions + 2 * (i + 1), 2);
    u32(code, 0x00000893 | (number << 20)); // li a7, number
    u32(code + 4, ECALL);
    u32(code + 8, RET);
    u32(code + 12, 0);
  });
  putVersions(at.definitions, at.strings.offsets, u16, u32);
  const tags: readonly (readonly [number, number])[] = [
    [DT_SONAME, at.strings.offsets.get(SONAME) ?? 0],
    [DT_HASH, at.hash],
    [DT_STRTAB, at.names],
    [DT_SYMTAB, at.symbols],
    [DT_STRSZ, at.strings.bytes.length],
    [DT_SYMENT, SYMBOL_BYTES],
    [DT_VERSYM, at.versions],
    [DT_VERDEF, at.definitions],
    [DT_VERDEFNUM, 2],
    [0, 0],
  ];
  tags.forEach(([tag, value], i) => {
    u64(at.dynamic + 16 * i, tag);
    u64(at.dynamic + 16 * i + 8, value);
  });
  return { bytes, sigreturnOffset: at.text };
}

type Put = (offset: number, value: number) => void;

function putHeaders(bytes: Uint8Array, dynamic: number, u16: Put, u32: Put, u64: Put): void {
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // 64 bit, little endian, version 1
  u16(16, ET_DYN);
  u16(18, EM_RISCV);
  u32(20, 1);
  u64(32, HEADER_BYTES); // program headers
  u32(48, EF_RISCV_RVC_DOUBLE);
  u16(52, HEADER_BYTES);
  u16(54, PROGRAM_HEADER_BYTES);
  u16(56, 2);
  u16(58, 64); // bytes of a section header, of which there are none
  const load = HEADER_BYTES;
  u32(load, PT_LOAD);
  u32(load + 4, PF_R_X);
  u64(load + 32, bytes.length);
  u64(load + 40, bytes.length);
  u64(load + 48, 4096);
  const header = load + PROGRAM_HEADER_BYTES;
  u32(header, PT_DYNAMIC);
  u32(header + 4, PF_R);
  for (const field of [8, 16, 24]) u64(header + field, dynamic);
  u64(header + 32, 16 * 10);
  u64(header + 40, 16 * 10);
  u64(header + 48, 8);
}

/** Version 1 is the object itself, version 2 the one that its functions have. */
function putVersions(at: number, offsets: ReadonlyMap<string, number>, u16: Put, u32: Put): void {
  [SONAME, VERSION].forEach((name, i) => {
    const definition = at + VERDEF_BYTES * i;
    u16(definition, 1);
    u16(definition + 2, i === 0 ? VER_FLG_BASE : 0);
    u16(definition + 4, i + 1);
    u16(definition + 6, 1);
    u32(definition + 8, elfHash(name));
    u32(definition + 12, 20); // its name follows
    u32(definition + 16, i === 0 ? VERDEF_BYTES : 0);
    u32(definition + 20, offsets.get(name) ?? 0);
  });
}

function stringTable(names: readonly string[]): { bytes: Uint8Array; offsets: ReadonlyMap<string, number> } {
  const offsets = new Map<string, number>();
  let text = "\0";
  for (const name of names) {
    offsets.set(name, text.length);
    text += `${name}\0`;
  }
  return { bytes: new TextEncoder().encode(text), offsets };
}

/** The hash of DT_HASH and of version names (System V ABI, "Hash Table"). */
function elfHash(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) {
    hash = ((hash << 4) + name.charCodeAt(i)) >>> 0;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

function align(offset: number, bytes: number): number {
  return Math.ceil(offset / bytes) * bytes;
}
