// What a new program finds on its stack: argc, argv, envp, the auxiliary vector, and the strings they point to. Built
// as bytes, so that it can be looked at without a machine. (Linux: fs/exec.c, create_elf_tables in fs/binfmt_elf.c;
// riscv-elf psABI, "Process Initialization")
//
//   top   0 (8 bytes) | path | envp strings | argv strings | 16 random bytes | auxv | 0 envp | 0 argv | argc   sp

/** Pairs {type, value} without the closing AT_NULL; AT_RANDOM and AT_EXECFN are added. */
export type AuxiliaryVector = readonly (readonly [number, number])[];

export const AT_NULL = 0;
export const AT_PHDR = 3;
export const AT_PHENT = 4;
export const AT_PHNUM = 5;
export const AT_PAGESZ = 6;
export const AT_BASE = 7;
export const AT_FLAGS = 8;
export const AT_ENTRY = 9;
export const AT_UID = 11;
export const AT_EUID = 12;
export const AT_GID = 13;
export const AT_EGID = 14;
export const AT_HWCAP = 16;
export const AT_CLKTCK = 17;
export const AT_SECURE = 23;
export const AT_RANDOM = 25;
export const AT_EXECFN = 31;
export const AT_SYSINFO_EHDR = 33;

const WORD_BYTES = 8;
const RANDOM_BYTES = 16;
const STACK_ALIGN = 16;

export interface StackImage {
  /** Stack pointer: the address of bytes[0]. */
  readonly sp: number;
  /** Ends at `top`. */
  readonly bytes: Uint8Array;
  readonly argStart: number;
  readonly argEnd: number;
  readonly envEnd: number;
}

/** The image below address `top` (aligned to 16). `random`: 16 bytes for AT_RANDOM. */
export function buildStack(
  top: number,
  path: Uint8Array,
  argv: readonly Uint8Array[],
  envp: readonly Uint8Array[],
  auxv: AuxiliaryVector,
  random: Uint8Array,
): StackImage {
  const strings = [...argv, ...envp, path];
  const stringBytes = strings.reduce((sum, text) => sum + text.length + 1, 0);
  const argStart = top - WORD_BYTES - stringBytes;
  const randomVa = floorTo(argStart - RANDOM_BYTES, STACK_ALIGN);
  const wordCount = 1 + argv.length + 1 + envp.length + 1 + 2 * (auxv.length + 3);
  const sp = floorTo(randomVa - wordCount * WORD_BYTES, STACK_ALIGN);
  const bytes = new Uint8Array(top - sp);
  bytes.set(random.subarray(0, RANDOM_BYTES), randomVa - sp);
  const addresses: number[] = [];
  let va = argStart;
  for (const text of strings) {
    bytes.set(text, va - sp);
    addresses.push(va);
    va += text.length + 1;
  }
  const argEnd = addresses[argv.length];
  const pathVa = addresses[argv.length + envp.length];
  const words = [argv.length, ...addresses.slice(0, argv.length), 0];
  words.push(...addresses.slice(argv.length, argv.length + envp.length), 0);
  for (const [type, value] of [...auxv, [AT_RANDOM, randomVa], [AT_EXECFN, pathVa], [AT_NULL, 0]])
    words.push(type, value);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(i * WORD_BYTES, word % 2 ** 32, true);
    view.setUint32(i * WORD_BYTES + 4, word / 2 ** 32, true);
  });
  return { sp, bytes, argStart, argEnd, envEnd: pathVa };
}

/** Bytes that arguments and environment take, pointers included: what ARG_MAX limits. */
export function argumentBytes(argv: readonly Uint8Array[], envp: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const list of [argv, envp]) for (const text of list) bytes += text.length + 1 + WORD_BYTES;
  return bytes;
}

function floorTo(value: number, unit: number): number {
  return value - (value % unit);
}
