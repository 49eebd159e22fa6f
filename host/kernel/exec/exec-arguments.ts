// argv and envp of execve: copied out of the caller's memory before that goes, counted against ARG_MAX as they come.
// (Linux: count, copy_strings and bprm_stack_limits in fs/exec.c)

import { HART_BUFFER, HART_BUFFER_BYTES, HART_KERNEL_SCRATCH } from "../../../assembly/layout.ts";
import { ARG_STRING_BYTES_MAX, argumentBytesMax } from "../../loader/stack.ts";
import { E2BIG, EFAULT } from "../../memory/errno.ts";
import { copyFromUser, strncpyFromUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadU64 } from "../registers.ts";

const POINTER_BYTES = 8;

export interface ExecArguments {
  readonly argv: readonly Uint8Array[];
  readonly envp: readonly Uint8Array[];
}

/** Both lists, or -errno. No argv is one with the empty string: programs rely on argv[0]. */
export function copyArguments(hart: Hart, argvVa: number, envpVa: number): ExecArguments | number {
  const left = { bytes: argumentBytesMax(hart) };
  const argv = copyStrings(hart, argvVa, left);
  if (typeof argv === "number") return argv;
  const envp = copyStrings(hart, envpVa, left);
  if (typeof envp === "number") return envp;
  return { argv: argv.length === 0 ? [new Uint8Array(0)] : argv, envp };
}

/** The strings that the pointers at `va` name, up to a null pointer; 0 is no list at all. */
function copyStrings(hart: Hart, va: number, left: { bytes: number }): Uint8Array[] | number {
  const strings: Uint8Array[] = [];
  const scratch = hart.base + HART_KERNEL_SCRATCH;
  if (va === 0) return strings;
  for (let at = va; ; at += POINTER_BYTES) {
    if (copyFromUser(hart, scratch, at, POINTER_BYTES) < 0) return -EFAULT;
    const pointer = loadU64(hart, scratch);
    if (pointer === 0) return strings;
    const text = copyString(hart, pointer);
    if (typeof text === "number") return text;
    left.bytes -= text.length + 1 + POINTER_BYTES;
    if (left.bytes < 0) return -E2BIG;
    strings.push(text);
    hart.pollIrq();
  }
}

/** Without its NUL. */
function copyString(hart: Hart, va: number): Uint8Array | number {
  const { u8 } = hart.shared;
  const buffer = hart.base + HART_BUFFER;
  const length = strncpyFromUser(hart, buffer, va, HART_BUFFER_BYTES);
  if (length < 0) return length;
  if (length < HART_BUFFER_BYTES) return u8.slice(buffer, buffer + length);
  const text = new Uint8Array(ARG_STRING_BYTES_MAX);
  text.set(u8.subarray(buffer, buffer + length));
  for (let done = length; done < ARG_STRING_BYTES_MAX; done += HART_BUFFER_BYTES) {
    const more = strncpyFromUser(hart, buffer, va + done, HART_BUFFER_BYTES);
    if (more < 0) return more;
    text.set(u8.subarray(buffer, buffer + more), done);
    if (more < HART_BUFFER_BYTES) return text.slice(0, done + more);
  }
  return -E2BIG;
}
