// The segments of a program in its address space. Those of a file map its pages: text that several processes run is
// there once, and /proc/PID/maps shows where it comes from. (Linux: elf_map, elf_load and padzero in fs/binfmt_elf.c)

import { HART_BUFFER, HART_BUFFER_BYTES, PAGE_BYTES } from "../../assembly/layout.ts";
import { doMmap } from "../mm/call/mmap.ts";
import { doMprotect } from "../mm/call/mprotect.ts";
import { doMunmap } from "../mm/call/munmap.ts";
import type { MappedFile } from "../mm/mapping/mapped-file.ts";
import { clearUser, copyToUser } from "../mm/uaccess.ts";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE } from "../mm/uapi.ts";
import type { Hart } from "../policy/hart.ts";
import type { ElfPlan, Segment } from "./elf.ts";
import type { ProgramFile } from "./program.ts";

const OUT_OF_MEMORY = "out of memory while it was loaded";

/** Load bias of a dynamic loader: where there is room for the whole of it, or -errno. (Linux: load_elf_interp) */
export function findBase(hart: Hart, mm: number, plan: ElfPlan): number {
  if (!plan.relocatable) return 0;
  const bytes = segmentsEnd(plan) - lowestPage(plan);
  const va = doMmap(hart, mm, 0, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
  if (va < 0) return va;
  doMunmap(hart, mm, va, bytes); // the hole is still there: nobody else maps into this mm
  return va - lowestPage(plan);
}

/** Maps the segments of `file` at their addresses plus `bias`; "" or why that can not be done. */
export function mapSegments(hart: Hart, mm: number, file: ProgramFile, bias: number): string {
  for (const segment of file.plan.segments) {
    const { mapped } = file;
    const canMap = mapped !== null && segment.fileBytes > 0 && (segment.offset - segment.va) % PAGE_BYTES === 0;
    const problem = canMap ? mapFile(hart, mm, mapped, segment, bias) : copyFile(hart, mm, file, segment, bias);
    if (problem !== "") return problem;
  }
  return "";
}

/** The file's pages, and zeros behind its bytes. */
function mapFile(hart: Hart, mm: number, file: MappedFile, segment: Segment, bias: number): string {
  const start = floorPage(segment.va);
  const fileEnd = segment.va + segment.fileBytes;
  const memoryEnd = ceilPage(segment.va + segment.memoryBytes);
  const pgoff = floorPage(segment.offset) / PAGE_BYTES;
  const prot = protOf(segment);
  const flags = MAP_PRIVATE | MAP_FIXED;
  const va = doMmap(hart, mm, start + bias, ceilPage(fileEnd) - start, prot, flags, pgoff, file);
  if (va !== start + bias) return cannotMap(start, va);
  if (segment.memoryBytes === segment.fileBytes) return "";
  // What can not be written keeps the file's bytes there, as in Linux.
  const rest = ceilPage(fileEnd) - fileEnd;
  if (segment.writable && rest > 0 && clearUser(hart, fileEnd + bias, rest) < 0) return OUT_OF_MEMORY;
  const zeros = memoryEnd - ceilPage(fileEnd);
  if (zeros === 0) return "";
  const at = ceilPage(fileEnd) + bias;
  const anonymous = doMmap(hart, mm, at, zeros, prot, flags | MAP_ANONYMOUS, 0);
  return anonymous === at ? "" : cannotMap(at - bias, anonymous);
}

/** A file whose pages are not to be had: its bytes, in memory of the program's own. */
function copyFile(hart: Hart, mm: number, file: ProgramFile, segment: Segment, bias: number): string {
  const start = floorPage(segment.va);
  const bytes = ceilPage(segment.va + segment.memoryBytes) - start;
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  const va = doMmap(hart, mm, start + bias, bytes, PROT_READ | PROT_WRITE, flags, 0);
  if (va !== start + bias) return cannotMap(start, va);
  // As from a file mapping, the page's bytes before the segment come along: a neighbour may share the page.
  const lead = segment.fileBytes > 0 ? segment.va - start : 0;
  const problem = copySegment(hart, file, segment.offset - lead, start + bias, segment.fileBytes + lead);
  if (problem !== "") return problem;
  const prot = protOf(segment);
  if (prot !== (PROT_READ | PROT_WRITE)) doMprotect(hart, mm, start + bias, bytes, prot);
  return "";
}

function cannotMap(va: number, error: number): string {
  return `cannot map its segment at 0x${va.toString(16)} (errno ${-error})`;
}

/** From the file to user memory, through the hart's bounce buffer. */
function copySegment(hart: Hart, file: ProgramFile, position: number, va: number, bytes: number): string {
  const buffer = hart.base + HART_BUFFER;
  for (let done = 0; done < bytes; done += HART_BUFFER_BYTES) {
    const piece = Math.min(bytes - done, HART_BUFFER_BYTES);
    if (!file.read(hart, position + done, buffer, piece)) return "cannot be read";
    if (copyToUser(hart, va + done, buffer, piece) < 0) return OUT_OF_MEMORY;
  }
  return "";
}

function protOf(segment: Segment): number {
  const { readable, writable, executable } = segment;
  return (readable ? PROT_READ : 0) | (writable ? PROT_WRITE : 0) | (executable ? PROT_EXEC : 0);
}

export function segmentsEnd(plan: ElfPlan): number {
  const last = plan.segments[plan.segments.length - 1];
  return ceilPage(last.va + last.memoryBytes);
}

export function lowestPage(plan: ElfPlan): number {
  return floorPage(plan.segments[0].va);
}

export function floorPage(va: number): number {
  return va - (va % PAGE_BYTES);
}

function ceilPage(va: number): number {
  return floorPage(va + PAGE_BYTES - 1);
}
