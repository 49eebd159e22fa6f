// How a fault ends. The trace has names for these (observe/trace-events.ts).

export const FAULT_OK = 0;
export const FAULT_SEGV_MAPERR = 1; // SIGSEGV: nothing is mapped there
export const FAULT_SEGV_ACCERR = 2; // SIGSEGV: mapped, but not for this access
export const FAULT_OOM = 3; // no frame: the task is killed
export const FAULT_BUS = 4; // SIGBUS: beyond the end of the file, or the host did not give its bytes
export const FAULT_RETRY = 5; // only inside mm: finishFaultIo, without locks, and then again
export const FAULT_USERFAULT = 6; // the task waits, for userfaultfd or for memory: it must not run on
