// The system-call table for people: each call that Linux/riscv64 has is there, there in part, or absent. TABLE.md is
// this text; `pagewalk syscalls` prints it.

import { unimplementedNames } from "./absent-names.ts";
import { SYSCALLS } from "./table.ts";
import { xattrCalls } from "./xattr.ts";

/** What a call does not do that Linux's does. A call without an entry is complete, as far as anybody knows. */
export const MISSING: Readonly<Record<string, string>> = {
  capset: "capabilities follow the user: none can be given up",
  clock_nanosleep: "no processor time: EOPNOTSUPP",
  clone: "namespaces and pidfds of threads are EINVAL",
  clone3: "namespaces and pidfds of threads are EINVAL; set_tid and cgroups are not looked at",
  epoll_ctl: "instances that watch instances are EINVAL",
  fadvise64: "advice is checked and not followed",
  fcntl: "no leases, no F_NOTIFY, no F_SETSIG: EINVAL",
  futex: "FUTEX_LOCK_PI inherits no priority and finds no circles; FUTEX_WAIT_REQUEUE_PI, CMP_REQUEUE_PI: ENOSYS",
  getrusage: "all time is user time; of the counts only ru_maxrss, faults and switches",
  ioctl: "what the console, pipes, userfaultfd and any descriptor have",
  madvise: "advice about reading ahead, merging and dumps is accepted and changes nothing",
  mmap: "no MAP_HUGETLB",
  openat2: "no RESOLVE_*: EINVAL",
  pidfd_open: "no PIDFD_THREAD",
  pipe2: "no O_DIRECT",
  prctl: "about twenty of its operations",
  preadv2: "of the flags RWF_HIPRI, DSYNC and SYNC",
  pwritev2: "of the flags RWF_HIPRI, DSYNC and SYNC",
  readahead: "checked, and nothing is read",
  sched_setattr: "no real-time policies: EINVAL; the others are scheduled alike",
  sched_setparam: "only priority 0",
  sched_setscheduler: "no real-time policies: EINVAL; the others are scheduled alike",
  splice: "always EINVAL, which programs take well",
  tee: "always EINVAL",
  times: "all time is user time",
  timer_create: "no alarm clocks; of processor time only the caller's own",
  mount: "tmpfs, proc and sysfs; nothing is bound to a second place or moved: EINVAL",
  umount2: "no MNT_EXPIRE",
  userfaultfd: "no UFFD_FEATURE_WP_ASYNC; huge pages are moved page by page",
  vmsplice: "always EINVAL",
  ...Object.fromEntries(xattrCalls.map(([, { name }]) => [name, "files have no attributes"])),
};

const HEAD = `# System calls

Made from the table in \`table.ts\` by \`pagewalk syscalls\`; a test compares. The numbers are those of Linux 6.12 on
riscv64. Absent calls answer \`ENOSYS\`.

`;

export function describeCalls(): string {
  const rows: string[] = [];
  let full = 0;
  let partial = 0;
  for (const [number, row] of SYSCALLS.entries()) {
    if (row === undefined) continue;
    const missing = MISSING[row.name];
    if (missing === undefined) full++;
    else partial++;
    rows.push(`| ${number} | ${row.name} | ${missing === undefined ? "full" : `partial: ${missing}`} |`);
  }
  const absent = unimplementedNames();
  const counts = `${full} full, ${partial} partial, ${absent.length} absent.`;
  const list = absent.map(([number, name]) => `| ${number} | ${name} | absent |`);
  const all = [...rows, ...list].sort((a, b) => Number.parseInt(a.slice(2), 10) - Number.parseInt(b.slice(2), 10));
  return `${HEAD}${counts}\n\n| number | call | status |\n|---|---|---|\n${all.join("\n")}\n`;
}
