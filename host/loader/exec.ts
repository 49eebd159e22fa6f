// Builds the address space of a program: its segments, its stack, where its heap begins. The counterpart of
// load_elf_binary in Linux's fs/binfmt_elf.c.

import {
  HART_BUFFER,
  HART_BUFFER_BYTES,
  MM_ARG_END,
  MM_ARG_START,
  MM_BRK,
  MM_BRK_START,
  MM_END_CODE,
  MM_ENTRY,
  MM_ENV_END,
  MM_ENV_START,
  MM_MMAP_BASE,
  MM_STACK_TOP,
  MM_START_CODE,
  MM_VDSO,
  PAGE_BYTES,
} from "../../assembly/layout.ts";
import { doMmap } from "../mm/call/mmap.ts";
import { ramFrameCount } from "../mm/frame/page.ts";
import type { MappedFile } from "../mm/mapping/mapped-file.ts";
import { rlimitBytes } from "../mm/rlimit.ts";
import { copyToUser } from "../mm/uaccess.ts";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_GROWSDOWN,
  MAP_PRIVATE,
  PROT_READ,
  PROT_WRITE,
  RLIMIT_STACK,
  STACK_GUARD_GAP_PAGES,
  TASK_BYTES_USER,
} from "../mm/uapi.ts";
import type { Hart } from "../policy/hart.ts";
import { type ElfError, type ElfPlan, PROGRAM_HEADER_BYTES } from "./elf.ts";
import { findBase, floorPage, lowestPage, mapSegments, segmentsEnd } from "./map-segments.ts";
import {
  AT_BASE,
  AT_CLKTCK,
  AT_EGID,
  AT_ENTRY,
  AT_EUID,
  AT_FLAGS,
  AT_GID,
  AT_HWCAP,
  AT_PAGESZ,
  AT_PHDR,
  AT_PHENT,
  AT_PHNUM,
  AT_SECURE,
  AT_SYSINFO_EHDR,
  AT_UID,
  type AuxiliaryVector,
  argumentBytes,
  buildStack,
} from "./stack-image.ts";
import { mapVdso } from "./vdso.ts";

/** A file that can be run: what its headers say, and its bytes. */
export interface ProgramFile {
  readonly plan: ElfPlan;
  /** Copies bytes of the file to `address` in the shared memory. False: they could not be read. */
  read(hart: Hart, position: number, address: number, bytes: number): boolean;
  /** Its pages, which programs that run it share; null: its segments are copied. */
  readonly mapped: MappedFile | null;
}

export interface Program {
  readonly file: ProgramFile;
  /** The dynamic loader that it asks for, null if it asks for none. */
  readonly interpreter: ProgramFile | null;
  /** As the caller wrote it: AT_EXECFN. */
  readonly path: Uint8Array;
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
}

export interface LoadedProgram {
  readonly entry: number;
  readonly sp: number;
}

/** A source of 32-bit random numbers: the layout comes from the machine's seed. */
export type Random = () => number;

// Linux/riscv64 with Sv39: how far stack, mmap area, a static PIE and the heap are moved at random, in pages
const STACK_RANDOM_PAGES = 1 << 18;
const MMAP_RANDOM_PAGES = 1 << 18;
const PIE_RANDOM_PAGES = 1 << 18;
const BRK_RANDOM_PAGES = 1 << 13;
/** Where a static PIE is loaded before that (ELF_ET_DYN_BASE): two thirds of user space. */
const PIE_BASE = Math.floor(TASK_BYTES_USER / 3 / PAGE_BYTES) * 2 * PAGE_BYTES;
/** The stack begins with this much beyond the arguments (setup_arg_pages). */
const STACK_FIRST_BYTES = 128 * 1024;
/** Distance of the mmap area from the stack: at least this (MIN_GAP). */
const MMAP_GAP_BYTES_MIN = 128 * 1024 * 1024;
/** MAX_ARG_STRLEN, the NUL included: 32 pages. */
export const ARG_STRING_BYTES_MAX = 32 * PAGE_BYTES;
/** Arguments and environment: at most three quarters of _STK_LIM, and a quarter of the stack's limit. */
const ARG_BYTES_MAX = 6 * 1024 * 1024;

/** Extensions as bits of their letters: I M A F D C. */
const HWCAP = letters("IMAFDC");
const CLOCK_TICKS_PER_SECOND = 100;

/** A program whose bytes the host holds. */
export function hostProgram(image: Uint8Array, plan: ElfPlan): ProgramFile {
  return {
    plan,
    mapped: null,
    read(hart, position, address, bytes) {
      hart.shared.u8.set(image.subarray(position, position + bytes), address);
      return position + bytes <= image.length;
    },
  };
}

/** Most bytes that a program may ask for: all of RAM. */
export function segmentBytesMax(hart: Hart): number {
  return ramFrameCount(hart.shared) * PAGE_BYTES;
}

/** How many bytes arguments and environment may take under the current limits (argumentBytes). */
export function argumentBytesMax(hart: Hart): number {
  return Math.min(ARG_BYTES_MAX, rlimitBytesOr(hart, ARG_BYTES_MAX * 4) / 4);
}

/**
 * Loads `program` into `mm`, which is empty, belongs to the current task and is loaded on this hart. What the program
 * is to start with, or one line that says why it can not be run.
 */
export function loadProgram(hart: Hart, mm: number, program: Program, random: Random): LoadedProgram | ElfError {
  const { shared } = hart;
  const { file, interpreter } = program;
  const { plan } = file;
  const problem = checkArguments(hart, program);
  if (problem !== "") return { error: problem };
  const stackTop = TASK_BYTES_USER - randomPages(random, STACK_RANDOM_PAGES);
  const gap = Math.max(rlimitBytesOr(hart, MMAP_GAP_BYTES_MIN), MMAP_GAP_BYTES_MIN);
  const stackRoom = STACK_RANDOM_PAGES * PAGE_BYTES + STACK_GUARD_GAP_PAGES * PAGE_BYTES;
  shared.setF64(mm + MM_STACK_TOP, stackTop);
  shared.setF64(mm + MM_MMAP_BASE, TASK_BYTES_USER - gap - stackRoom - randomPages(random, MMAP_RANDOM_PAGES));
  const bias = plan.relocatable ? PIE_BASE + randomPages(random, PIE_RANDOM_PAGES) - lowestPage(plan) : 0;
  let error = mapSegments(hart, mm, file, bias);
  const base = interpreter === null || error !== "" ? 0 : findBase(hart, mm, interpreter.plan);
  if (base < 0) error = "cannot map its dynamic loader";
  else if (interpreter !== null && error === "") error = mapSegments(hart, mm, interpreter, base);
  if (error !== "") return { error };
  const brk = segmentsEnd(plan) + bias + randomPages(random, BRK_RANDOM_PAGES);
  shared.setF64(mm + MM_BRK_START, brk);
  shared.setF64(mm + MM_BRK, brk);
  shared.setF64(mm + MM_ENTRY, plan.entry + bias);
  setCode(hart, mm, plan, bias);
  if (mapVdso(hart, mm) !== 0) return { error: "out of memory while it was loaded" };
  const stack = makeStack(hart, mm, program, bias, base, random);
  if ("error" in stack) return stack;
  return { entry: interpreter === null ? plan.entry + bias : interpreter.plan.entry + base, sp: stack.sp };
}

/** Where the program's own instructions are, for /proc. */
function setCode(hart: Hart, mm: number, plan: ElfPlan, bias: number): void {
  const code = plan.segments.filter(({ executable }) => executable);
  if (code.length === 0) return;
  const ends = code.map(({ va, fileBytes }) => va + fileBytes);
  hart.shared.setF64(mm + MM_START_CODE, Math.min(...code.map(({ va }) => va)) + bias);
  hart.shared.setF64(mm + MM_END_CODE, Math.max(...ends) + bias);
}

function checkArguments(hart: Hart, program: Program): string {
  const { argv, envp } = program;
  const isTooLong = (text: Uint8Array) => text.length >= ARG_STRING_BYTES_MAX;
  const tooLong = argv.some(isTooLong) || envp.some(isTooLong);
  return tooLong || argumentBytes(argv, envp) > argumentBytesMax(hart) ? "argument list too long" : "";
}

function makeStack(
  hart: Hart,
  mm: number,
  program: Program,
  bias: number,
  base: number,
  random: Random,
): { readonly sp: number } | ElfError {
  const { shared } = hart;
  const pageTop = shared.getF64(mm + MM_STACK_TOP);
  const seed = new Uint8Array(16).map(() => random());
  const auxv = auxiliaryVector(program.file.plan, bias, base, shared.getF64(mm + MM_VDSO));
  // arch_align_stack: up to 8 KiB less, so that the pages' colours differ.
  const top = pageTop - ((random() & 511) << 4);
  const image = buildStack(top, program.path, program.argv, program.envp, auxv, seed);
  const start = floorPage(image.sp) - STACK_FIRST_BYTES;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN;
  const va = doMmap(hart, mm, start, pageTop - start, PROT_READ | PROT_WRITE, flags, 0);
  if (va !== start) return { error: `cannot map its stack (errno ${-va})` };
  if (!copyOut(hart, image.sp, image.bytes)) return { error: "out of memory while its stack was made" };
  shared.setF64(mm + MM_ARG_START, image.argStart);
  shared.setF64(mm + MM_ARG_END, image.argEnd);
  shared.setF64(mm + MM_ENV_START, image.argEnd);
  shared.setF64(mm + MM_ENV_END, image.envEnd);
  return { sp: image.sp };
}

/** In Linux/riscv64's order. */
function auxiliaryVector(plan: ElfPlan, bias: number, base: number, vdso: number): AuxiliaryVector {
  return [
    [AT_SYSINFO_EHDR, vdso],
    [AT_HWCAP, HWCAP],
    [AT_PAGESZ, PAGE_BYTES],
    [AT_CLKTCK, CLOCK_TICKS_PER_SECOND],
    [AT_PHDR, plan.headersVa === 0 ? 0 : plan.headersVa + bias],
    [AT_PHENT, PROGRAM_HEADER_BYTES],
    [AT_PHNUM, plan.headerCount],
    [AT_BASE, base],
    [AT_FLAGS, 0],
    [AT_ENTRY, plan.entry + bias],
    [AT_UID, 0],
    [AT_EUID, 0],
    [AT_GID, 0],
    [AT_EGID, 0],
    [AT_SECURE, 0],
  ];
}

/** Copies to user memory through the hart's bounce buffer; false when there is no frame left. */
function copyOut(hart: Hart, va: number, bytes: Uint8Array): boolean {
  const buffer = hart.base + HART_BUFFER;
  for (let done = 0; done < bytes.length; done += HART_BUFFER_BYTES) {
    const piece = bytes.subarray(done, done + HART_BUFFER_BYTES);
    hart.shared.u8.set(piece, buffer);
    if (copyToUser(hart, va + done, buffer, piece.length) < 0) return false;
  }
  return true;
}

function rlimitBytesOr(hart: Hart, unlimited: number): number {
  const limit = rlimitBytes(hart, RLIMIT_STACK);
  return limit >= TASK_BYTES_USER ? unlimited : limit;
}

/** A multiple of the page size, 0 to (count - 1) pages. `count` is a power of two. */
function randomPages(random: Random, count: number): number {
  return (random() & (count - 1)) * PAGE_BYTES;
}

function letters(names: string): number {
  let bits = 0;
  for (const name of names) bits |= 1 << (name.charCodeAt(0) - 0x41);
  return bits;
}
