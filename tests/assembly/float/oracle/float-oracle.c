// Executes real floating-point instructions, for the differential test. Reads cases from standard input and writes
// outcomes to standard output; both layouts are drawn in entry.ts, and the operation numbers come from
// operations.ts as -D options.
//
// Every instruction uses the dynamic rounding mode, set in frm before it, with fflags cleared.

#include <stdint.h>
#include <stdio.h>

struct test_case {
	uint32_t op;
	uint32_t rm;
	uint64_t a, b, c;
};

struct outcome {
	uint64_t bits;
	uint64_t fflags;
};

enum { BATCH_CASES = 4096 };

// The letters name result and operands: F a floating-point register, X an integer one.
#define F_FFF(op, insn)                                                        \
	case op:                                                               \
		__asm__ volatile("fmv.d.x ft0, %1\n\t"                         \
				 "fmv.d.x ft1, %2\n\t"                         \
				 "fmv.d.x ft2, %3\n\t" insn                    \
				 " ft0, ft0, ft1, ft2\n\t"                     \
				 "fmv.x.d %0, ft0"                             \
				 : "=r"(bits)                                  \
				 : "r"(t->a), "r"(t->b), "r"(t->c)             \
				 : "ft0", "ft1", "ft2");                       \
		break;

#define F_FF(op, insn)                                                         \
	case op:                                                               \
		__asm__ volatile("fmv.d.x ft0, %1\n\t"                         \
				 "fmv.d.x ft1, %2\n\t" insn                    \
				 " ft0, ft0, ft1\n\t"                          \
				 "fmv.x.d %0, ft0"                             \
				 : "=r"(bits)                                  \
				 : "r"(t->a), "r"(t->b)                        \
				 : "ft0", "ft1");                              \
		break;

#define F_F(op, insn)                                                          \
	case op:                                                               \
		__asm__ volatile("fmv.d.x ft0, %1\n\t" insn " ft0, ft0\n\t"    \
				 "fmv.x.d %0, ft0"                             \
				 : "=r"(bits)                                  \
				 : "r"(t->a)                                   \
				 : "ft0");                                     \
		break;

#define X_FF(op, insn)                                                         \
	case op:                                                               \
		__asm__ volatile("fmv.d.x ft0, %1\n\t"                         \
				 "fmv.d.x ft1, %2\n\t" insn " %0, ft0, ft1"    \
				 : "=r"(bits)                                  \
				 : "r"(t->a), "r"(t->b)                        \
				 : "ft0", "ft1");                              \
		break;

#define X_F(op, insn)                                                          \
	case op:                                                               \
		__asm__ volatile("fmv.d.x ft0, %1\n\t" insn " %0, ft0"         \
				 : "=r"(bits)                                  \
				 : "r"(t->a)                                   \
				 : "ft0");                                     \
		break;

#define F_X(op, insn)                                                          \
	case op:                                                               \
		__asm__ volatile(insn " ft0, %1\n\t"                           \
				 "fmv.x.d %0, ft0"                             \
				 : "=r"(bits)                                  \
				 : "r"(t->a)                                   \
				 : "ft0");                                     \
		break;

#define ARITHMETIC(S, s)                                                       \
	F_FF(FADD_##S, "fadd." s)                                              \
	F_FF(FSUB_##S, "fsub." s)                                              \
	F_FF(FMUL_##S, "fmul." s)                                              \
	F_FF(FDIV_##S, "fdiv." s)                                              \
	F_F(FSQRT_##S, "fsqrt." s)                                             \
	F_FFF(FMADD_##S, "fmadd." s)                                           \
	F_FFF(FMSUB_##S, "fmsub." s)                                           \
	F_FFF(FNMSUB_##S, "fnmsub." s)                                         \
	F_FFF(FNMADD_##S, "fnmadd." s)                                         \
	F_FF(FMIN_##S, "fmin." s)                                              \
	F_FF(FMAX_##S, "fmax." s)                                              \
	X_FF(FEQ_##S, "feq." s)                                                \
	X_FF(FLT_##S, "flt." s)                                                \
	X_FF(FLE_##S, "fle." s)                                                \
	X_F(FCLASS_##S, "fclass." s)                                           \
	F_FF(FSGNJ_##S, "fsgnj." s)                                            \
	F_FF(FSGNJN_##S, "fsgnjn." s)                                          \
	F_FF(FSGNJX_##S, "fsgnjx." s)                                          \
	X_F(FCVT_W_##S, "fcvt.w." s)                                           \
	X_F(FCVT_WU_##S, "fcvt.wu." s)                                         \
	X_F(FCVT_L_##S, "fcvt.l." s)                                           \
	X_F(FCVT_LU_##S, "fcvt.lu." s)                                         \
	F_X(FCVT_##S##_W, "fcvt." s ".w")                                      \
	F_X(FCVT_##S##_WU, "fcvt." s ".wu")                                    \
	F_X(FCVT_##S##_L, "fcvt." s ".l")                                      \
	F_X(FCVT_##S##_LU, "fcvt." s ".lu")

static int execute(const struct test_case *t, struct outcome *out)
{
	uint64_t bits;

	__asm__ volatile("fsrm %0\n\tfsflags x0" : : "r"((uint64_t)t->rm));
	switch (t->op) {
		ARITHMETIC(S, "s")
		ARITHMETIC(D, "d")
		F_F(FCVT_D_S, "fcvt.d.s")
		F_F(FCVT_S_D, "fcvt.s.d")
	default:
		return -1;
	}
	out->bits = bits;
	__asm__ volatile("frflags %0" : "=r"(out->fflags));
	return 0;
}

int main(void)
{
	static struct test_case cases[BATCH_CASES];
	static struct outcome outcomes[BATCH_CASES];
	size_t count;

	while ((count = fread(cases, sizeof(cases[0]), BATCH_CASES, stdin)) > 0) {
		for (size_t i = 0; i < count; i++) {
			if (execute(&cases[i], &outcomes[i]) != 0) {
				fprintf(stderr, "float-oracle: no operation %u\n", cases[i].op);
				return 1;
			}
		}
		if (fwrite(outcomes, sizeof(outcomes[0]), count, stdout) != count) return 1;
	}
	return ferror(stdin) ? 1 : 0;
}
