// What a signal handler finds on its stack, and what rt_sigreturn(2) takes back from there: struct rt_sigframe of
// Linux/riscv64 (arch/riscv/kernel/signal.c, include/uapi/asm/{ucontext,sigcontext,ptrace}.h).
//
//   sp ──► siginfo_t (128) | uc_flags uc_link uc_stack uc_sigmask, reserve | pc x1..x31 | f0..f31 fcsr, reserve
//
// Signal return goes through the vDSO, so nothing on the stack is ever executed.

import {
  HART_BUFFER,
  HART_F,
  HART_FCSR,
  HART_PC,
  HART_SIGINFO,
  HART_X,
  MACHINE_BASE,
  MACHINE_VDSO_SIGRETURN,
  MM_VDSO,
  SIGINFO_BYTES,
  TASK_ALTSTACK_BYTES,
  TASK_ALTSTACK_FLAGS,
  TASK_ALTSTACK_SP,
  TASK_MM,
} from "../../../assembly/layout.ts";
import { copyFromUser, copyToUser } from "../../mm/uaccess.ts";
import type { Hart } from "../../policy/hart.ts";
import { loadU64, registerOffset, storeU64 } from "../registers.ts";
import { isOnAltStack, SS_AUTODISARM, SS_DISABLE, setAltStack } from "./altstack.ts";
import { SA_ONSTACK } from "./sighand.ts";
import { setBlocked } from "./signal-mask.ts";

const RA = 1;
const SP = 2;
const A0 = 10;
const STACK_ALIGN = 16;
const REGISTER_FILE_BYTES = 256;

const FRAME_INFO = 0;
const FRAME_UCONTEXT = SIGINFO_BYTES;
const FRAME_STACK = FRAME_UCONTEXT + 16; // stack_t {sp u64, flags int, size u64}
const FRAME_SIGMASK = FRAME_UCONTEXT + 40;
const FRAME_PC = FRAME_UCONTEXT + 176; // sc_regs: pc, then x1..x31; behind 1,024 bits of mask, aligned to 16
const FRAME_F = FRAME_PC + REGISTER_FILE_BYTES;
const FRAME_FCSR = FRAME_F + REGISTER_FILE_BYTES;
/** sc_extdesc, in the same place as sc_fpregs: what lies above the D state must say that nothing follows. */
const FRAME_RESERVED = FRAME_F + 516;
const FRAME_END_MAGIC = FRAME_F + 520;
const FRAME_END_BYTES = FRAME_F + 524;
const FRAME_BYTES = FRAME_F + 528;

/**
 * Writes the frame of `signal` (its siginfo is in HART_SIGINFO) and lets the task go on in `handler`; the mask to come
 * back to is `maskLo`, `maskHi`. False: there is no room on the stack. (setup_rt_frame)
 */
export function pushSignalFrame(
  hart: Hart,
  signal: number,
  handler: number,
  flags: number,
  maskLo: number,
  maskHi: number,
): boolean {
  const { shared, base, current } = hart;
  const sp = loadU64(hart, base + registerOffset(SP));
  const frameVa = frameAddress(hart, sp, flags);
  if (frameVa < 0) return false;
  const frame = base + HART_BUFFER;
  hart.core.zeroBytes(frame, FRAME_BYTES);
  hart.core.copyBytes(frame + FRAME_INFO, base + HART_SIGINFO, SIGINFO_BYTES);
  storeU64(hart, frame + FRAME_STACK, shared.getF64(current + TASK_ALTSTACK_SP));
  shared.set(frame + FRAME_STACK + 8, shared.get(current + TASK_ALTSTACK_FLAGS));
  storeU64(hart, frame + FRAME_STACK + 16, shared.getF64(current + TASK_ALTSTACK_BYTES));
  shared.set(frame + FRAME_SIGMASK, maskLo);
  shared.set(frame + FRAME_SIGMASK + 4, maskHi);
  hart.core.copyBytes(frame + FRAME_PC, base + HART_X, REGISTER_FILE_BYTES);
  hart.core.copyBytes(frame + FRAME_PC, base + HART_PC, 8); // in the place of x0
  hart.core.copyBytes(frame + FRAME_F, base + HART_F, REGISTER_FILE_BYTES);
  shared.set(frame + FRAME_FCSR, hart.get(HART_FCSR));
  if (copyToUser(hart, frameVa, frame, FRAME_BYTES) < 0) return false;
  enterHandler(hart, signal, handler, frameVa);
  if ((shared.get(current + TASK_ALTSTACK_FLAGS) & SS_AUTODISARM) !== 0) setAltStack(hart, 0, 0, SS_DISABLE);
  return true;
}

function enterHandler(hart: Hart, signal: number, handler: number, frameVa: number): void {
  const { shared, base } = hart;
  const vdso = shared.getF64(shared.get(hart.current + TASK_MM) + MM_VDSO);
  storeU64(hart, base + registerOffset(RA), vdso + shared.get(MACHINE_BASE + MACHINE_VDSO_SIGRETURN));
  storeU64(hart, base + registerOffset(SP), frameVa);
  storeU64(hart, base + registerOffset(A0), signal);
  storeU64(hart, base + registerOffset(A0 + 1), frameVa + FRAME_INFO);
  storeU64(hart, base + registerOffset(A0 + 2), frameVa + FRAME_UCONTEXT);
  storeU64(hart, base + HART_PC, handler);
  hart.core.clearReservation();
}

/** Where the frame goes; -1 if the alternate stack, already in use, would overflow. (get_sigframe) */
function frameAddress(hart: Hart, sp: number, flags: number): number {
  const { shared, current } = hart;
  const onAltStack = isOnAltStack(hart, sp);
  if (onAltStack && !isOnAltStack(hart, sp - FRAME_BYTES)) return -1;
  const altBytes = shared.getF64(current + TASK_ALTSTACK_BYTES);
  const switches = (flags & SA_ONSTACK) !== 0 && altBytes !== 0 && !onAltStack;
  const top = switches ? shared.getF64(current + TASK_ALTSTACK_SP) + altBytes : sp;
  const va = top - FRAME_BYTES;
  return va - (va % STACK_ALIGN);
}

/** rt_sigreturn: the registers and the mask of the frame at sp. False: that is no frame. (restore_sigcontext) */
export function popSignalFrame(hart: Hart): boolean {
  const { shared, base } = hart;
  const frame = base + HART_BUFFER;
  const frameVa = loadU64(hart, base + registerOffset(SP));
  if (copyFromUser(hart, frame, frameVa, FRAME_BYTES) < 0) return false;
  setBlocked(hart, shared.get(frame + FRAME_SIGMASK), shared.get(frame + FRAME_SIGMASK + 4));
  hart.core.copyBytes(base + HART_PC, frame + FRAME_PC, 8);
  hart.core.copyBytes(base + HART_X + 8, frame + FRAME_PC + 8, REGISTER_FILE_BYTES - 8);
  hart.core.copyBytes(base + HART_F, frame + FRAME_F, REGISTER_FILE_BYTES);
  hart.set(HART_FCSR, shared.get(frame + FRAME_FCSR) & FCSR_MASK);
  hart.core.clearReservation();
  const hasEnd = (shared.get(frame + FRAME_END_MAGIC) | shared.get(frame + FRAME_END_BYTES)) === 0;
  if (shared.get(frame + FRAME_RESERVED) !== 0 || !hasEnd) return false;
  // As Linux does, a stack that sigaltstack(2) would refuse is forgotten without a word.
  const stack = frame + FRAME_STACK;
  const altSp = loadU64(hart, stack);
  const sp = loadU64(hart, base + registerOffset(SP));
  if (!isOnAltStack(hart, sp)) setAltStack(hart, altSp, loadU64(hart, stack + 16), shared.get(stack + 8));
  return true;
}

const FCSR_MASK = 0xff;
