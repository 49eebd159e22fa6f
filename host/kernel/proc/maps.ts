// /proc/PID/maps: one line for each mapping, the name in column 73. (fs/proc/task_mmu.c, show_map_vma)

import {
  MM_BRK,
  MM_BRK_START,
  MM_STACK_TOP,
  PAGE_BYTES,
  VM_EXEC,
  VM_MAYSHARE,
  VM_READ,
  VM_WRITE,
  VMA_END,
  VMA_FILE,
  VMA_FLAGS,
  VMA_PGOFF,
  VMA_START,
} from "../../../assembly/layout.ts";
import { vmaFind } from "../../mm/vma/vma-map.ts";
import type { Hart } from "../../policy/hart.ts";
import { hex } from "./format.ts";

/** What maps says of the file behind a mapping. */
export interface MappedFile {
  readonly device: number;
  readonly inode: number;
  readonly path: string;
}

const NAME_COLUMN = 72;
/** A line may be followed by more about the same mapping (smaps). */
export type AboutVma = (vma: number) => string;

/** Requires: mmap_lock for read. `fileOf` names the file behind VMA_FILE. */
export function mapsTextLocked(hart: Hart, mm: number, fileOf: (file: number) => MappedFile, more?: AboutVma): string {
  const { shared } = hart;
  let text = "";
  for (let vpn = 0; ; ) {
    const vma = vmaFind(hart, mm, vpn);
    if (vma === 0) return text;
    text += vmaLine(hart, mm, vma, fileOf);
    if (more !== undefined) text += more(vma);
    vpn = shared.get(vma + VMA_END);
    hart.pollIrq();
  }
}

function vmaLine(hart: Hart, mm: number, vma: number, fileOf: (file: number) => MappedFile): string {
  const { shared } = hart;
  const flags = shared.get(vma + VMA_FLAGS);
  const start = shared.get(vma + VMA_START) * PAGE_BYTES;
  const end = shared.get(vma + VMA_END) * PAGE_BYTES;
  const file = shared.get(vma + VMA_FILE);
  const backing = file === 0 ? { device: 0, inode: 0, path: anonymousName(hart, mm, start, end) } : fileOf(file);
  const offset = file === 0 ? 0 : (shared.get(vma + VMA_PGOFF) >>> 0) * PAGE_BYTES;
  const rights = [
    (flags & VM_READ) !== 0 ? "r" : "-",
    (flags & VM_WRITE) !== 0 ? "w" : "-",
    (flags & VM_EXEC) !== 0 ? "x" : "-",
    (flags & VM_MAYSHARE) !== 0 ? "s" : "p",
  ].join("");
  const device = `${hex(backing.device >>> 8, 2)}:${hex(backing.device & 0xff, 2)}`;
  const head = `${hex(start, 8)}-${hex(end, 8)} ${rights} ${hex(offset, 8)} ${device} ${backing.inode} `;
  return backing.path === "" ? `${head}\n` : `${head.padEnd(NAME_COLUMN)} ${escapeNewlines(backing.path)}\n`;
}

/** (vma_is_initial_heap, vma_is_initial_stack) */
function anonymousName(hart: Hart, mm: number, start: number, end: number): string {
  const { shared } = hart;
  if (start <= shared.getF64(mm + MM_BRK) && end >= shared.getF64(mm + MM_BRK_START)) {
    return shared.getF64(mm + MM_BRK) > shared.getF64(mm + MM_BRK_START) ? "[heap]" : "";
  }
  const stackTop = shared.getF64(mm + MM_STACK_TOP);
  return start < stackTop && end >= stackTop ? "[stack]" : "";
}

/** A name must not look like another line. (seq_file_path: mangle_path with "\n") */
function escapeNewlines(path: string): string {
  return path.replaceAll("\n", "\\012");
}
