// A program that carries out a list of operations and then says what it found: the result of each, and for every page
// of the region whether the kernel could read it, what it held, and whether the kernel could write it.

import { encodeWords, op, type Word } from "../support/assemble.ts";
import { PF_R, PF_W, PF_X, staticElf } from "../support/elf.ts";
import { A0, A7, call, exitGroup, set, TEXT, ZERO } from "../support/hand-made.ts";
import { type AddressSpace, PAGE_BYTES, PROT_READ, PROT_WRITE, REGION, REGION_PAGES } from "./mm-model.ts";
import type { Operation } from "./mm-operations.ts";

const TABLE = 0x1000_0000;
const RESULTS = 0x2000_0000;
const RECORD_BYTES = 64;
const RESULT_BYTES = 8;
const PROBE_BYTES = 24;

const SYS_WRITE = 64;
const SYS_GETCPU = 168;
const SYS_RT_SIGPROCMASK = 135;
/** Reads the set of signals and blocks none of them. */
const SIG_UNBLOCK = 1;
const EFAULT = -14n;

// Saved registers: the kernel changes none of them.
const RECORD = 8;
const RESULT = 9;
const END = 18;
const PAGE = 19;
const T1 = 6;

export function sequenceProgram(operations: readonly Operation[]): Buffer<ArrayBuffer> {
  const table = Buffer.alloc(operations.length * RECORD_BYTES);
  for (const [index, operation] of operations.entries()) writeRecord(table, index * RECORD_BYTES, operation);
  const resultBytes = operations.length * RESULT_BYTES + REGION_PAGES * PROBE_BYTES;
  const words = [
    ...set(RECORD, TABLE),
    ...set(RESULT, RESULTS),
    ...set(END, TABLE + table.length),
    ...operationLoop(),
    ...set(PAGE, REGION),
    ...set(END, REGION + REGION_PAGES * PAGE_BYTES),
    ...probeLoop(),
    ...call(SYS_WRITE, 1, RESULTS, resultBytes),
    ...exitGroup(0),
  ];
  return staticElf(TEXT, [
    { va: TEXT, flags: PF_R | PF_X, bytes: encodeWords(words) },
    { va: TABLE, flags: PF_R, bytes: table },
    { va: RESULTS, flags: PF_R | PF_W, bytes: new Uint8Array(0), memoryBytes: resultBytes },
  ]);
}

function writeRecord(table: Buffer, at: number, { call: number, args }: Operation): void {
  table.writeBigUInt64LE(BigInt(number), at);
  for (const [index, arg] of args.entries()) table.writeBigUInt64LE(BigInt.asUintN(64, arg), at + 8 + 8 * index);
}

/** Jumps back over the whole body while register `a` differs from register `b`. */
function repeat(body: readonly Word[], a: number, b: number): Word[] {
  return [...body, op("bne", { rs1: a, rs2: b, imm: -4 * body.length })];
}

function operationLoop(): Word[] {
  const load = (register: number, index: number) => op("ld", { rd: register, rs1: RECORD, imm: 8 * index });
  return repeat(
    [
      load(A7, 0),
      ...[0, 1, 2, 3, 4, 5].map((index) => load(A0 + index, index + 1)),
      op("bne", { rs1: A7, rs2: ZERO, imm: 16 }),
      op("sd", { rs1: A0, rs2: A0 + 1, imm: 0 }), // a store, not a call
      op("addi", { rd: A0, rs1: ZERO, imm: 0 }),
      op("jal", { rd: ZERO, imm: 8 }),
      op("ecall", {}),
      op("sd", { rs1: RESULT, rs2: A0, imm: 0 }),
      op("addi", { rd: RECORD, rs1: RECORD, imm: RECORD_BYTES }),
      op("addi", { rd: RESULT, rs1: RESULT, imm: RESULT_BYTES }),
    ],
    RECORD,
    END,
  );
}

/** Per page: what getcpu says that stores at its end, what write of its end says, and its first word if it can. */
function probeLoop(): Word[] {
  const probe = (number: number, args: readonly Word[], slot: number): Word[] => [
    ...args,
    ...set(A7, number),
    op("ecall", {}),
    op("sd", { rs1: RESULT, rs2: A0, imm: 8 * slot }),
  ];
  const copy = (to: number, from: number) => op("addi", { rd: to, rs1: from, imm: 0 });
  const zero = (to: number) => op("addi", { rd: to, rs1: ZERO, imm: 0 });
  const writable = [...set(T1, PAGE_BYTES - 8), op("add", { rd: A0, rs1: PAGE, rs2: T1 }), zero(A0 + 1), zero(A0 + 2)];
  const readable = [
    op("addi", { rd: A0, rs1: ZERO, imm: SIG_UNBLOCK }),
    copy(A0 + 1, PAGE),
    zero(A0 + 2),
    op("addi", { rd: A0 + 3, rs1: ZERO, imm: 8 }),
  ];
  return repeat(
    [
      ...probe(SYS_GETCPU, writable, 0),
      ...probe(SYS_RT_SIGPROCMASK, readable, 1),
      op("bne", { rs1: A0, rs2: ZERO, imm: 12 }),
      op("ld", { rd: T1, rs1: PAGE, imm: 0 }),
      op("sd", { rs1: RESULT, rs2: T1, imm: 16 }),
      op("addi", { rd: RESULT, rs1: RESULT, imm: PROBE_BYTES }),
      ...set(T1, PAGE_BYTES),
      op("add", { rd: PAGE, rs1: PAGE, rs2: T1 }),
    ],
    PAGE,
    END,
  );
}

/** What the model says that the program finds; one line per doubleword that it writes. */
export function expectedFindings(operations: readonly Operation[], space: AddressSpace): bigint[] {
  const probes = Array.from({ length: REGION_PAGES }, (_, index) => {
    const page = space.page(index);
    const canWrite = ((page?.prot ?? 0) & PROT_WRITE) !== 0;
    const canRead = ((page?.prot ?? 0) & PROT_READ) !== 0;
    return [canWrite ? 0n : EFAULT, canRead ? 0n : EFAULT, canRead ? page!.value : 0n];
  });
  return [...operations.map(({ result }) => BigInt(result)), ...probes.flat()];
}

/** The first doubleword that differs, in words. */
export function firstWrongFinding(
  operations: readonly Operation[],
  expected: readonly bigint[],
  stdout: Buffer,
): string | undefined {
  if (stdout.length !== expected.length * 8) return `${stdout.length} bytes written, not ${expected.length * 8}`;
  const index = expected.findIndex((value, at) => stdout.readBigInt64LE(at * 8) !== BigInt.asIntN(64, value));
  if (index < 0) return undefined;
  const found = stdout.readBigUInt64LE(index * 8).toString(16);
  const values = `0x${found}, not 0x${BigInt.asUintN(64, expected[index]).toString(16)}`;
  if (index < operations.length) return `operation ${index}, ${operations[index].text}, returned ${values}`;
  const page = Math.floor((index - operations.length) / 3);
  const what = ["writing", "reading", "content"][(index - operations.length) % 3];
  return `page ${page}, ${what}: ${values}`;
}
