// Every system call of the kernel, by number (include/uapi/asm-generic/unistd.h; riscv's own two are 258 and 259).
// Dispatch and --strace both work from these rows; a number without a row is -ENOSYS.

import { attributesCalls } from "./attributes.ts";
import { cloneCalls } from "./clone.ts";
import { copyRangeCalls } from "./copy-range.ts";
import { credentialCalls } from "./credentials.ts";
import { descriptorCalls } from "./descriptors.ts";
import { directoryCalls } from "./directory.ts";
import { epollCalls } from "./epoll.ts";
import { execCalls } from "./exec.ts";
import { fcntlCalls } from "./fcntl.ts";
import { flockCalls } from "./flock.ts";
import { futexCalls } from "./futex.ts";
import { hwprobeCalls } from "./hwprobe.ts";
import { identityCalls } from "./identity.ts";
import { ioctlCalls } from "./ioctl.ts";
import { membarrierCalls } from "./membarrier.ts";
import { memoryCalls } from "./memory.ts";
import { mountCalls } from "./mount.ts";
import { namesOfFilesCalls } from "./names-of-files.ts";
import { notificationFilesCalls } from "./notification-files.ts";
import { openCalls } from "./open.ts";
import { pidfdCalls } from "./pidfd.ts";
import { pollCalls } from "./poll.ts";
import { prctlCalls } from "./prctl.ts";
import { priorityCalls } from "./priority.ts";
import { processVmCalls } from "./process-vm.ts";
import { readWriteCalls } from "./read-write.ts";
import { rseqCalls } from "./rseq.ts";
import { schedCalls } from "./sched.ts";
import { selectCalls } from "./select.ts";
import { sessionCalls } from "./session.ts";
import { shmCalls } from "./shm.ts";
import { sigactionCalls } from "./sigaction.ts";
import { sigmaskCalls } from "./sigmask.ts";
import { signalCalls } from "./signal.ts";
import { sigwaitCalls } from "./sigwait.ts";
import { specialFilesCalls } from "./special-files.ts";
import { statCalls } from "./stat.ts";
import { systemCalls } from "./system.ts";
import { taskCalls } from "./task.ts";
import { timeCalls } from "./time.ts";
import { timerCalls } from "./timer.ts";
import { truncateCalls } from "./truncate.ts";
import type { SystemCall } from "./types.ts";
import { usageCalls } from "./usage.ts";
import { waitCalls } from "./wait.ts";
import { xattrCalls } from "./xattr.ts";

/** No number of Linux's table is as high. */
const NUMBER_END = 512;

export const SYSCALLS: readonly (SystemCall | undefined)[] = build();

function build(): (SystemCall | undefined)[] {
  const table = new Array<SystemCall | undefined>(NUMBER_END).fill(undefined);
  const groups = [
    cloneCalls,
    attributesCalls,
    credentialCalls,
    execCalls,
    descriptorCalls,
    epollCalls,
    fcntlCalls,
    flockCalls,
    truncateCalls,
    xattrCalls,
    copyRangeCalls,
    specialFilesCalls,
    selectCalls,
    statCalls,
    readWriteCalls,
    openCalls,
    notificationFilesCalls,
    processVmCalls,
    namesOfFilesCalls,
    directoryCalls,
    futexCalls,
    hwprobeCalls,
    identityCalls,
    ioctlCalls,
    membarrierCalls,
    mountCalls,
    memoryCalls,
    pidfdCalls,
    pollCalls,
    prctlCalls,
    priorityCalls,
    rseqCalls,
    schedCalls,
    shmCalls,
    sigactionCalls,
    sigmaskCalls,
    sessionCalls,
    sigwaitCalls,
    timerCalls,
    signalCalls,
    systemCalls,
    taskCalls,
    timeCalls,
    usageCalls,
    waitCalls,
  ];
  for (const group of groups) {
    for (const [number, row] of group) {
      if (table[number] !== undefined) throw new Error(`two system calls have number ${number}`);
      table[number] = row;
    }
  }
  return table;
}
