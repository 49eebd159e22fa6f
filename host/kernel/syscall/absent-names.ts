// Names of the system calls that the kernel does not have, for --strace (include/uapi/asm-generic/unistd.h). Each row
// is a run of consecutive numbers.

const RUNS: readonly (readonly [number, string])[] = [
  [0, "io_setup io_destroy io_submit io_cancel io_getevents"],
  [18, "lookup_dcookie"],
  [26, "inotify_init1 inotify_add_watch inotify_rm_watch"],
  [30, "ioprio_set ioprio_get"],
  [41, "pivot_root nfsservctl"],
  [58, "vhangup"],
  [60, "quotactl"],
  [89, "acct"],
  [97, "unshare"],
  [104, "kexec_load init_module delete_module"],
  [112, "clock_settime"],
  [116, "syslog ptrace"],
  [142, "reboot"],
  [161, "sethostname setdomainname"],
  [170, "settimeofday adjtimex"],
  [180, "mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr msgget msgctl msgrcv msgsnd"],
  [190, "semget semctl semtimedop semop"],
  [198, "socket socketpair bind listen accept"],
  [203, "connect getsockname getpeername sendto recvfrom setsockopt getsockopt shutdown sendmsg recvmsg"],
  [217, "add_key request_key keyctl"],
  [224, "swapon swapoff"],
  [235, "mbind get_mempolicy set_mempolicy migrate_pages move_pages"],
  [241, "perf_event_open accept4 recvmmsg"],
  [262, "fanotify_init fanotify_mark name_to_handle_at open_by_handle_at clock_adjtime"],
  [268, "setns sendmmsg"],
  [272, "kcmp finit_module"],
  [277, "seccomp"],
  [280, "bpf"],
  [288, "pkey_mprotect pkey_alloc pkey_free"],
  [292, "io_pgetevents"],
  [294, "kexec_file_load"],
  [425, "io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen"],
  [431, "fsconfig fsmount fspick"],
  [442, "mount_setattr quotactl_fd landlock_create_ruleset landlock_add_rule landlock_restrict_self"],
  [447, "memfd_secret"],
  [449, "futex_waitv set_mempolicy_home_node cachestat"],
  [453, "map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount"],
  [459, "lsm_get_self_attr lsm_set_self_attr lsm_list_modules"],
];

const NAMES: ReadonlyMap<number, string> = new Map(
  RUNS.flatMap(([first, names]) => names.split(" ").map((name, i): [number, string] => [first + i, name])),
);

export function unimplementedName(number: number): string {
  return NAMES.get(number) ?? `syscall_${number}`;
}

/** All of them, with their numbers. */
export function unimplementedNames(): [number, string][] {
  return [...NAMES];
}
