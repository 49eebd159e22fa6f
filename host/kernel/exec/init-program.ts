// What the first process runs: bytes that the host has read, or a file of the guest's own root.

import { parseElf } from "../../loader/elf.ts";
import { segmentBytesMax } from "../../loader/exec.ts";
import { hostProgram, type Program } from "../../loader/program.ts";
import { EACCES, ELIBBAD, ELOOP, ENOENT, ENOEXEC, ENOTDIR } from "../../memory/errno.ts";
import type { Hart } from "../../policy/hart.ts";
import { errnoName } from "../errno-name.ts";
import { openExecPath } from "./exec-file.ts";
import { findProgram } from "./exec-program.ts";

export interface InitProgram {
  /** Path as the user gave it: AT_EXECFN, /proc/self/exe and the name in messages. */
  readonly path: string;
  /** null: `path` leads to it in the guest's root file system. */
  readonly bytes: Uint8Array | null;
  /** argv: the program's own name comes first. */
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/** Why there is nothing to run: one line, and whether the file is not there at all. */
export interface NoProgram {
  readonly error: string;
  readonly missing: boolean;
}

/** Files that are opened for it are added to `held`; they stay open until the program has been loaded. */
export function findInitProgram(hart: Hart, init: InitProgram, held: number[]): Program | NoProgram {
  return init.bytes === null ? fromRoot(hart, init, held) : fromHost(hart, init, init.bytes);
}

function fromHost(hart: Hart, init: InitProgram, bytes: Uint8Array): Program | NoProgram {
  const plan = parseElf(bytes, segmentBytesMax(hart));
  if ("error" in plan) return { error: plan.error, missing: false };
  if (plan.interpreter !== "") {
    return { error: `needs ${plan.interpreter}: give --root, or link it with -static`, missing: false };
  }
  const { argv, envp } = textsOf(init);
  return { file: hostProgram(bytes, plan), interpreter: null, path: encode(init.path), argv, envp };
}

function fromRoot(hart: Hart, init: InitProgram, held: number[]): Program | NoProgram {
  const path = encode(init.path);
  const texts = textsOf(init);
  const file = openExecPath(hart, path);
  if (file < 0) return refusal(-file);
  held.push(file);
  const found = findProgram(hart, file, path, texts, held);
  if (typeof found === "number") return refusal(-found);
  return { file: found.main, interpreter: found.interpreter, path, argv: found.argv, envp: texts.envp };
}

function refusal(errno: number): NoProgram {
  return { error: `in the root file system: ${reasonOf(errno)}`, missing: errno === ENOENT || errno === ENOTDIR };
}

function reasonOf(errno: number): string {
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return "there is no such file";
    case EACCES:
      return "no file that may be executed";
    case ENOEXEC:
      return "no riscv64 program";
    case ELIBBAD:
      return "its dynamic loader is no riscv64 program";
    case ELOOP:
      return "too many links or interpreters";
    default:
      return errnoName(errno);
  }
}

function textsOf(init: InitProgram): { argv: Uint8Array[]; envp: Uint8Array[] } {
  return { argv: init.args.map(encode), envp: init.env.map(encode) };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
