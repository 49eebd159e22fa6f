// Builds the address space of a program: its segments, its stack, where its heap begins. The counterpart of
// load_elf_binary in Linux's fs/binfmt_elf.c.

import {
  MM_BRK,
  MM_BRK_START,
  MM_END_CODE,
  MM_ENTRY,
  MM_MMAP_BASE,
  MM_STACK_TOP,
  MM_START_CODE,
  PAGE_BYTES,
} from "../../assembly/layout.ts";
import { ramFrameCount } from "../mm/frame/page.ts";
import { STACK_GUARD_GAP_PAGES, TASK_BYTES_USER } from "../mm/uapi.ts";
import type { Hart } from "../policy/hart.ts";
import type { ElfError, ElfPlan } from "./elf.ts";
import { findBase, lowestPage, mapSegments, segmentsEnd } from "./map-segments.ts";
import type { Program, Random } from "./program.ts";
import { checkArguments, makeStack, stackLimitOr } from "./stack.ts";
import { mapVdso } from "./vdso.ts";

export interface LoadedProgram {
  readonly entry: number;
  readonly sp: number;
}

// Linux/riscv64 with Sv39: how far stack, mmap area, a static PIE and the heap are moved at random, in pages
const STACK_RANDOM_PAGES = 1 << 18;
const MMAP_RANDOM_PAGES = 1 << 18;
const PIE_RANDOM_PAGES = 1 << 18;
const BRK_RANDOM_PAGES = 1 << 13;
/** Where a static PIE is loaded before that (ELF_ET_DYN_BASE): two thirds of user space. */
const PIE_BASE = Math.floor(TASK_BYTES_USER / 3 / PAGE_BYTES) * 2 * PAGE_BYTES;
/** Distance of the mmap area from the stack: at least this (MIN_GAP). */
const MMAP_GAP_BYTES_MIN = 128 * 1024 * 1024;

/** Most bytes that a program may ask for: all of RAM. */
export function segmentBytesMax(hart: Hart): number {
  return ramFrameCount(hart.shared) * PAGE_BYTES;
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
  const gap = Math.max(stackLimitOr(hart, MMAP_GAP_BYTES_MIN), MMAP_GAP_BYTES_MIN);
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

/** A multiple of the page size, 0 to (count - 1) pages. `count` is a power of two. */
function randomPages(random: Random, count: number): number {
  return (random() & (count - 1)) * PAGE_BYTES;
}
