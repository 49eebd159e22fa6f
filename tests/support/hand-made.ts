// Programs of a few instructions, for what no C program of guest-programs/ does.

import { encodeWords, loadConstant, op, type Word } from "./assemble.ts";
import { PF_R, PF_W, PF_X, staticElf } from "./elf.ts";

export const TEXT = 0x10000;
export const STACKS = 0x100000;

export const ZERO = 0;
export const RA = 1;
export const SP = 2;
export const T0 = 5;
export const A0 = 10;
export const A7 = 17;

const SYS_WRITE = 64;
const SYS_EXIT_GROUP = 94;
const SYS_CLONE = 220;
const SYS_MMAP = 222;

/** CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM. */
const CLONE_THREAD_FLAGS = 0x50f00;
const STACK_BYTES = 4096;

/** rd = value, for values of up to 31 bits. */
export function set(rd: number, value: number): Word[] {
  return loadConstant(rd, value);
}

/** a0 and following hold the arguments, a0 the result. */
export function call(number: number, ...args: readonly number[]): Word[] {
  return [...args.flatMap((arg, index) => set(A0 + index, arg)), ...set(A7, number), op("ecall", {})];
}

export function exitGroup(status: number): Word[] {
  return call(SYS_EXIT_GROUP, status);
}

export function program(words: readonly Word[]): Buffer<ArrayBuffer> {
  return staticElf(TEXT, [
    { va: TEXT, flags: PF_R | PF_X, bytes: encodeWords(words) },
    { va: STACKS, flags: PF_R | PF_W, bytes: new Uint8Array(0), memoryBytes: 64 * STACK_BYTES },
  ]);
}

/** Loops that hold no backward branch of the usual kind. The distance of each is from its own first instruction. */
const LOOPS = {
  jal: [op("jal", { rd: ZERO, imm: 0 })],
  jalr: [op("auipc", { rd: T0, imm: 0 }), op("jalr", { rd: ZERO, rs1: T0, imm: 4 })],
  ret: [
    op("auipc", { rd: RA, imm: 0 }),
    op("addi", { rd: RA, rs1: RA, imm: 8 }),
    op("jalr", { rd: ZERO, rs1: RA, imm: 0 }),
  ],
  branch: [op("addi", { rd: T0, rs1: T0, imm: 1 }), op("beq", { rs1: ZERO, rs2: ZERO, imm: -4 })],
} satisfies Record<string, Word[]>;

export type LoopKind = keyof typeof LOOPS;
export const LOOP_KINDS = Object.keys(LOOPS) as LoopKind[];

/** Every one of `threads` threads loops for ever. */
export function looping(kind: LoopKind, threads: number): Buffer<ArrayBuffer> {
  const starts = Array.from({ length: threads - 1 }, (_, index) => [
    ...call(SYS_CLONE, CLONE_THREAD_FLAGS, STACKS + (index + 1) * STACK_BYTES, 0, 0, 0),
    op("bne", { rs1: A0, rs2: ZERO, imm: 8 }), // the parent jumps over the child's jump
    op("jal", { rd: ZERO, imm: 4 }), // patched below: to the loop
  ]);
  const words = starts.flat();
  const jumps = words.flatMap((word, index) => (word.text.startsWith("jal ") ? [index] : []));
  for (const index of jumps) words[index] = op("jal", { rd: ZERO, imm: (words.length - index) * 4 });
  return program([...words, ...LOOPS[kind]]);
}

/** Maps 1 GiB and writes to page after page of it. Exits with 7 if mmap said no. */
export function memoryHog(): Buffer<ArrayBuffer> {
  return program([
    ...call(SYS_MMAP, 0, 0x40000000, 3, 0x22, -1, 0),
    op("bge", { rs1: A0, rs2: ZERO, imm: 4 * 6 }),
    ...exitGroup(7),
    ...set(T0, 4096),
    op("sd", { rs1: A0, rs2: T0, imm: 0 }),
    op("add", { rd: A0, rs1: A0, rs2: T0 }),
    op("jal", { rd: ZERO, imm: -8 }),
  ]);
}

/** Writes its own code to standard output for ever, whatever write says. */
export function endlessWriter(): Buffer<ArrayBuffer> {
  const body = call(SYS_WRITE, 1, TEXT, 256);
  return program([...body, op("jal", { rd: ZERO, imm: -4 * body.length })]);
}
