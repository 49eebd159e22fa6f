// What execve is to run: the file itself, or the interpreter that it names, and that one's dynamic loader. Everything
// that can be refused is refused here, while the caller still has its memory. (Linux: search_binary_handler,
// load_script, and the first half of load_elf_binary)

import { HART_BUFFER, HART_BUFFER_BYTES } from "../../../assembly/layout.ts";
import { parseElf } from "../../loader/elf.ts";
import { segmentBytesMax } from "../../loader/exec.ts";
import type { ProgramFile } from "../../loader/program.ts";
import { argumentBytesMax } from "../../loader/stack.ts";
import { argumentBytes } from "../../loader/stack-image.ts";
import { E2BIG, ELIBBAD, ELOOP, ENOEXEC } from "../../memory/errno.ts";
import type { MappedFile } from "../../mm/mapping/mapped-file.ts";
import type { Hart } from "../../policy/hart.ts";
import { opsOf } from "../file/file-kinds.ts";
import type { ExecArguments } from "./exec-arguments.ts";
import { execFileBytes, execFileRead, openExecPath } from "./exec-file.ts";
import { isScript, parseScriptLine } from "./exec-script.ts";

/** Interpreters of interpreters: so many scripts may follow each other (fs/exec.c, exec_binprm). */
const SCRIPTS_MAX = 5;
/** What is read of a file at first. */
const HEAD_BYTES = 4096;

export interface ExecProgram {
  /** Open file of `main`. */
  readonly file: number;
  readonly main: ProgramFile;
  readonly interpreter: ProgramFile | null;
  readonly argv: readonly Uint8Array[];
}

/**
 * The program behind `file`, called `name` by the caller; or -errno. Files that it opens are added to `held`: the
 * caller closes them.
 */
export function findProgram(
  hart: Hart,
  file: number,
  name: Uint8Array,
  args: ExecArguments,
  held: number[],
): ExecProgram | number {
  let { argv } = args;
  let running = file;
  let called = name;
  for (let depth = 0; ; depth++) {
    const head = readHead(hart, running, HEAD_BYTES);
    if (!isScript(head)) break;
    if (depth === SCRIPTS_MAX) return -ELOOP;
    const line = parseScriptLine(head);
    if (typeof line === "number") return line;
    const { interpreter, argument } = line;
    // #! /bin/sh -x   as   name a b   is   /bin/sh -x name a b
    argv = [interpreter, ...(argument === null ? [] : [argument]), called, ...argv.slice(1)];
    if (argumentBytes(argv, args.envp) > argumentBytesMax(hart)) return -E2BIG;
    running = openExecPath(hart, interpreter);
    if (running < 0) return running;
    held.push(running);
    called = interpreter;
  }
  const main = readPlan(hart, running);
  if (main === null) return -ENOEXEC;
  if (main.plan.interpreter === "") return { file: running, main, interpreter: null, argv };
  const loader = openExecPath(hart, new TextEncoder().encode(main.plan.interpreter));
  if (loader < 0) return loader;
  held.push(loader);
  const interpreter = readPlan(hart, loader);
  return interpreter === null ? -ELIBBAD : { file: running, main, interpreter, argv };
}

/** What the headers of `file` say, or null: it is no program of this machine. */
function readPlan(hart: Hart, file: number): ProgramFile | null {
  const bytes = execFileBytes(hart, file);
  const memoryMax = segmentBytesMax(hart);
  let plan = parseElf(readHead(hart, file, HEAD_BYTES), memoryMax, bytes);
  // Program headers may lie further behind.
  if ("error" in plan && bytes > HEAD_BYTES) plan = parseElf(readHead(hart, file, HART_BUFFER_BYTES), memoryMax, bytes);
  if ("error" in plan) return null;
  return {
    plan,
    mapped: mappedFile(hart, file),
    read: (at, position, address, count) => execFileRead(at, file, position, address, count) === count,
  };
}

function readHead(hart: Hart, file: number, bytesMax: number): Uint8Array {
  const buffer = hart.base + HART_BUFFER;
  const bytes = execFileRead(hart, file, 0, buffer, bytesMax);
  return hart.shared.u8.slice(buffer, buffer + Math.max(bytes, 0));
}

/** As a private mapping sees it, whatever it was opened for. */
function mappedFile(hart: Hart, file: number): MappedFile | null {
  const mapping = opsOf(hart, file).mapping(hart, file);
  if (mapping <= 0) return null;
  return { file, mapping, canRead: true, canWrite: false, isAppend: false, isNoexec: false };
}
