// The integer instructions once more, over BigInt and written from the manual: the reference for the interpreter's
// tests. It knows nothing of pages, caches or fused sequences.

export interface ModelState {
  readonly x: bigint[];
  pc: bigint;
  load(va: bigint, bytes: number): bigint;
  store(va: bigint, value: bigint, bytes: number): void;
}

export interface ModelInstruction {
  readonly name: string; // of the base instruction
  readonly bytes: 2 | 4;
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly imm: bigint;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);
const s32 = (value: bigint): bigint => BigInt.asIntN(32, value);
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);

type Alu = (a: bigint, b: bigint) => bigint;

function quotient(a: bigint, b: bigint): bigint {
  return b === 0n ? -1n : a / b;
}

function remainder(a: bigint, b: bigint): bigint {
  return b === 0n ? a : a % b;
}

const ALU: Readonly<Record<string, Alu>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  sll: (a, b) => a << (b & 63n),
  slt: (a, b) => BigInt(s64(a) < s64(b)),
  sltu: (a, b) => BigInt(a < b),
  xor: (a, b) => a ^ b,
  srl: (a, b) => a >> (b & 63n),
  sra: (a, b) => s64(a) >> (b & 63n),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  addw: (a, b) => s32(a + b),
  subw: (a, b) => s32(a - b),
  sllw: (a, b) => s32(a << (b & 31n)),
  srlw: (a, b) => s32(u32(a) >> (b & 31n)),
  sraw: (a, b) => s32(a) >> (b & 31n),
  mul: (a, b) => a * b,
  mulh: (a, b) => (s64(a) * s64(b)) >> 64n,
  mulhsu: (a, b) => (s64(a) * b) >> 64n,
  mulhu: (a, b) => (a * b) >> 64n,
  div: (a, b) => quotient(s64(a), s64(b)),
  divu: quotient,
  rem: (a, b) => remainder(s64(a), s64(b)),
  remu: remainder,
  mulw: (a, b) => s32(a * b),
  divw: (a, b) => s32(quotient(s32(a), s32(b))),
  divuw: (a, b) => s32(quotient(u32(a), u32(b))),
  remw: (a, b) => s32(remainder(s32(a), s32(b))),
  remuw: (a, b) => s32(remainder(u32(a), u32(b))),
};

const BRANCHES: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  beq: (a, b) => a === b,
  bne: (a, b) => a !== b,
  blt: (a, b) => s64(a) < s64(b),
  bge: (a, b) => s64(a) >= s64(b),
  bltu: (a, b) => a < b,
  bgeu: (a, b) => a >= b,
};

const LOADS: Readonly<Record<string, (raw: bigint) => bigint>> = {
  lb: (raw) => BigInt.asIntN(8, raw),
  lh: (raw) => BigInt.asIntN(16, raw),
  lw: s32,
  ld: (raw) => raw,
  lbu: (raw) => raw,
  lhu: (raw) => raw,
  lwu: (raw) => raw,
};

/** Bytes that a load or store moves, from the letter of its name. */
export function accessBytes(name: string): number {
  return { b: 1, h: 2, w: 4, d: 8 }[name[1]!]!;
}

/** Executes one instruction. */
export function step(state: ModelState, { name, bytes, rd, rs1, rs2, imm }: ModelInstruction): void {
  const a = state.x[rs1]!;
  const b = state.x[rs2]!;
  const next = u64(state.pc + BigInt(bytes));
  const set = (value: bigint) => {
    if (rd !== 0) state.x[rd] = u64(value);
  };
  if (name === "jal" || name === "jalr") {
    state.pc = name === "jal" ? u64(state.pc + imm) : u64(a + imm) & ~1n;
    set(next);
    return;
  }
  if (name in BRANCHES) {
    state.pc = BRANCHES[name]!(a, b) ? u64(state.pc + imm) : next;
    return;
  }
  if (name === "lui") set(imm);
  else if (name === "auipc") set(state.pc + imm);
  else if (name in LOADS) set(LOADS[name]!(state.load(u64(a + imm), accessBytes(name))));
  else if (/^s[bhwd]$/.test(name)) state.store(u64(a + imm), b, accessBytes(name));
  else if (name in ALU) set(ALU[name]!(a, b));
  else if (name === "sltiu") set(BigInt(a < u64(imm)));
  else set(ALU[name.replace(/i(w?)$/, "$1")]!(a, imm));
  state.pc = next;
}
