// What is to be run: files, what they are told, and by what chance they are laid out.

import type { MappedFile } from "../mm/mapping/mapped-file.ts";
import type { Hart } from "../policy/hart.ts";
import type { ElfPlan } from "./elf.ts";

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

/** A source of 32-bit random numbers: the layout comes from the machine's seed. */
export type Random = () => number;

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
