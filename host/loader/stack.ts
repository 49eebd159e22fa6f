// The stack of a new program: how much may be put there, where it is, and that it is filled. What the bytes are is in
// stack-image.ts. (Linux: fs/exec.c setup_arg_pages)

import {
  HART_BUFFER,
  HART_BUFFER_BYTES,
  MM_ARG_END,
  MM_ARG_START,
  MM_ENV_END,
  MM_ENV_START,
  MM_STACK_TOP,
  MM_VDSO,
  PAGE_BYTES,
} from "../../assembly/layout.ts";
import { doMmap } from "../mm/call/mmap.ts";
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
  TASK_BYTES_USER,
} from "../mm/uapi.ts";
import type { Hart } from "../policy/hart.ts";
import { type ElfError, type ElfPlan, PROGRAM_HEADER_BYTES } from "./elf.ts";
import { floorPage } from "./map-segments.ts";
import type { Program, Random } from "./program.ts";
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

/** The stack begins with this much beyond the arguments (setup_arg_pages). */
const STACK_FIRST_BYTES = 128 * 1024;
/** MAX_ARG_STRLEN, the NUL included: 32 pages. */
export const ARG_STRING_BYTES_MAX = 32 * PAGE_BYTES;
/** Arguments and environment: at most three quarters of _STK_LIM, and a quarter of the stack's limit. */
const ARG_BYTES_MAX = 6 * 1024 * 1024;

/** Extensions as bits of their letters: I M A F D C. */
const HWCAP = letters("IMAFDC");
const CLOCK_TICKS_PER_SECOND = 100;

/** How many bytes arguments and environment may take under the current limits (argumentBytes). */
export function argumentBytesMax(hart: Hart): number {
  return Math.min(ARG_BYTES_MAX, stackLimitOr(hart, ARG_BYTES_MAX * 4) / 4);
}

export function checkArguments(hart: Hart, program: Program): string {
  const { argv, envp } = program;
  const isTooLong = (text: Uint8Array) => text.length >= ARG_STRING_BYTES_MAX;
  const tooLong = argv.some(isTooLong) || envp.some(isTooLong);
  return tooLong || argumentBytes(argv, envp) > argumentBytesMax(hart) ? "argument list too long" : "";
}

export function makeStack(
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

/** RLIMIT_STACK in bytes. */
export function stackLimitOr(hart: Hart, unlimited: number): number {
  const limit = rlimitBytes(hart, RLIMIT_STACK);
  return limit >= TASK_BYTES_USER ? unlimited : limit;
}

function letters(names: string): number {
  let bits = 0;
  for (const name of names) bits |= 1 << (name.charCodeAt(0) - 0x41);
  return bits;
}
