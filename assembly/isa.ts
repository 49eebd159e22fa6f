// The instruction set: RV64GC with Zicsr and Zifencei. The decoder, the interpreter, the disassembler and the random
// instruction generator are all made from these rows, so that they cannot disagree.
//
// A row is [mnemonic, encoding, operands, meaning].
//   encoding  the fields from bit 31 (15 for RVC) down to bit 0, as the unprivileged manual prints them. Digits are
//             fixed bits, a name is an operand field, imm[...] is signed and uimm[...] unsigned, with the bits that
//             it holds; a field with a prime names one of x8..x15; `-` is an ignored bit. `rd!0,2` excludes register
//             numbers, `imm!0` a zero immediate.
//   operands  the assembler's order. The first one is written if it is rd or fd.
//   meaning   an AssemblyScript expression of type u64. rs1, rs2 are integer registers; s1, s2, s3 singles taken out of
//             their NaN boxes (u32); d1, d2, d3 whole registers; imm the immediate, sign-extended; pc; rm the rounding
//             mode; csr the number of a control register; address that of rs1, translated. sext32 keeps the low half
//             and extends its sign.
//             Branches: the condition. Groups jump, atomic, csr and system: see assembly/execute/.
//
// An RVC row gives the instruction that it expands to instead of a meaning. Earlier rows win.

export type Row = readonly [mnemonic: string, encoding: string, operands: string, meaning: string];
export type CompressedRow = readonly [mnemonic: string, encoding: string, expansion: string];

// ---------------------------------------------------------------- RV64I

export const INTEGER: readonly Row[] = [
  ["lui", "imm[31:12] rd 0110111", "rd, imm", "imm"],
  ["auipc", "imm[31:12] rd 0010111", "rd, imm", "pc + imm"],
  ["addi", "imm[11:0] rs1 000 rd 0010011", "rd, rs1, imm", "rs1 + imm"],
  ["slti", "imm[11:0] rs1 010 rd 0010011", "rd, rs1, imm", "<u64>(<i64>rs1 < <i64>imm)"],
  ["sltiu", "imm[11:0] rs1 011 rd 0010011", "rd, rs1, imm", "<u64>(rs1 < imm)"],
  ["xori", "imm[11:0] rs1 100 rd 0010011", "rd, rs1, imm", "rs1 ^ imm"],
  ["ori", "imm[11:0] rs1 110 rd 0010011", "rd, rs1, imm", "rs1 | imm"],
  ["andi", "imm[11:0] rs1 111 rd 0010011", "rd, rs1, imm", "rs1 & imm"],
  ["slli", "000000 uimm[5:0] rs1 001 rd 0010011", "rd, rs1, uimm", "rs1 << imm"],
  ["srli", "000000 uimm[5:0] rs1 101 rd 0010011", "rd, rs1, uimm", "rs1 >> imm"],
  ["srai", "010000 uimm[5:0] rs1 101 rd 0010011", "rd, rs1, uimm", "<u64>(<i64>rs1 >> <i64>imm)"],
  ["add", "0000000 rs2 rs1 000 rd 0110011", "rd, rs1, rs2", "rs1 + rs2"],
  ["sub", "0100000 rs2 rs1 000 rd 0110011", "rd, rs1, rs2", "rs1 - rs2"],
  ["sll", "0000000 rs2 rs1 001 rd 0110011", "rd, rs1, rs2", "rs1 << rs2"],
  ["slt", "0000000 rs2 rs1 010 rd 0110011", "rd, rs1, rs2", "<u64>(<i64>rs1 < <i64>rs2)"],
  ["sltu", "0000000 rs2 rs1 011 rd 0110011", "rd, rs1, rs2", "<u64>(rs1 < rs2)"],
  ["xor", "0000000 rs2 rs1 100 rd 0110011", "rd, rs1, rs2", "rs1 ^ rs2"],
  ["srl", "0000000 rs2 rs1 101 rd 0110011", "rd, rs1, rs2", "rs1 >> rs2"],
  ["sra", "0100000 rs2 rs1 101 rd 0110011", "rd, rs1, rs2", "<u64>(<i64>rs1 >> <i64>rs2)"],
  ["or", "0000000 rs2 rs1 110 rd 0110011", "rd, rs1, rs2", "rs1 | rs2"],
  ["and", "0000000 rs2 rs1 111 rd 0110011", "rd, rs1, rs2", "rs1 & rs2"],
  ["addiw", "imm[11:0] rs1 000 rd 0011011", "rd, rs1, imm", "sext32(rs1 + imm)"],
  ["slliw", "0000000 uimm[4:0] rs1 001 rd 0011011", "rd, rs1, uimm", "sext32(rs1 << imm)"],
  ["srliw", "0000000 uimm[4:0] rs1 101 rd 0011011", "rd, rs1, uimm", "sext32(<u64>(<u32>rs1 >> <u32>imm))"],
  ["sraiw", "0100000 uimm[4:0] rs1 101 rd 0011011", "rd, rs1, uimm", "<u64><i64>(<i32>rs1 >> <i32>imm)"],
  ["addw", "0000000 rs2 rs1 000 rd 0111011", "rd, rs1, rs2", "sext32(rs1 + rs2)"],
  ["subw", "0100000 rs2 rs1 000 rd 0111011", "rd, rs1, rs2", "sext32(rs1 - rs2)"],
  ["sllw", "0000000 rs2 rs1 001 rd 0111011", "rd, rs1, rs2", "<u64><i64>(<i32>rs1 << <i32>rs2)"],
  ["srlw", "0000000 rs2 rs1 101 rd 0111011", "rd, rs1, rs2", "sext32(<u64>(<u32>rs1 >> <u32>rs2))"],
  ["sraw", "0100000 rs2 rs1 101 rd 0111011", "rd, rs1, rs2", "<u64><i64>(<i32>rs1 >> <i32>rs2)"],

  // M: division never traps; execute/integer.ts has the two special cases
  ["mul", "0000001 rs2 rs1 000 rd 0110011", "rd, rs1, rs2", "rs1 * rs2"],
  ["mulh", "0000001 rs2 rs1 001 rd 0110011", "rd, rs1, rs2", "mulh(rs1, rs2)"],
  ["mulhsu", "0000001 rs2 rs1 010 rd 0110011", "rd, rs1, rs2", "mulhsu(rs1, rs2)"],
  ["mulhu", "0000001 rs2 rs1 011 rd 0110011", "rd, rs1, rs2", "mulhu(rs1, rs2)"],
  ["div", "0000001 rs2 rs1 100 rd 0110011", "rd, rs1, rs2", "div(rs1, rs2)"],
  ["divu", "0000001 rs2 rs1 101 rd 0110011", "rd, rs1, rs2", "divu(rs1, rs2)"],
  ["rem", "0000001 rs2 rs1 110 rd 0110011", "rd, rs1, rs2", "rem(rs1, rs2)"],
  ["remu", "0000001 rs2 rs1 111 rd 0110011", "rd, rs1, rs2", "remu(rs1, rs2)"],
  ["mulw", "0000001 rs2 rs1 000 rd 0111011", "rd, rs1, rs2", "sext32(rs1 * rs2)"],
  ["divw", "0000001 rs2 rs1 100 rd 0111011", "rd, rs1, rs2", "divw(rs1, rs2)"],
  ["divuw", "0000001 rs2 rs1 101 rd 0111011", "rd, rs1, rs2", "divuw(rs1, rs2)"],
  ["remw", "0000001 rs2 rs1 110 rd 0111011", "rd, rs1, rs2", "remw(rs1, rs2)"],
  ["remuw", "0000001 rs2 rs1 111 rd 0111011", "rd, rs1, rs2", "remuw(rs1, rs2)"],
];

export const LOAD: readonly Row[] = [
  ["lb", "imm[11:0] rs1 000 rd 0000011", "rd, imm(rs1)", "<u64>load<i8>(rs1 + imm)"],
  ["lh", "imm[11:0] rs1 001 rd 0000011", "rd, imm(rs1)", "<u64>load<i16>(rs1 + imm)"],
  ["lw", "imm[11:0] rs1 010 rd 0000011", "rd, imm(rs1)", "<u64>load<i32>(rs1 + imm)"],
  ["ld", "imm[11:0] rs1 011 rd 0000011", "rd, imm(rs1)", "load<u64>(rs1 + imm)"],
  ["lbu", "imm[11:0] rs1 100 rd 0000011", "rd, imm(rs1)", "<u64>load<u8>(rs1 + imm)"],
  ["lhu", "imm[11:0] rs1 101 rd 0000011", "rd, imm(rs1)", "<u64>load<u16>(rs1 + imm)"],
  ["lwu", "imm[11:0] rs1 110 rd 0000011", "rd, imm(rs1)", "<u64>load<u32>(rs1 + imm)"],
  ["flw", "imm[11:0] rs1 010 fd 0000111", "fd, imm(rs1)", "boxF32(load<u32>(rs1 + imm))"],
  ["fld", "imm[11:0] rs1 011 fd 0000111", "fd, imm(rs1)", "load<u64>(rs1 + imm)"],
];

export const STORE: readonly Row[] = [
  ["sb", "imm[11:5] rs2 rs1 000 imm[4:0] 0100011", "rs2, imm(rs1)", "store<u8>(rs1 + imm, rs2)"],
  ["sh", "imm[11:5] rs2 rs1 001 imm[4:0] 0100011", "rs2, imm(rs1)", "store<u16>(rs1 + imm, rs2)"],
  ["sw", "imm[11:5] rs2 rs1 010 imm[4:0] 0100011", "rs2, imm(rs1)", "store<u32>(rs1 + imm, rs2)"],
  ["sd", "imm[11:5] rs2 rs1 011 imm[4:0] 0100011", "rs2, imm(rs1)", "store<u64>(rs1 + imm, rs2)"],
  ["fsw", "imm[11:5] fs2 rs1 010 imm[4:0] 0100111", "fs2, imm(rs1)", "store<u32>(rs1 + imm, d2)"],
  ["fsd", "imm[11:5] fs2 rs1 011 imm[4:0] 0100111", "fs2, imm(rs1)", "store<u64>(rs1 + imm, d2)"],
];

export const BRANCH: readonly Row[] = [
  ["beq", "imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011", "rs1, rs2, imm", "rs1 == rs2"],
  ["bne", "imm[12|10:5] rs2 rs1 001 imm[4:1|11] 1100011", "rs1, rs2, imm", "rs1 != rs2"],
  ["blt", "imm[12|10:5] rs2 rs1 100 imm[4:1|11] 1100011", "rs1, rs2, imm", "<i64>rs1 < <i64>rs2"],
  ["bge", "imm[12|10:5] rs2 rs1 101 imm[4:1|11] 1100011", "rs1, rs2, imm", "<i64>rs1 >= <i64>rs2"],
  ["bltu", "imm[12|10:5] rs2 rs1 110 imm[4:1|11] 1100011", "rs1, rs2, imm", "rs1 < rs2"],
  ["bgeu", "imm[12|10:5] rs2 rs1 111 imm[4:1|11] 1100011", "rs1, rs2, imm", "rs1 >= rs2"],
];

export const JUMP: readonly Row[] = [
  ["jal", "imm[20|10:1|11|19:12] rd 1101111", "rd, imm", "pc + imm"],
  ["jalr", "imm[11:0] rs1 000 rd 1100111", "rd, imm(rs1)", "(rs1 + imm) & ~1"],
];

export const SYSTEM: readonly Row[] = [
  ["fence", "---- ---- ---- ----- 000 ----- 0001111", "", "fence"], // pause and fence.tso too: stronger is allowed
  ["fence.i", "------------ ----- 001 ----- 0001111", "", "fenceI"],
  ["ecall", "000000000000 00000 000 00000 1110011", "", "ecall"],
  ["ebreak", "000000000001 00000 000 00000 1110011", "", "ebreak"],
];

export const CSR: readonly Row[] = [
  ["csrrw", "csr rs1 001 rd 1110011", "rd, csr, rs1", "csrWrite(csr, rs1)"],
  ["csrrs", "csr rs1 010 rd 1110011", "rd, csr, rs1", "csrSet(csr, rs1)"],
  ["csrrc", "csr rs1 011 rd 1110011", "rd, csr, rs1", "csrClear(csr, rs1)"],
  ["csrrwi", "csr zimm 101 rd 1110011", "rd, csr, zimm", "csrWrite(csr, zimm)"],
  ["csrrsi", "csr zimm 110 rd 1110011", "rd, csr, zimm", "csrSet(csr, zimm)"],
  ["csrrci", "csr zimm 111 rd 1110011", "rd, csr, zimm", "csrClear(csr, zimm)"],
];

// ---------------------------------------------------------------- A: aq and rl are always granted

export const ATOMIC: readonly Row[] = [
  ["lr.w", "00010 aq rl 00000 rs1 010 rd 0101111", "rd, (rs1)", "lr32(address)"],
  ["sc.w", "00011 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "sc32(address, rs2)"],
  ["amoswap.w", "00001 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "amoSwap32(address, rs2)"],
  ["amoadd.w", "00000 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "amoAdd32(address, rs2)"],
  ["amoxor.w", "00100 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "amoXor32(address, rs2)"],
  ["amoand.w", "01100 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "amoAnd32(address, rs2)"],
  ["amoor.w", "01000 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "amoOr32(address, rs2)"],
  ["amomin.w", "10000 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "amoMin32(address, rs2)"],
  ["amomax.w", "10100 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "amoMax32(address, rs2)"],
  ["amominu.w", "11000 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "amoMinu32(address, rs2)"],
  ["amomaxu.w", "11100 aq rl rs2 rs1 010 rd 0101111", "rd, rs2, (rs1)", "amoMaxu32(address, rs2)"],
  ["lr.d", "00010 aq rl 00000 rs1 011 rd 0101111", "rd, (rs1)", "lr64(address)"],
  ["sc.d", "00011 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "sc64(address, rs2)"],
  ["amoswap.d", "00001 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "amoSwap64(address, rs2)"],
  ["amoadd.d", "00000 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "amoAdd64(address, rs2)"],
  ["amoxor.d", "00100 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "amoXor64(address, rs2)"],
  ["amoand.d", "01100 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "amoAnd64(address, rs2)"],
  ["amoor.d", "01000 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "amoOr64(address, rs2)"],
  ["amomin.d", "10000 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "amoMin64(address, rs2)"],
  ["amomax.d", "10100 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "amoMax64(address, rs2)"],
  ["amominu.d", "11000 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "amoMinu64(address, rs2)"],
  ["amomaxu.d", "11100 aq rl rs2 rs1 011 rd 0101111", "rd, rs2, (rs1)", "amoMaxu64(address, rs2)"],
];

// ---------------------------------------------------------------- F and D

export const FLOAT: readonly Row[] = [
  ["fmadd.s", "fs3 00 fs2 fs1 rm fd 1000011", "fd, fs1, fs2, fs3, rm", "boxF32(f32MulAdd(s1, s2, s3, rm))"],
  ["fmsub.s", "fs3 00 fs2 fs1 rm fd 1000111", "fd, fs1, fs2, fs3, rm", "boxF32(f32MulAdd(s1, s2, s3 ^ F32_SIGN, rm))"],
  ["fnmsub.s", "fs3 00 fs2 fs1 rm fd 1001011", "fd, fs1, fs2, fs3, rm", "boxF32(f32MulAdd(s1 ^ F32_SIGN, s2, s3, rm))"],
  ["fnmadd.s", "fs3 00 fs2 fs1 rm fd 1001111", "fd, fs1, fs2, fs3, rm",
    "boxF32(f32MulAdd(s1 ^ F32_SIGN, s2, s3 ^ F32_SIGN, rm))"],
  ["fadd.s", "0000000 fs2 fs1 rm fd 1010011", "fd, fs1, fs2, rm", "boxF32(f32Add(s1, s2, rm))"],
  ["fsub.s", "0000100 fs2 fs1 rm fd 1010011", "fd, fs1, fs2, rm", "boxF32(f32Sub(s1, s2, rm))"],
  ["fmul.s", "0001000 fs2 fs1 rm fd 1010011", "fd, fs1, fs2, rm", "boxF32(f32Mul(s1, s2, rm))"],
  ["fdiv.s", "0001100 fs2 fs1 rm fd 1010011", "fd, fs1, fs2, rm", "boxF32(f32Div(s1, s2, rm))"],
  ["fsqrt.s", "0101100 00000 fs1 rm fd 1010011", "fd, fs1, rm", "boxF32(f32Sqrt(s1, rm))"],
  ["fsgnj.s", "0010000 fs2 fs1 000 fd 1010011", "fd, fs1, fs2", "boxF32(f32Sgnj(s1, s2))"],
  ["fsgnjn.s", "0010000 fs2 fs1 001 fd 1010011", "fd, fs1, fs2", "boxF32(f32Sgnjn(s1, s2))"],
  ["fsgnjx.s", "0010000 fs2 fs1 010 fd 1010011", "fd, fs1, fs2", "boxF32(f32Sgnjx(s1, s2))"],
  ["fmin.s", "0010100 fs2 fs1 000 fd 1010011", "fd, fs1, fs2", "boxF32(f32Min(s1, s2))"],
  ["fmax.s", "0010100 fs2 fs1 001 fd 1010011", "fd, fs1, fs2", "boxF32(f32Max(s1, s2))"],
  ["fcvt.w.s", "1100000 00000 fs1 rm rd 1010011", "rd, fs1, rm", "<u64><i64>f32ToI32(s1, rm)"],
  ["fcvt.wu.s", "1100000 00001 fs1 rm rd 1010011", "rd, fs1, rm", "sext32(<u64>f32ToU32(s1, rm))"],
  ["fcvt.l.s", "1100000 00010 fs1 rm rd 1010011", "rd, fs1, rm", "<u64>f32ToI64(s1, rm)"],
  ["fcvt.lu.s", "1100000 00011 fs1 rm rd 1010011", "rd, fs1, rm", "f32ToU64(s1, rm)"],
  ["fmv.x.w", "1110000 00000 fs1 000 rd 1010011", "rd, fs1", "sext32(d1)"],
  ["feq.s", "1010000 fs2 fs1 010 rd 1010011", "rd, fs1, fs2", "<u64>f32Eq(s1, s2)"],
  ["flt.s", "1010000 fs2 fs1 001 rd 1010011", "rd, fs1, fs2", "<u64>f32Lt(s1, s2)"],
  ["fle.s", "1010000 fs2 fs1 000 rd 1010011", "rd, fs1, fs2", "<u64>f32Le(s1, s2)"],
  ["fclass.s", "1110000 00000 fs1 001 rd 1010011", "rd, fs1", "<u64>f32Class(s1)"],
  ["fcvt.s.w", "1101000 00000 rs1 rm fd 1010011", "fd, rs1, rm", "boxF32(i32ToF32(<i32>rs1, rm))"],
  ["fcvt.s.wu", "1101000 00001 rs1 rm fd 1010011", "fd, rs1, rm", "boxF32(u32ToF32(<u32>rs1, rm))"],
  ["fcvt.s.l", "1101000 00010 rs1 rm fd 1010011", "fd, rs1, rm", "boxF32(i64ToF32(<i64>rs1, rm))"],
  ["fcvt.s.lu", "1101000 00011 rs1 rm fd 1010011", "fd, rs1, rm", "boxF32(u64ToF32(rs1, rm))"],
  ["fmv.w.x", "1111000 00000 rs1 000 fd 1010011", "fd, rs1", "boxF32(<u32>rs1)"],

  ["fmadd.d", "fs3 01 fs2 fs1 rm fd 1000011", "fd, fs1, fs2, fs3, rm", "f64MulAdd(d1, d2, d3, rm)"],
  ["fmsub.d", "fs3 01 fs2 fs1 rm fd 1000111", "fd, fs1, fs2, fs3, rm", "f64MulAdd(d1, d2, d3 ^ F64_SIGN, rm)"],
  ["fnmsub.d", "fs3 01 fs2 fs1 rm fd 1001011", "fd, fs1, fs2, fs3, rm", "f64MulAdd(d1 ^ F64_SIGN, d2, d3, rm)"],
  ["fnmadd.d", "fs3 01 fs2 fs1 rm fd 1001111", "fd, fs1, fs2, fs3, rm",
    "f64MulAdd(d1 ^ F64_SIGN, d2, d3 ^ F64_SIGN, rm)"],
  ["fadd.d", "0000001 fs2 fs1 rm fd 1010011", "fd, fs1, fs2, rm", "f64Add(d1, d2, rm)"],
  ["fsub.d", "0000101 fs2 fs1 rm fd 1010011", "fd, fs1, fs2, rm", "f64Sub(d1, d2, rm)"],
  ["fmul.d", "0001001 fs2 fs1 rm fd 1010011", "fd, fs1, fs2, rm", "f64Mul(d1, d2, rm)"],
  ["fdiv.d", "0001101 fs2 fs1 rm fd 1010011", "fd, fs1, fs2, rm", "f64Div(d1, d2, rm)"],
  ["fsqrt.d", "0101101 00000 fs1 rm fd 1010011", "fd, fs1, rm", "f64Sqrt(d1, rm)"],
  ["fsgnj.d", "0010001 fs2 fs1 000 fd 1010011", "fd, fs1, fs2", "f64Sgnj(d1, d2)"],
  ["fsgnjn.d", "0010001 fs2 fs1 001 fd 1010011", "fd, fs1, fs2", "f64Sgnjn(d1, d2)"],
  ["fsgnjx.d", "0010001 fs2 fs1 010 fd 1010011", "fd, fs1, fs2", "f64Sgnjx(d1, d2)"],
  ["fmin.d", "0010101 fs2 fs1 000 fd 1010011", "fd, fs1, fs2", "f64Min(d1, d2)"],
  ["fmax.d", "0010101 fs2 fs1 001 fd 1010011", "fd, fs1, fs2", "f64Max(d1, d2)"],
  ["fcvt.s.d", "0100000 00001 fs1 rm fd 1010011", "fd, fs1, rm", "boxF32(f64ToF32(d1, rm))"],
  ["fcvt.d.s", "0100001 00000 fs1 rm fd 1010011", "fd, fs1, rm", "f32ToF64(s1)"],
  ["feq.d", "1010001 fs2 fs1 010 rd 1010011", "rd, fs1, fs2", "<u64>f64Eq(d1, d2)"],
  ["flt.d", "1010001 fs2 fs1 001 rd 1010011", "rd, fs1, fs2", "<u64>f64Lt(d1, d2)"],
  ["fle.d", "1010001 fs2 fs1 000 rd 1010011", "rd, fs1, fs2", "<u64>f64Le(d1, d2)"],
  ["fclass.d", "1110001 00000 fs1 001 rd 1010011", "rd, fs1", "<u64>f64Class(d1)"],
  ["fcvt.w.d", "1100001 00000 fs1 rm rd 1010011", "rd, fs1, rm", "<u64><i64>f64ToI32(d1, rm)"],
  ["fcvt.wu.d", "1100001 00001 fs1 rm rd 1010011", "rd, fs1, rm", "sext32(<u64>f64ToU32(d1, rm))"],
  ["fcvt.l.d", "1100001 00010 fs1 rm rd 1010011", "rd, fs1, rm", "<u64>f64ToI64(d1, rm)"],
  ["fcvt.lu.d", "1100001 00011 fs1 rm rd 1010011", "rd, fs1, rm", "f64ToU64(d1, rm)"],
  ["fmv.x.d", "1110001 00000 fs1 000 rd 1010011", "rd, fs1", "d1"],
  ["fcvt.d.w", "1101001 00000 rs1 rm fd 1010011", "fd, rs1, rm", "i32ToF64(<i32>rs1)"],
  ["fcvt.d.wu", "1101001 00001 rs1 rm fd 1010011", "fd, rs1, rm", "u32ToF64(<u32>rs1)"],
  ["fcvt.d.l", "1101001 00010 rs1 rm fd 1010011", "fd, rs1, rm", "i64ToF64(<i64>rs1, rm)"],
  ["fcvt.d.lu", "1101001 00011 rs1 rm fd 1010011", "fd, rs1, rm", "u64ToF64(rs1, rm)"],
  ["fmv.d.x", "1111001 00000 rs1 000 fd 1010011", "fd, rs1", "rs1"],
];

// ---------------------------------------------------------------- C, for RV64

export const COMPRESSED: readonly CompressedRow[] = [
  ["c.addi4spn", "000 uimm[5:4|9:6|2|3]!0 rd' 00", "addi rd', x2, uimm"],
  ["c.fld", "001 uimm[5:3] rs1' uimm[7:6] fd' 00", "fld fd', uimm(rs1')"],
  ["c.lw", "010 uimm[5:3] rs1' uimm[2|6] rd' 00", "lw rd', uimm(rs1')"],
  ["c.ld", "011 uimm[5:3] rs1' uimm[7:6] rd' 00", "ld rd', uimm(rs1')"],
  ["c.fsd", "101 uimm[5:3] rs1' uimm[7:6] fs2' 00", "fsd fs2', uimm(rs1')"],
  ["c.sw", "110 uimm[5:3] rs1' uimm[2|6] rs2' 00", "sw rs2', uimm(rs1')"],
  ["c.sd", "111 uimm[5:3] rs1' uimm[7:6] rs2' 00", "sd rs2', uimm(rs1')"],

  ["c.addi", "000 imm[5] rd imm[4:0] 01", "addi rd, rd, imm"], // c.nop and the hints too
  ["c.addiw", "001 imm[5] rd!0 imm[4:0] 01", "addiw rd, rd, imm"],
  ["c.li", "010 imm[5] rd imm[4:0] 01", "addi rd, x0, imm"],
  ["c.addi16sp", "011 imm[9]!0 00010 imm[4|6|8:7|5] 01", "addi x2, x2, imm"],
  ["c.lui", "011 imm[17]!0 rd!2 imm[16:12] 01", "lui rd, imm"],
  ["c.srli", "100 uimm[5] 00 rd' uimm[4:0] 01", "srli rd', rd', uimm"],
  ["c.srai", "100 uimm[5] 01 rd' uimm[4:0] 01", "srai rd', rd', uimm"],
  ["c.andi", "100 imm[5] 10 rd' imm[4:0] 01", "andi rd', rd', imm"],
  ["c.sub", "100 0 11 rd' 00 rs2' 01", "sub rd', rd', rs2'"],
  ["c.xor", "100 0 11 rd' 01 rs2' 01", "xor rd', rd', rs2'"],
  ["c.or", "100 0 11 rd' 10 rs2' 01", "or rd', rd', rs2'"],
  ["c.and", "100 0 11 rd' 11 rs2' 01", "and rd', rd', rs2'"],
  ["c.subw", "100 1 11 rd' 00 rs2' 01", "subw rd', rd', rs2'"],
  ["c.addw", "100 1 11 rd' 01 rs2' 01", "addw rd', rd', rs2'"],
  ["c.j", "101 imm[11|4|9:8|10|6|7|3:1|5] 01", "jal x0, imm"],
  ["c.beqz", "110 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "beq rs1', x0, imm"],
  ["c.bnez", "111 imm[8|4:3] rs1' imm[7:6|2:1|5] 01", "bne rs1', x0, imm"],

  ["c.slli", "000 uimm[5] rd uimm[4:0] 10", "slli rd, rd, uimm"],
  ["c.fldsp", "001 uimm[5] fd uimm[4:3|8:6] 10", "fld fd, uimm(x2)"],
  ["c.lwsp", "010 uimm[5] rd!0 uimm[4:2|7:6] 10", "lw rd, uimm(x2)"],
  ["c.ldsp", "011 uimm[5] rd!0 uimm[4:3|8:6] 10", "ld rd, uimm(x2)"],
  ["c.jr", "100 0 rs1!0 00000 10", "jalr x0, 0(rs1)"],
  ["c.mv", "100 0 rd rs2!0 10", "add rd, x0, rs2"],
  ["c.ebreak", "100 1 00000 00000 10", "ebreak"],
  ["c.jalr", "100 1 rs1!0 00000 10", "jalr x1, 0(rs1)"],
  ["c.add", "100 1 rd rs2!0 10", "add rd, rd, rs2"],
  ["c.fsdsp", "101 uimm[5:3|8:6] fs2 10", "fsd fs2, uimm(x2)"],
  ["c.swsp", "110 uimm[5:2|7:6] rs2 10", "sw rs2, uimm(x2)"],
  ["c.sdsp", "111 uimm[5:3|8:6] rs2 10", "sd rs2, uimm(x2)"],
];
