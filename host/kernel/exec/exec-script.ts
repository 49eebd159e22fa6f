// A file that begins with "#!" is run by the interpreter that its first line names. (Linux: fs/binfmt_script.c)

import { ENOEXEC } from "../../memory/errno.ts";

/** BINPRM_BUF_SIZE: how much of the line counts. */
export const SCRIPT_LINE_BYTES = 256;

const SPACE = 0x20;
const TAB = 0x09;
const NEWLINE = 0x0a;

export interface ScriptLine {
  readonly interpreter: Uint8Array;
  /** Everything behind it, as one argument; null if there is nothing. */
  readonly argument: Uint8Array | null;
}

export function isScript(head: Uint8Array): boolean {
  return head.length >= 2 && head[0] === 0x23 && head[1] === 0x21;
}

/** What the first line of `head` (the beginning of the file) says, or -ENOEXEC. */
export function parseScriptLine(head: Uint8Array): ScriptLine | number {
  const line = head.subarray(2, SCRIPT_LINE_BYTES);
  const lineEnd = line.findIndex((byte) => byte === NEWLINE || byte === 0);
  let end = lineEnd >= 0 ? lineEnd : line.length;
  const start = skipBlanks(line, 0, end);
  const nameEnd = findBlank(line, start, end);
  if (start === nameEnd) return -ENOEXEC;
  // Without an end of the line the name may go on beyond what was read: only a blank shows that it does not.
  const isWhole = lineEnd >= 0 || head.length < SCRIPT_LINE_BYTES || nameEnd < end;
  if (!isWhole) return -ENOEXEC;
  while (end > nameEnd && isBlank(line[end - 1])) end--;
  const argument = skipBlanks(line, nameEnd, end);
  return { interpreter: line.slice(start, nameEnd), argument: argument < end ? line.slice(argument, end) : null };
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function skipBlanks(line: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(line[at])) at++;
  return at;
}

function findBlank(line: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && !isBlank(line[at])) at++;
  return at;
}
