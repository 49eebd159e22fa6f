// What a row of the system-call table holds.

import type { Hart } from "../../policy/hart.ts";

/** Reads its arguments from the hart block. Result or -errno, WAIT or NO_RETURN. */
export type Handler = (hart: Hart) => number;

/** How an argument looks in a trace. */
export type ArgumentKind =
  | "int"
  | "uint"
  | "long"
  | "size"
  | "hex"
  | "octal"
  | "pointer"
  | "path"
  | "text" // length in the next argument
  | "fd"
  | "dirfd"
  | "prot"
  | "mapFlags"
  | "cloneFlags"
  | "futexOp"
  | "signal"
  | "clock"
  | "timespec";

export interface SystemCall {
  readonly name: string;
  readonly arguments: readonly ArgumentKind[];
  /** What the result is, for the trace. */
  readonly result: ArgumentKind;
  readonly handler: Handler;
}

export function call(
  name: string,
  kinds: readonly ArgumentKind[],
  handler: Handler,
  result: ArgumentKind = "long",
): SystemCall {
  return { name, arguments: kinds, result, handler };
}
