// Flag words and enumerations as names, for --strace.

import type { ArgumentKind } from "./syscall/types.ts";

type Names = readonly (readonly [number, string])[];

const PROT: Names = [
  [1, "PROT_READ"],
  [2, "PROT_WRITE"],
  [4, "PROT_EXEC"],
];

const MAP: Names = [
  [0x1, "MAP_SHARED"],
  [0x2, "MAP_PRIVATE"],
  [0x10, "MAP_FIXED"],
  [0x20, "MAP_ANONYMOUS"],
  [0x100, "MAP_GROWSDOWN"],
  [0x2000, "MAP_LOCKED"],
  [0x4000, "MAP_NORESERVE"],
  [0x8000, "MAP_POPULATE"],
  [0x20000, "MAP_STACK"],
  [0x40000, "MAP_HUGETLB"],
  [0x100000, "MAP_FIXED_NOREPLACE"],
];

const CLONE: Names = [
  [0x100, "CLONE_VM"],
  [0x200, "CLONE_FS"],
  [0x400, "CLONE_FILES"],
  [0x800, "CLONE_SIGHAND"],
  [0x4000, "CLONE_VFORK"],
  [0x10000, "CLONE_THREAD"],
  [0x40000, "CLONE_SYSVSEM"],
  [0x80000, "CLONE_SETTLS"],
  [0x100000, "CLONE_PARENT_SETTID"],
  [0x200000, "CLONE_CHILD_CLEARTID"],
  [0x1000000, "CLONE_CHILD_SETTID"],
];

const FUTEX_OPERATIONS: readonly string[] = [
  ..."WAIT WAKE FD REQUEUE CMP_REQUEUE WAKE_OP LOCK_PI UNLOCK_PI TRYLOCK_PI WAIT_BITSET WAKE_BITSET".split(" "),
  ..."WAIT_REQUEUE_PI CMP_REQUEUE_PI LOCK_PI2".split(" "),
];
const FUTEX_PRIVATE_FLAG = 128;
const FUTEX_CLOCK_REALTIME = 256;

const CLOCKS: readonly string[] = [
  "REALTIME",
  "MONOTONIC",
  "PROCESS_CPUTIME_ID",
  "THREAD_CPUTIME_ID",
  "MONOTONIC_RAW",
  "REALTIME_COARSE",
  "MONOTONIC_COARSE",
  "BOOTTIME",
];

/** The word as the names of `kind`; what has no name is shown in hexadecimal. */
export function formatFlags(kind: ArgumentKind, word: number): string {
  switch (kind) {
    case "prot":
      return word === 0 ? "PROT_NONE" : joined(PROT, word);
    case "mapFlags":
      return joined(MAP, word);
    case "cloneFlags":
      return joined(CLONE, word);
    case "futexOp":
      return futexOperation(word);
    case "clock":
      return word < CLOCKS.length ? `CLOCK_${CLOCKS[word]}` : String(word | 0);
    default:
      return `0x${word.toString(16)}`;
  }
}

function joined(names: Names, word: number): string {
  const parts: string[] = [];
  let rest = word;
  for (const [bits, name] of names) {
    if ((rest & bits) === 0) continue;
    parts.push(name);
    rest = (rest & ~bits) >>> 0;
  }
  if (rest !== 0 || parts.length === 0) parts.push(`0x${rest.toString(16)}`);
  return parts.join("|");
}

function futexOperation(word: number): string {
  const operation = word & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
  let text =
    operation < FUTEX_OPERATIONS.length ? `FUTEX_${FUTEX_OPERATIONS[operation]}` : `0x${operation.toString(16)}`;
  if ((word & FUTEX_PRIVATE_FLAG) !== 0) text += "_PRIVATE";
  if ((word & FUTEX_CLOCK_REALTIME) !== 0) text += "|FUTEX_CLOCK_REALTIME";
  return text;
}
