// Guests of a few instructions for the machine's own tests.

import { op } from "../support/assemble.ts";
import { A0, call, exitGroup, program, STACKS, set, ZERO } from "../support/hand-made.ts";

const SYS_READ = 63;
const SYS_WRITE = 64;
const A2 = 12;
const BUFFER_BYTES = 4096;

/** Copies its input to its output in pieces of up to 4096 bytes, and exits with 0 at the end of the input. */
export function copyInput(): Buffer<ArrayBuffer> {
  const read = call(SYS_READ, 0, STACKS, BUFFER_BYTES);
  const write = [op("addi", { rd: A2, rs1: A0, imm: 0 }), ...call(SYS_WRITE, 1, STACKS)];
  const toExit = (1 + write.length + 1) * 4;
  const loop = [...read, op("bge", { rs1: ZERO, rs2: A0, imm: toExit }), ...write];
  return program([...loop, op("jal", { rd: ZERO, imm: -4 * loop.length }), ...exitGroup(0)]);
}

/** Writes `bytes` bytes to standard output in one call, and exits with `status`. */
export function writeOnce(bytes: number, status: number): Buffer<ArrayBuffer> {
  return program([...call(SYS_WRITE, 1, STACKS, bytes), ...exitGroup(status)]);
}

/** Goes on for ever in user mode. */
export function loopForEver(): Buffer<ArrayBuffer> {
  return program([...set(A0, 0), op("jal", { rd: ZERO, imm: 0 })]);
}

/** Writes a byte, by which one sees that it runs, and then goes on as `loopForEver`. */
export function announceAndLoop(): Buffer<ArrayBuffer> {
  return program([...call(SYS_WRITE, 1, STACKS, 1), op("jal", { rd: ZERO, imm: 0 })]);
}
