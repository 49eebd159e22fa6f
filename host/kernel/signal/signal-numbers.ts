// Signals: numbers, si_code values and default actions (include/uapi/asm-generic/signal.h, siginfo.h; signal(7)).

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGSEGV = 11;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGSYS = 31;
export const SIGRTMIN = 32;
/** Signals are 1..64; 32 and up are the real-time ones. */
export const SIGNAL_COUNT = 64;

export const ILL_ILLOPC = 1;
export const TRAP_BRKPT = 1;
export const BUS_ADRALN = 1;
export const BUS_ADRERR = 2;
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;

export const SIG_DFL = 0;
export const SIG_IGN = 1;

export const ACTION_TERMINATE = 0;
export const ACTION_CORE = 1; // terminate; the kernel prints a line instead of dumping core
export const ACTION_IGNORE = 2;
export const ACTION_STOP = 3;

const NAMES: readonly string[] = [
  ..."0 HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT".split(" "),
  ..."CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS".split(" "),
];

const CORE: readonly number[] = [SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS];
const IGNORED: readonly number[] = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH];
const STOPPING: readonly number[] = [SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU];

export function signalName(signal: number): string {
  return signal < NAMES.length ? `SIG${NAMES[signal]}` : `SIGRT_${signal - 32}`;
}

/** SIGSTOP, SIGTSTP, SIGTTIN and SIGTTOU, as bits of a set's low word. */
export const STOP_SIGNALS_LO = STOPPING.reduce((set, signal) => set | (1 << (signal - 1)), 0);

/** True for SIGSTOP and what a terminal stops with. */
export function isStopSignal(signal: number): boolean {
  return STOPPING.includes(signal);
}

/** ACTION_*: what a signal does when its handler is SIG_DFL. */
export function defaultAction(signal: number): number {
  if (CORE.includes(signal)) return ACTION_CORE;
  if (IGNORED.includes(signal)) return ACTION_IGNORE;
  return STOPPING.includes(signal) ? ACTION_STOP : ACTION_TERMINATE;
}

/** What si_code says about SIGSEGV or SIGBUS, for the line printed when it kills. */
export function faultReason(signal: number, code: number): string {
  if (signal === SIGSEGV) return code === SEGV_ACCERR ? "the mapping does not permit it" : "nothing is mapped there";
  return code === BUS_ADRALN ? "misaligned address" : "no memory behind the mapping";
}
