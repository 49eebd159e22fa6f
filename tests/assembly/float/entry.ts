// The module under test: executes records on register contents, as an interpreter would, so that NaN boxing,
// sign extension and the sign flips of the fused operations are covered too.
//
//   case     op u32 | rm u32 | a u64 | b u64 | c u64        (32 bytes)
//   outcome  register u64 | fflags u64                      (16 bytes)

import { f32Add, f32Sub, f64Add, f64Sub } from "../../../assembly/float/add.ts";
import {
  f32Class, f32Eq, f32Le, f32Lt, f32Max, f32Min, f32Sgnj, f32Sgnjn, f32Sgnjx,
  f64Class, f64Eq, f64Le, f64Lt, f64Max, f64Min, f64Sgnj, f64Sgnjn, f64Sgnjx,
} from "../../../assembly/float/compare.ts";
import { f32ToF64, f64ToF32 } from "../../../assembly/float/convert.ts";
import { f32Div, f64Div } from "../../../assembly/float/div.ts";
import { f32MulAdd, f64MulAdd } from "../../../assembly/float/fma.ts";
import { F32_SIGN, F64_SIGN, boxF32, unboxF32 } from "../../../assembly/float/format.ts";
import {
  i32ToF32, i32ToF64, i64ToF32, i64ToF64, u32ToF32, u32ToF64, u64ToF32, u64ToF64,
} from "../../../assembly/float/from-integer.ts";
import { f32Mul, f64Mul } from "../../../assembly/float/mul.ts";
import { f32Sqrt, f64Sqrt } from "../../../assembly/float/sqrt.ts";
import { getFflags, setFflags } from "../../../assembly/float/status.ts";
import {
  f32ToI32, f32ToI64, f32ToU32, f32ToU64, f64ToI32, f64ToI64, f64ToU32, f64ToU64,
} from "../../../assembly/float/to-integer.ts";
import * as op from "./operations.ts";

/** Runs `count` cases from `cases` into `outcomes`, each with fflags set to `flags` first. */
export function run(cases: usize, outcomes: usize, count: u32, flags: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    setFflags(flags);
    const register = execute(
      load<u32>(cases), load<u32>(cases, 4), load<u64>(cases, 8), load<u64>(cases, 16), load<u64>(cases, 24),
    );
    store<u64>(outcomes, register);
    store<u64>(outcomes, getFflags(), 8);
    cases += 32;
    outcomes += 16;
  }
}

function execute(operation: u32, rm: u32, a: u64, b: u64, c: u64): u64 {
  switch (operation) {
    case op.FADD_S: return boxF32(f32Add(unboxF32(a), unboxF32(b), rm));
    case op.FSUB_S: return boxF32(f32Sub(unboxF32(a), unboxF32(b), rm));
    case op.FMUL_S: return boxF32(f32Mul(unboxF32(a), unboxF32(b), rm));
    case op.FDIV_S: return boxF32(f32Div(unboxF32(a), unboxF32(b), rm));
    case op.FSQRT_S: return boxF32(f32Sqrt(unboxF32(a), rm));
    case op.FMADD_S: return boxF32(f32MulAdd(unboxF32(a), unboxF32(b), unboxF32(c), rm));
    case op.FMSUB_S: return boxF32(f32MulAdd(unboxF32(a), unboxF32(b), unboxF32(c) ^ F32_SIGN, rm));
    case op.FNMSUB_S: return boxF32(f32MulAdd(unboxF32(a) ^ F32_SIGN, unboxF32(b), unboxF32(c), rm));
    case op.FNMADD_S: return boxF32(f32MulAdd(unboxF32(a) ^ F32_SIGN, unboxF32(b), unboxF32(c) ^ F32_SIGN, rm));
    case op.FMIN_S: return boxF32(f32Min(unboxF32(a), unboxF32(b)));
    case op.FMAX_S: return boxF32(f32Max(unboxF32(a), unboxF32(b)));
    case op.FEQ_S: return f32Eq(unboxF32(a), unboxF32(b));
    case op.FLT_S: return f32Lt(unboxF32(a), unboxF32(b));
    case op.FLE_S: return f32Le(unboxF32(a), unboxF32(b));
    case op.FCLASS_S: return f32Class(unboxF32(a));
    case op.FSGNJ_S: return boxF32(f32Sgnj(unboxF32(a), unboxF32(b)));
    case op.FSGNJN_S: return boxF32(f32Sgnjn(unboxF32(a), unboxF32(b)));
    case op.FSGNJX_S: return boxF32(f32Sgnjx(unboxF32(a), unboxF32(b)));
    case op.FADD_D: return f64Add(a, b, rm);
    case op.FSUB_D: return f64Sub(a, b, rm);
    case op.FMUL_D: return f64Mul(a, b, rm);
    case op.FDIV_D: return f64Div(a, b, rm);
    case op.FSQRT_D: return f64Sqrt(a, rm);
    case op.FMADD_D: return f64MulAdd(a, b, c, rm);
    case op.FMSUB_D: return f64MulAdd(a, b, c ^ F64_SIGN, rm);
    case op.FNMSUB_D: return f64MulAdd(a ^ F64_SIGN, b, c, rm);
    case op.FNMADD_D: return f64MulAdd(a ^ F64_SIGN, b, c ^ F64_SIGN, rm);
    case op.FMIN_D: return f64Min(a, b);
    case op.FMAX_D: return f64Max(a, b);
    case op.FEQ_D: return f64Eq(a, b);
    case op.FLT_D: return f64Lt(a, b);
    case op.FLE_D: return f64Le(a, b);
    case op.FCLASS_D: return f64Class(a);
    case op.FSGNJ_D: return f64Sgnj(a, b);
    case op.FSGNJN_D: return f64Sgnjn(a, b);
    case op.FSGNJX_D: return f64Sgnjx(a, b);
    case op.FCVT_W_S: return <i64>f32ToI32(unboxF32(a), rm);
    case op.FCVT_WU_S: return <i64><i32>f32ToU32(unboxF32(a), rm);
    case op.FCVT_L_S: return f32ToI64(unboxF32(a), rm);
    case op.FCVT_LU_S: return f32ToU64(unboxF32(a), rm);
    case op.FCVT_S_W: return boxF32(i32ToF32(<i32>a, rm));
    case op.FCVT_S_WU: return boxF32(u32ToF32(<u32>a, rm));
    case op.FCVT_S_L: return boxF32(i64ToF32(a, rm));
    case op.FCVT_S_LU: return boxF32(u64ToF32(a, rm));
    case op.FCVT_W_D: return <i64>f64ToI32(a, rm);
    case op.FCVT_WU_D: return <i64><i32>f64ToU32(a, rm);
    case op.FCVT_L_D: return f64ToI64(a, rm);
    case op.FCVT_LU_D: return f64ToU64(a, rm);
    case op.FCVT_D_W: return i32ToF64(<i32>a);
    case op.FCVT_D_WU: return u32ToF64(<u32>a);
    case op.FCVT_D_L: return i64ToF64(a, rm);
    case op.FCVT_D_LU: return u64ToF64(a, rm);
    case op.FCVT_D_S: return f32ToF64(unboxF32(a));
    case op.FCVT_S_D: return boxF32(f64ToF32(a, rm));
    default: unreachable();
  }
  return 0;
}
