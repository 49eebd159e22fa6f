// The shared memory of the machine: every region, offset, flag bit, exit code and limit, for both compilers.
//
// The AssemblyScript compiler and the TypeScript compiler read this same file, so it holds nothing but
// `export const NAME = integer expression;` with + - * << | (asc gives an annotated `: number` the type f64, and
// `/` would be a float on one side only). A fingerprint of it is compared when a core is loaded (host/machine/core.ts).
//
// Conventions. X_BASE + i * X_BYTES is the address of record i; RECORD_FIELD is an offset inside the record; an
// "address" is an offset into the shared memory, and a guest physical address IS such an offset. Words are 32 bit
// unless the comment says u64 or f64 (f64: a user address below 2^38, or nanoseconds). At each field stands who may
// write it: "owner" (the hart it belongs to, plain access), "lock L" (plain access under L), or "shared" (atomic, by
// host/memory/shared.ts only). The picture of the regions is in assembly/README.md.

// ---------------------------------------------------------------- pages, Sv39

export const PAGE_SHIFT = 12;
export const PAGE_BYTES = 4096;
export const PAGE_MASK = 4095;
export const LINE_BYTES = 64; // records that different harts write never share one

export const PTE_V = 1 << 0;
export const PTE_R = 1 << 1;
export const PTE_W = 1 << 2;
export const PTE_X = 1 << 3;
export const PTE_U = 1 << 4;
export const PTE_G = 1 << 5;
export const PTE_A = 1 << 6;
export const PTE_D = 1 << 7;
export const PTE_SOFT0 = 1 << 8; // RSW: for the kernel
export const PTE_SOFT1 = 1 << 9;
export const PTE_PPN_SHIFT = 10;
export const PTE_COUNT = 512; // entries of one table page
export const VPN_BITS = 9; // index bits per level
export const LEVEL_COUNT = 3;

export const USER_VPN_END = 1 << 26; // user addresses end at 2^38 (exclusive): the lower canonical half
export const KERNEL_ROOT_INDEX = 256; // root entries 256..511 are the kernel half, the same in every root
// The idle and kernel-thread stub is mapped (global, supervisor, R-X) at this vpn of the upper canonical half:
// virtual address 0xffffffc000000000 + 0 in full; as a 39-bit vpn it is 2^26.
export const KERNEL_STUB_VPN = 1 << 26;

export const ASID_BITS = 8; // ASIDLEN; an ASID sits in bits 3..10 of a TLB tag, see assembly/mmu/tlb.ts
export const ASID_COUNT = 255; // 0..254; the ASID of all ones is never loaded: TLB_TAG_INVALID owns it
export const ASID_ANY = 65535; // flushRange: every ASID, and global translations too (Linux: FLUSH_TLB_NO_ASID)

// ---------------------------------------------------------------- limits

export const HART_COUNT_MAX = 256;
export const HART_COUNT_THREADED_MAX = 64;
export const CPUMASK_WORDS = 8; // 256 harts / 32
export const CPUMASK_BYTES = 32;
export const TLB_ENTRIES_MAX = 4096;
export const TLB_ENTRIES_DEFAULT = 1024;
export const DECODE_PAGES_MAX = 1024;
export const DECODE_PAGES_DEFAULT = 256;
export const RAM_BYTES_MIN = 1 << 24; // 16 MiB
export const RAM_BYTES_MAX = 3 * (1 << 30);

// ---------------------------------------------------------------- regions, in address order

export const LOW_BASE = 0; // asc's debug strings of the checked core, nothing else
export const LOW_BYTES = 4096;

export const MACHINE_BASE = LOW_BASE + LOW_BYTES;
export const MACHINE_BYTES = 8192;

export const OOPS_BASE = MACHINE_BASE + MACHINE_BYTES; // text of the first oops, see OOPS_*
export const OOPS_BYTES = 1 << 16;

export const CONSOLE_IN_BASE = OOPS_BASE + OOPS_BYTES; // ring, see RING_*
export const CONSOLE_IN_BYTES = 1 << 16;
export const CONSOLE_OUT_BASE = CONSOLE_IN_BASE + CONSOLE_IN_BYTES; // ring of framed records, see RING_*
export const CONSOLE_OUT_BYTES = 1 << 18;

export const POOL_BASE = CONSOLE_OUT_BASE + CONSOLE_OUT_BYTES; // one slot-pool descriptor per object type
export const POOL_REGION_BYTES = 4096;

export const FUTEX_BASE = POOL_BASE + POOL_REGION_BYTES; // hash buckets
export const FUTEX_BUCKET_BYTES = 64;
export const FUTEX_BUCKET_COUNT = 1024;

export const PID_BASE = FUTEX_BASE + FUTEX_BUCKET_BYTES * FUTEX_BUCKET_COUNT; // pid -> task address, one word each
export const PID_COUNT_MAX = 1 << 16;

export const RQ_BASE = PID_BASE + 4 * PID_COUNT_MAX; // one run queue per hart
export const RQ_BYTES = 256;

export const PROCESS_BASE = RQ_BASE + RQ_BYTES * HART_COUNT_MAX; // thread groups (Linux: signal_struct)
export const PROCESS_BYTES = 1024;
export const PROCESS_COUNT_MAX = 1 << 13;

export const SIGHAND_BASE = PROCESS_BASE + PROCESS_BYTES * PROCESS_COUNT_MAX;
export const SIGHAND_BYTES = 2304;
export const SIGHAND_COUNT_MAX = 1 << 13;

export const FILES_BASE = SIGHAND_BASE + SIGHAND_BYTES * SIGHAND_COUNT_MAX; // descriptor tables (files_struct)
export const FILES_BYTES = 8448;
export const FILES_COUNT_MAX = 1 << 13;

export const FILE_BASE = FILES_BASE + FILES_BYTES * FILES_COUNT_MAX; // open files (struct file)
export const FILE_BYTES = 128;
export const FILE_COUNT_MAX = 1 << 16;

export const MM_BASE = FILE_BASE + FILE_BYTES * FILE_COUNT_MAX;
export const MM_BYTES = 1024;
export const MM_COUNT_MAX = 1 << 13;

export const TASK_BASE = MM_BASE + MM_BYTES * MM_COUNT_MAX;
export const TASK_BYTES = 1536;
export const TASK_COUNT_MAX = 1 << 15;

export const VMA_BASE = TASK_BASE + TASK_BYTES * TASK_COUNT_MAX;
export const VMA_BYTES = 192; // three lines: lookup fields, lock, cold fields
export const VMA_COUNT_MAX = 1 << 18;

export const VMA_NODE_BASE = VMA_BASE + VMA_BYTES * VMA_COUNT_MAX; // nodes of the vma maps
export const VMA_NODE_BYTES = 256;
export const VMA_NODE_COUNT_MAX = 1 << 16;

export const PAGE_BASE = VMA_NODE_BASE + VMA_NODE_BYTES * VMA_NODE_COUNT_MAX; // struct page, one per RAM frame
export const PAGE_STRUCT_SHIFT = 6;
export const PAGE_STRUCT_BYTES = 64;
export const PAGE_COUNT_MAX = 3 * (1 << 18);

export const HART_BASE = PAGE_BASE + PAGE_STRUCT_BYTES * PAGE_COUNT_MAX; // hart blocks
export const HART_BYTES = 1 << 18;

// What the core does not know of follows the hart blocks, so that it can grow without a new core.
export const KERNEL_BASE = HART_BASE + HART_BYTES * HART_COUNT_MAX;

export const TTY_BASE = KERNEL_BASE; // the console's terminal, see TTY_*
export const TTY_BYTES = 1 << 14;

export const SIGQUEUE_BASE = TTY_BASE + TTY_BYTES; // queued signals, see SIGQUEUE_*
export const SIGQUEUE_BYTES = 192;
export const SIGQUEUE_COUNT_MAX = 1 << 16;

export const PSIG_BASE = SIGQUEUE_BASE + SIGQUEUE_BYTES * SIGQUEUE_COUNT_MAX; // one per PROCESS record, see PSIG_*
export const PSIG_BYTES = 256;
export const PSIG_PROCESS_SHIFT = 2; // PROCESS_BYTES = PSIG_BYTES << PSIG_PROCESS_SHIFT

export const MAPPING_BASE = PSIG_BASE + PSIG_BYTES * PROCESS_COUNT_MAX; // contents of files, see MAPPING_*
export const MAPPING_BYTES = 128;
export const MAPPING_COUNT_MAX = 1 << 17;

export const TLBI_BASE = MAPPING_BASE + MAPPING_BYTES * MAPPING_COUNT_MAX; // broadcast invalidation: one block per hart, see TLBI_*
export const TLBI_BYTES = 2048;

export const ASID_BASE = TLBI_BASE + TLBI_BYTES * HART_COUNT_MAX; // per-hart ASIDs: a table per hart, see ASID_SLOT_*
export const ASID_TABLE_BYTES = 256;

export const INODE_BASE = ASID_BASE + ASID_TABLE_BYTES * HART_COUNT_MAX; // files of every file system (struct inode)
export const INODE_BYTES = 256;
export const INODE_COUNT_MAX = 1 << 16;

export const DENTRY_BASE = INODE_BASE + INODE_BYTES * INODE_COUNT_MAX; // names of files (struct dentry)
export const DENTRY_BYTES = 128;
export const DENTRY_COUNT_MAX = 3 * (1 << 15);

export const NAME_BASE = DENTRY_BASE + DENTRY_BYTES * DENTRY_COUNT_MAX; // names that do not fit into their dentry
export const NAME_BYTES = 256;
export const NAME_COUNT_MAX = 1 << 13;

export const DCACHE_BASE = NAME_BASE + NAME_BYTES * NAME_COUNT_MAX; // hash chains of dentries, one word each
export const DCACHE_BUCKET_COUNT = 1 << 15;

export const SUPER_BASE = DCACHE_BASE + 4 * DCACHE_BUCKET_COUNT; // mounted file systems (super_block and mount in one)
export const SUPER_BYTES = 128;
export const SUPER_COUNT_MAX = 64;

export const FS_BASE = SUPER_BASE + SUPER_BYTES * SUPER_COUNT_MAX; // fs_struct
export const FS_BYTES = 64;
export const FS_COUNT_MAX = 1 << 13;

export const PIPE_BASE = FS_BASE + FS_BYTES * FS_COUNT_MAX; // pipes and FIFOs (pipe_inode_info)
export const PIPE_BYTES = 1152;
export const PIPE_COUNT_MAX = 1 << 13;

export const FLOCK_BASE = PIPE_BASE + PIPE_BYTES * PIPE_COUNT_MAX; // locks on files, see FLOCK_*
export const FLOCK_BYTES = 64;
export const FLOCK_COUNT_MAX = 1 << 14;

export const EPITEM_BASE = FLOCK_BASE + FLOCK_BYTES * FLOCK_COUNT_MAX; // what epoll instances watch, see EPITEM_*
export const EPITEM_BYTES = 64;
export const EPITEM_COUNT_MAX = 1 << 14;

export const TIMER_BASE = EPITEM_BASE + EPITEM_BYTES * EPITEM_COUNT_MAX; // timers of timer_create(2), see TIMER_*
export const TIMER_BYTES = 128;
export const TIMER_COUNT_MAX = 1 << 14;

export const ANON_VMA_BASE = TIMER_BASE + TIMER_BYTES * TIMER_COUNT_MAX; // fork lineages, see ANON_VMA_*
export const ANON_VMA_BYTES = 64;
export const ANON_VMA_COUNT_MAX = 1 << 13;

export const SWAP_BASE = ANON_VMA_BASE + ANON_VMA_BYTES * ANON_VMA_COUNT_MAX; // slots of the swap store, see SWAP_*
export const SWAP_BYTES = 8;
export const SWAP_COUNT_MAX = 1 << 20; // 4 GiB; slot 0 is never used

export const RUN_BASE = SWAP_BASE + SWAP_BYTES * SWAP_COUNT_MAX; // free frames of each aligned run, see RUN_FREE
export const RUN_BYTES = 4;
export const RUN_COUNT_MAX = 3 * (1 << 9); // PAGE_COUNT_MAX frames in runs of 512

// Pages that reclaim may take: one set of lists per hart, see LRU_LOCK
export const LRU_BASE = RUN_BASE + RUN_BYTES * RUN_COUNT_MAX;
export const LRU_BYTES = 128;

export const UFFD_BASE = LRU_BASE + LRU_BYTES * HART_COUNT_MAX; // userfaultfd_ctx, see UFFD_*
export const UFFD_BYTES = 128;
export const UFFD_COUNT_MAX = 1 << 12;

// Locks of vmas that lie outside them (vma-lock=rwsem-external), see RWSEM_*
export const RWSEM_BASE = UFFD_BASE + UFFD_BYTES * UFFD_COUNT_MAX;
export const RWSEM_BYTES = 64;
export const RWSEM_COUNT_MAX = 1 << 18;

export const SHM_BASE = RWSEM_BASE + RWSEM_BYTES * RWSEM_COUNT_MAX; // System V shared memory: segments, see SHM_*
export const SHM_BYTES = 128;
export const SHM_COUNT_MAX = 1 << 12; // SHMMNI

export const UFFD_EVENT_BASE = SHM_BASE + SHM_BYTES * SHM_COUNT_MAX; // what userfaultfds are to tell, see UFFD_EVENT_*
export const UFFD_EVENT_BYTES = 64;
export const UFFD_EVENT_COUNT_MAX = 1 << 13;

// Locks of page-table entries of level 0, by the entry's address, see mm/table/pte-lock.ts: one word in each
export const PTE_LOCK_BASE = UFFD_EVENT_BASE + UFFD_EVENT_BYTES * UFFD_EVENT_COUNT_MAX;
export const PTE_LOCK_BYTES = 64;
export const PTE_LOCK_COUNT = 1 << 12;
export const PTE_LOCK_ENTRIES = 16; // entries that share a lock: two cache lines of them
export const PTE_LOCK_WORD = 0; // spin lock; nothing else is in its cache line

// What harts do, while it is traced: a ring of events for each hart of a machine that users run, see TRACE_*
export const TRACE_BASE = PTE_LOCK_BASE + PTE_LOCK_BYTES * PTE_LOCK_COUNT;
export const TRACE_RING_BYTES = 4096 + (1 << 20);

// RAM begins above everything of fixed size and ends at MACHINE_RAM_END; the decode pools follow it.
export const RAM_BASE = 1 << 29; // 512 MiB; only what is touched is backed by host memory
export const RAM_PFN_BASE = 1 << 17;

// ---------------------------------------------------------------- MACHINE: one per machine

// line 0: written at boot, constant afterwards
export const MACHINE_MAGIC = 0;
export const MACHINE_HART_COUNT = 4;
export const MACHINE_RAM_END = 8; // address; RAM is [RAM_BASE, RAM_END)
export const MACHINE_TLB_ENTRIES = 12;
export const MACHINE_DECODE_BASE = 16; // address of hart 0's pool; each is DECODE_PAGES * DECODE_PAGE_BYTES
export const MACHINE_DECODE_PAGES = 20;
export const MACHINE_OPTIONS = 24; // OPTION_*
export const MACHINE_SEED_LO = 28;
export const MACHINE_SEED_HI = 32;
export const MACHINE_ZERO_PFN = 36; // the shared zero page
export const MACHINE_INIT_MM = 40; // init_mm: the kernel half alone
export const MACHINE_STUB_PFN = 44;
export const MACHINE_BOOT_REALTIME_NS = 48; // f64: wall clock (ns since 1970) when the monotonic clock read 0
export const MACHINE_BOOT_HRTIME_NS = 56; // f64: the host's monotonic clock at boot
// line 1: the stop word, tested by every wait loop
export const MACHINE_STOP = 64; // shared; STOP_*: the first writer wins (compare-and-swap from STOP_NONE)
export const MACHINE_EXIT_STATUS = 68; // under STOP_EXIT: exit code; under STOP_FATAL_SIGNAL: signal number; under
// STOP_NOT_RUNNABLE: 1 if there is no such file
export const MACHINE_HARTS_RUNNING = 72; // shared: workers that have bound their hart and not yet left
export const MACHINE_STOP_HART = 76; // which hart stopped the machine
export const MACHINE_WORKERS_INSIDE = 80; // shared: workers between taking their hart and the end of the hart loop
// line 2: start
export const MACHINE_BOOTED = 128; // shared: 0 until hart 0 has made init; others wait for it
export const MACHINE_TRACE_EVENTS = 132; // constant after boot: bit n = event n is traced (host/memory/trace.ts)
export const MACHINE_FRAMES_LIST_MAX = 136; // constant after boot: frames that a hart's own list may have
// line 3: the deterministic driver
export const MACHINE_BATON = 192; // shared: id of the hart that may run
export const MACHINE_TRACE_HASH_LO = 196; // baton holder
export const MACHINE_TRACE_HASH_HI = 200;
export const MACHINE_SCHEDULE_STEPS_LO = 204; // baton holder: schedule points so far
export const MACHINE_SCHEDULE_STEPS_HI = 208;
export const MACHINE_VIRTUAL_NS = 216; // f64, baton holder: the deterministic clock
export const MACHINE_RANDOM_STATE = 224; // 16 bytes, lock RANDOM_LOCK: xoshiro128 state for getrandom and layout
export const MACHINE_RANDOM_LOCK = 240;
export const MACHINE_SCHED_QUANTUM = 244; // baton holder: schedule points before the baton goes round
export const MACHINE_SCHED_RANDOM = 248; // baton holder: state of the generator that draws the quanta
// line 4: frames
export const MACHINE_FRAMES_LOCK = 256;
export const MACHINE_FRAMES_HEAD = 260; // lock FRAMES_LOCK: pfn of the first free frame of the global list, 0 = none
export const MACHINE_FRAMES_FREE = 264; // lock FRAMES_LOCK: frames on the global list
export const MACHINE_FRAMES_FRESH = 268; // lock FRAMES_LOCK: first pfn never handed out yet
export const MACHINE_FRAMES_AT_BOOT = 272; // free frames when init was about to be made
export const MACHINE_RUNS_HEAD = 276; // lock FRAMES_LOCK: first frame of the first free run, linked by PAGE_NEXT, 0 = none
export const MACHINE_RUNS_FREE = 280; // lock FRAMES_LOCK: runs on that list
// line 5: RCU
export const MACHINE_RCU_LOCK = 320;
export const MACHINE_RCU_GP_SEQ = 324; // shared: grace periods begun
export const MACHINE_RCU_GP_DONE = 328; // shared: grace periods ended
export const MACHINE_RCU_GP_START_NS = 336; // f64, lock RCU_LOCK
// line 6: tasks
export const MACHINE_TASKLIST_LOCK = 384;
export const MACHINE_PID_NEXT = 388; // lock TASKLIST_LOCK
export const MACHINE_TASK_COUNT = 392; // lock TASKLIST_LOCK: live tasks without idle tasks
export const MACHINE_TASK_COUNT_MAX = 396; // constant after boot: threads-max
export const MACHINE_INIT_TASK = 400; // constant after boot
export const MACHINE_VDSO_MAPPING = 404; // constant after boot: mapping with the vDSO's page
export const MACHINE_VDSO_SIGRETURN = 408; // constant after boot: offset of __vdso_rt_sigreturn in it
export const MACHINE_PROCESS_COUNT = 412; // lock TASKLIST_LOCK: processes that are not zombies
export const MACHINE_INIT_ENDED = 416; // lock TASKLIST_LOCK: 1 once init has ended: all others are killed, none begins
export const MACHINE_INIT_STATUS = 420; // lock TASKLIST_LOCK: its wait status
export const MACHINE_PID_WRAPPED = 424; // lock TASKLIST_LOCK: 1 once numbers are used again
// line 7: the console
export const MACHINE_CONSOLE_LOCK = 448; // guards both rings' kernel ends
export const MACHINE_CONSOLE_COLUMNS = 452; // shared: window size, written by the main thread
export const MACHINE_CONSOLE_ROWS = 456;
export const MACHINE_CONSOLE_FLAGS = 460; // shared: CONSOLE_*
export const MACHINE_CONSOLE_PULSE = 464; // shared: bumped by harts when there is output or a wish for input; main waits on it
export const MACHINE_CONSOLE_WRITERS = 472; // WAITQ: tasks that wait for room in the out ring
export const MACHINE_CONSOLE_READERS = 488; // WAITQ: tasks that wait for input
// line 8..: idle harts
export const MACHINE_IDLE_MASK = 512; // shared, CPUMASK_BYTES: harts that are idle
export const MACHINE_ONLINE_MASK = 576; // shared, CPUMASK_BYTES: harts that take part
// line 16..: memory-management policies
// reclaim and swap
export const MACHINE_SWAP_LOCK = 640; // own line; guards SWAP records and the swap cache
export const MACHINE_SWAP_SLOTS = 644; // constant after boot: slots of the store, 0 = no swap
export const MACHINE_SWAP_FREE = 648; // lock SWAP_LOCK
export const MACHINE_SWAP_NEXT = 652; // lock SWAP_LOCK: where the search for a free slot begins
export const MACHINE_LRU_RESCUE = 656; // shared: 1 after something was unlocked: LRU_UNEVICTABLE is to be looked at
export const MACHINE_OOM_OWNER = 660; // shared: hart + 1 that chooses a victim, 0 = none
export const MACHINE_WATERMARK_MIN = 664; // shared, as the other two: free frames, see host/mm/frame/watermark.ts
export const MACHINE_WATERMARK_LOW = 668;
export const MACHINE_WATERMARK_HIGH = 672;
export const MACHINE_KSWAPD_AWAKE = 676; // written under the lock of KSWAPD_QUEUE; read by all
export const MACHINE_KSWAPD_FAILURES = 680; // shared: how often kswapd has found nothing since somebody last did
export const MACHINE_KSWAPD_QUEUE = 684; // WAITQ of 12 bytes: kswapd while there is enough memory
export const MACHINE_SWAPPINESS = 696; // shared, as the next three: vm.swappiness
export const MACHINE_OVERCOMMIT_MEMORY = 700; // vm.overcommit_memory
export const MACHINE_OVERCOMMIT_RATIO = 704; // vm.overcommit_ratio
export const MACHINE_LOAD_AVERAGES = 712; // 3 f64, written by the watch thread: of 1, 5 and 15 minutes
export const MACHINE_LOAD_SAMPLED_NS = 736; // f64, watch thread: when they were brought up to date last
export const MACHINE_OVERCOMMIT_KBYTES = 708; // vm.overcommit_kbytes, 0: the ratio counts
export const MACHINE_KHUGEPAGED_QUEUE = 768; // WAITQ of 12 bytes: khugepaged while no area wants huge pages
export const MACHINE_KHUGEPAGED_WORK = 780; // shared: 1 after some area has come to want them
export const MACHINE_KHUGEPAGED_MM = 784; // khugepaged only, as the next three: index of the mm that it is at
export const MACHINE_KHUGEPAGED_VPN = 788; // and where in it
export const MACHINE_KHUGEPAGED_LEFT = 792; // leaves that it may still look at before it takes a nap
export const MACHINE_KHUGEPAGED_FOUND = 796; // 1 if some mm wants huge pages, in this round
export const MACHINE_THP_ENABLED = 800; // shared, as the next nine: settings of huge pages, see host/mm/huge/thp.ts
export const MACHINE_THP_DEFRAG = 804;
export const MACHINE_KHUGEPAGED_DEFRAG = 808;
export const MACHINE_KHUGEPAGED_PAGES_TO_SCAN = 812;
export const MACHINE_KHUGEPAGED_SCAN_SLEEP_MS = 816;
export const MACHINE_KHUGEPAGED_ALLOC_SLEEP_MS = 820;
export const MACHINE_KHUGEPAGED_MAX_PTES_NONE = 824;
export const MACHINE_KHUGEPAGED_MAX_PTES_SWAP = 828;
export const MACHINE_KHUGEPAGED_MAX_PTES_SHARED = 832;
export const MACHINE_KHUGEPAGED_FULL_SCANS = 836; // khugepaged: rounds that it has made

export const MACHINE_MUTATION = 1024; // constant after boot: which mistake to make (host/memory/mutation.ts), 0 = none
export const MACHINE_WARNED = 1028; // shared: bit per warning (host/memory/warn.ts) that has been given
export const MACHINE_OFFLINE_WANTED = 1088; // shared, CPUMASK_BYTES: harts that are to leave or have left
export const MACHINE_ASID_LOCK = 1152;
export const MACHINE_ASID_VERSION = 1156; // lock ASID_LOCK; read by all: generation of the global ASIDs << 8
export const MACHINE_ASID_NEXT = 1160; // lock ASID_LOCK: where the search for a free one begins
export const MACHINE_ASID_USED = 1184; // lock ASID_LOCK, 32 bytes: global ASIDs of this generation
export const MACHINE_ASID_PENDING = 1216; // lock ASID_LOCK, CPUMASK_BYTES: harts that must flush all at their next switch

// line 32: file systems
export const MACHINE_FS_LOCK = 2048; // RW_*: the tree of names, see host/fs/README.md
export const MACHINE_ROOT_SUPER = 2052; // constant after boot: the file system at /
export const MACHINE_PIPE_SUPER = 2056; // constant after boot: the file system of pipes and other files without a name
export const MACHINE_SHM_SUPER = 2060; // constant after boot: the tmpfs of memfd and shared memory
export const MACHINE_LOCK_WAITERS = 2064; // WAITQ: tasks that wait for a lock on a file
export const MACHINE_FILE_SERIAL = 2076; // shared: files ever opened
export const MACHINE_SHM_LOCK = 2080; // SHM records
export const MACHINE_DETACHED = 2084; // lock FS_LOCK write: file systems out of sight that go with their last user
export const MACHINE_POLLERS = 2112; // WAITQ, own line: tasks in poll and select

export const MACHINE_MAGIC_VALUE = 0x70677761;

export const OPTION_STRACE = 1 << 0;
export const OPTION_DETERMINISTIC = 1 << 1;
export const OPTION_TRAP_AD = 1 << 2; // A/D updates trap instead of being done by the walker (Svade)
export const OPTION_PWC = 1 << 3; // page-walk cache on
export const OPTION_ARM_FENCE = 1 << 31; // an atomic read-modify-write is no full barrier here: use the imported fence

export const STOP_NONE = 0;
export const STOP_EXIT = 1; // init exited; EXIT_STATUS is its code
export const STOP_FATAL_SIGNAL = 2; // init was killed by a signal
export const STOP_OOPS = 3; // kernel bug: text in the OOPS region
export const STOP_HOST = 4; // the host asked (dispose, Ctrl-C)
export const STOP_TIMEOUT = 5; // --timeout
export const STOP_NOT_RUNNABLE = 6; // the program could not be loaded: one line in the OOPS region
export const STOP_WORKER_DIED = 7;

export const CONSOLE_INPUT_EOF = 1 << 0; // set by the main thread
export const CONSOLE_INPUT_WANTED = 1 << 1; // set by a reader: the main thread starts to read its stdin
export const CONSOLE_OUTPUT_CLOSED = 1 << 2; // the host's stdout is gone: write gives EPIPE
export const CONSOLE_IS_TTY = 1 << 3; // the guest's descriptors are a terminal
export const CONSOLE_STDERR_CLOSED = 1 << 4;
export const CONSOLE_ROOM_WANTED = 1 << 5; // set by a writer that found the ring full: the main thread rings hart 0
export const CONSOLE_TTY_EXTERNAL = 1 << 6; // the host's terminal edits lines and echoes (EXTPROC); constant

// ---------------------------------------------------------------- OOPS: the first report wins

export const OOPS_STATE = 0; // shared: 0 none, 1 being written, 2 complete
export const OOPS_LENGTH = 4; // bytes of UTF-8 text
export const OOPS_TEXT = 64;

// ---------------------------------------------------------------- RING: console bytes
// HEAD is advanced by the consumer, TAIL by the producer; both count bytes for ever and wrap at 2^32.
// The out ring holds records {fd u8, length u8 lo, length u8 hi, bytes}; the in ring holds bare bytes.

export const RING_HEAD = 0; // shared
export const RING_TAIL = 64; // shared
export const RING_DATA = 128;
export const CONSOLE_IN_DATA_BYTES = 1 << 15;
export const CONSOLE_OUT_DATA_BYTES = 1 << 17;
export const CONSOLE_RECORD_HEADER_BYTES = 3;

// ---------------------------------------------------------------- TTY: the terminal behind the console (tty_struct
// and n_tty_data). Everything is under TTY_LOCK unless it says otherwise. Positions count bytes for ever; the byte at
// position p is at TTY_BUFFER + (p & (TTY_BUFFER_BYTES - 1)), and its bit in TTY_DELIMITERS says that a line ends there.

export const TTY_LOCK = 0;
export const TTY_SESSION = 4; // lock TASKLIST_LOCK: session id whose controlling terminal it is, 0 = none
export const TTY_PGRP = 8; // lock TASKLIST_LOCK: foreground process group
export const TTY_COLUMN = 12; // where the cursor is, as far as output tells
export const TTY_LINE_COLUMN = 16; // where it was when the line being edited began
export const TTY_READ_TAIL = 20; // next byte that a reader gets
export const TTY_LINE_START = 24; // canonical mode: end of the finished lines, start of the one being edited
export const TTY_READ_HEAD = 28; // next byte that is typed
export const TTY_LITERAL_NEXT = 32; // 1: VLNEXT was typed
export const TTY_OUTPUT_STOPPED = 36; // shared: 1 after VSTOP
export const TTY_COLUMNS = 40; // window size that the foreground group was told of
export const TTY_ROWS = 44;
export const TTY_ECHO_COUNT = 48; // bytes in TTY_ECHO
export const TTY_PUSHED = 52; // 1: data typed in raw mode is to be read as a line, whatever it ends in
export const TTY_TERMIOS = 64; // struct termios2 (asm-generic/termbits.h): 44 bytes
export const TTY_DELIMITERS = 128; // TTY_BUFFER_BYTES bits
export const TTY_ECHO = 1024; // TTY_ECHO_BYTES: what is to be shown
export const TTY_ECHO_BYTES = 1024;
export const TTY_INPUT = 2048; // TTY_INPUT_BYTES: typed bytes on their way from the ring
export const TTY_INPUT_BYTES = 256;
export const TTY_OUTPUT = 4096; // TTY_OUTPUT_BYTES: processed output on its way to the ring
export const TTY_OUTPUT_BYTES = 4096;
export const TTY_BUFFER = 8192;
export const TTY_BUFFER_BYTES = 4096;

export const TERMIOS_IFLAG = 0; // fields of TTY_TERMIOS
export const TERMIOS_OFLAG = 4;
export const TERMIOS_CFLAG = 8;
export const TERMIOS_LFLAG = 12;
export const TERMIOS_LINE = 16; // u8
export const TERMIOS_CC = 17; // 19 u8
export const TERMIOS_ISPEED = 36;
export const TERMIOS_OSPEED = 40;
export const TERMIOS_BYTES = 36; // struct termios: without the speeds
export const TERMIOS2_BYTES = 44;

// ---------------------------------------------------------------- POOL: object caches of fixed capacity (memory/slab.ts)

export const POOL_BYTES = 64;
export const POOL_LOCK = 0;
export const POOL_FREE = 4; // lock POOL_LOCK: address of the first free slot, 0 = none; linked by SLOT_NEXT
export const POOL_FRESH = 8; // lock POOL_LOCK: number of slots ever handed out
export const POOL_LIVE = 12; // lock POOL_LOCK: slots in use
export const POOL_LIMIT = 16; // constant after boot: capacity in slots
export const POOL_ALLOCS = 20; // lock POOL_LOCK: slots handed out so far, those used again included
export const POOL_REUSES = 24; // lock POOL_LOCK: of these, slots that had been another object
export const POOL_FAILS = 28; // lock POOL_LOCK: there was none to hand out
export const SLOT_NEXT = 0; // offset 0 of every pooled record is its link while it is free

export const POOL_PROCESS = 0;
export const POOL_SIGHAND = 1;
export const POOL_FILES = 2;
export const POOL_FILE = 3;
export const POOL_MM = 4;
export const POOL_TASK = 5;
export const POOL_VMA = 6;
export const POOL_VMA_NODE = 7;
export const POOL_SIGQUEUE = 8;
export const POOL_MAPPING = 9;
export const POOL_INODE = 10;
export const POOL_DENTRY = 11;
export const POOL_NAME = 12;
export const POOL_FS = 13;
export const POOL_PIPE = 14;
export const POOL_FLOCK = 15;
export const POOL_EPITEM = 16;
export const POOL_TIMER = 17;
export const POOL_ANON_VMA = 18;
export const POOL_UFFD = 19;
export const POOL_VMA_LOCK = 20;
export const POOL_UFFD_EVENT = 21;
export const POOL_COUNT = 22;

// ---------------------------------------------------------------- TLBI: what a hart has broadcast, and what has reached it

export const TLBI_SEQ = 0; // shared, release, by the owner: requests that it has posted
export const TLBI_SYNCED = 4; // owner: those that it knows to be done everywhere
export const TLBI_RING = 64; // TLBI_RING_COUNT requests {vpn, pages (0 = all), asid, unused}, by the owner
export const TLBI_RING_COUNT = 8;
export const TLBI_REQUEST_BYTES = 16;
export const TLBI_PENDING = 256; // shared, CPUMASK_BYTES: harts whose requests this one has not seen yet
export const TLBI_ACK = 512; // shared, release: per requesting hart, the last of its requests that is done here

// ASID table: ASID_SLOTS records, one per ASID 1..ASID_SLOTS of the hart; owner
export const ASID_SLOTS = 12;
export const ASID_SLOT_BYTES = 16;
export const ASID_SLOT_MM = 0; // 0 = free
export const ASID_SLOT_MM_GENERATION = 4; // MM_GENERATION then: the record may be another mm's by now
export const ASID_SLOT_TLB_GEN = 8; // tlb_gen up to which the hart has flushed this ASID

// ---------------------------------------------------------------- lock words

export const LOCK_FREE = 0;
export const LOCK_HELD = 1;
export const LOCK_CONTENDED = 2; // held, and somebody is parked on it
// mmap_lock: readers counted in the low bits, or RW_WRITER; RW_WAITERS: somebody is parked on the word.
export const RW_READER = 1;
export const RW_READERS_MASK = (1 << 16) - 1;
export const RW_WRITER = 1 << 16;
export const RW_WRITER_WANTED = 1 << 17; // a writer waits: new readers hold back, so that it is not starved
export const RW_WAITERS = 1 << 18;

// ---------------------------------------------------------------- HART: one block per hart

// context, the same layout as the first CONTEXT_BYTES of a task record
export const HART_X = 0; // 32 u64; x0 stays 0
export const HART_F = 256; // 32 u64, NaN-boxed
export const HART_PC = 512; // u64
export const HART_FCSR = 520; // frm << 5 | fflags
export const CONTEXT_BYTES = 528;

export const HART_PRIV = 528; // PRIV_*
export const HART_CAUSE = 532; // scause of the last trap, CAUSE_*
export const HART_TVAL = 536; // u64, stval of the last trap
export const HART_INSTRET = 544; // u64, instructions retired by this hart, exact after run()
export const HART_SATP_ROOT = 552; // pfn of the root table; 0 = bare
export const HART_SATP_ASID = 556;
export const HART_RESERVATION_PA = 560; // 0 = none
export const HART_RESERVATION_BYTES = 564;
export const HART_RESERVATION_VALUE = 568; // u64
export const HART_TLB_ENTRIES = 576; // entries, a power of two; set at boot
export const HART_DECODE_BASE = 580; // this hart's pool; set at boot
export const HART_DECODE_PAGES = 584;
export const HART_ID = 588;
export const HART_OPTIONS = 592; // copy of MACHINE_OPTIONS for the core
export const HART_RAM_END = 596; // copy of MACHINE_RAM_END
export const HART_TIME_NS = 600; // u64 value of the time CSR's base, in ns; refreshed by the kernel at each run()
export const HART_CORE_SCRATCH = 608; // 32 bytes for the core
export const HART_KERNEL_SCRATCH = 640; // 64 bytes for the kernel's own use of user-copy primitives (owner)

// one line: all that a sender of an IPI needs of the receiver but its mailbox slot
export const HART_DOORBELL = 704; // shared: DOORBELL_*; harts OR bits in, the owner exchanges with 0
export const HART_RUN_STATE = 708; // shared: RUN_* and FLUSH_ON_RESUME; idle harts park on HART_DOORBELL
export const HART_PARK_WORD = 712; // shared: address of the word this hart is parked on, 0 = not parked
export const HART_IPI_PENDING = 720; // shared, CPUMASK_BYTES: sources with a filled mailbox slot
export const HART_RCU = 832; // own line
export const HART_RCU_SEEN = 832; // shared: the last GP_SEQ at which this hart was quiescent
export const HART_RCU_NESTING = 836; // owner
export const HART_RCU_CB_HEAD = 840; // owner: callbacks not yet assigned to a grace period
export const HART_RCU_CB_TAIL = 844;
export const HART_RCU_WAIT_HEAD = 848; // owner: callbacks waiting for grace period WAIT_SEQ
export const HART_RCU_WAIT_TAIL = 852;
export const HART_RCU_WAIT_SEQ = 856;
export const HART_RCU_CB_COUNT = 860;

// MMU state that other harts read
export const HART_LOADED_MM = 896; // shared, own line: mm whose root satp holds
export const HART_IS_LAZY = 900; // shared
export const HART_TEMP_MM_DEPTH = 904; // owner
export const HART_LOADED_GEN = 908; // owner: tlb_gen of LOADED_MM up to which this hart has flushed
export const HART_SWITCHING_MM = 912; // owner: 1 while satp is on its way to LOADED_MM (Linux: LOADED_MM_SWITCHING)

export const HART_CURRENT = 960; // own line; written by the owner, read by others as a hint: current task
export const HART_IDLE_TASK = 964;
export const HART_PREEMPT_DEPTH = 968; // owner
export const HART_IRQ_OFF_DEPTH = 972; // owner
export const HART_IRQ_DEPTH = 976; // owner: >0 inside an IPI handler
export const HART_NMI_DEPTH = 980; // owner
export const HART_NEED_RESCHED = 984; // shared
export const HART_LOCK_COUNT = 988; // owner: spin locks held
export const HART_SLICE_END_NS = 992; // f64, owner
export const HART_FRAMES_LIST = 1000; // shared: free frames, count << 20 | pfn; see host/mm/frame/frames.ts
export const HART_ASID_NEXT = 1088; // owner: next per-hart ASID
export const HART_ASID_ACTIVE = 1092; // shared: MM_ASID_CONTEXT that the hart runs with, 0 after a rollover (asid-global)
export const HART_IPI_SEQ = 1096; // owner: last sequence number sent
export const HART_FUTEX_KEY = 1104; // owner: two records {lo, hi} of the futex call in progress
export const HART_ASID_RESERVED = 1120; // lock ASID_LOCK: the context that it kept at the last rollover

// deterministic driver: what the hart waits for; written by the owner, read by the baton holder
export const HART_SCHED_STATE = 1152; // own line; SCHED_*
export const HART_SCHED_WORD = 1156; // address of the word that a WAITING hart waits for
export const HART_SCHED_EXPECTED = 1160; // it may run once that word differs from this
export const HART_SCHED_DEADLINE_NS = 1168; // f64, virtual time; infinity = none

export const HART_COUNTERS = 1280; // COUNTER_COUNT u64, owner writes, anyone reads
export const HART_COUNTERS_BYTES = 1024;

export const HART_SIGINFO = 2304; // SIGINFO_BYTES, owner: the signal that is about to be sent or was just taken

export const HART_SIGACTION = 2432; // SIGACTION_BYTES, owner: the action of the signal that is being delivered

export const HART_SIGINFO_SAVED = 2496; // SIGINFO_BYTES, owner: HART_SIGINFO while another signal is sent in between

export const HART_COMMITTED = 2624; // owner writes: pages promised to address spaces here, less those given back here

export const HART_MAILBOX = 4096; // HART_COUNT_MAX slots of MAILBOX_BYTES, indexed by the sender
export const MAILBOX_BYTES = 32;
export const HART_PWC = 12288; // page-walk cache
export const HART_PWC_BYTES = 2048; // PWC_ENTRIES of level-1 tables, then PWC_ENTRIES of level-0 tables
export const PWC_ENTRIES = 64; // per level
export const PWC_ENTRY_BYTES = 16;
export const PWC_TAG = 0; // u64: region address | asid << 3, or TLB_TAG_INVALID
export const PWC_PTE = 8; // u32: low half of the pointer entry
export const HART_DECODE_DIRECTORY = 32768; // DECODE_PAGES_MAX records of DECODE_DIRECTORY_BYTES, owner
export const DECODE_DIRECTORY_BYTES = 32;
export const HART_TLB = 65536; // TLB_ENTRIES_MAX * TLB_ENTRY_BYTES, owner
export const HART_BUFFER = 196608; // owner: bounce buffer of system calls, valid until the call returns or waits
export const HART_BUFFER_BYTES = 65536;

export const SCHED_RUNNABLE = 0; // also before the worker has started: it runs when the baton reaches it
export const SCHED_WAITING = 1;
export const SCHED_LEFT = 2;

export const PRIV_USER = 0;
export const PRIV_SUPERVISOR = 1;

export const DOORBELL_IPI = 1 << 0; // a mailbox slot is filled
export const DOORBELL_STOP = 1 << 1; // MACHINE_STOP is set
export const DOORBELL_RESCHED = 1 << 2;
export const DOORBELL_CONSOLE = 1 << 3; // from the main thread to hart 0: console space or input
export const DOORBELL_NMI = 1 << 8; // non-maskable: served at every poll, interrupts off or not
export const DOORBELL_TLBI = 1 << 9; // broadcast invalidations are posted: the hart's own hardware, not an interrupt

export const RUN_USER = 0; // states in the low bits of HART_RUN_STATE
export const RUN_KERNEL = 1;
export const RUN_PARKED = 2;
export const RUN_HOST_IO = 3;
export const RUN_OFFLINE = 4;
export const RUN_STATE_MASK = 7;
export const FLUSH_ON_RESUME = 1 << 3; // only while PARKED or HOST_IO: flush everything before anything else

// MAILBOX slot: one writer (the sender), one reader
export const MAILBOX_SEQ = 0; // shared, release: filled when SEQ != ACK
export const MAILBOX_ACK = 4; // shared, release, by the receiver
export const MAILBOX_OP = 8; // IPI_*
export const MAILBOX_ARG0 = 12;
export const MAILBOX_ARG1 = 16;
export const MAILBOX_ARG2 = 20;
export const MAILBOX_ARG3 = 24;

export const IPI_FLUSH = 1; // arg0 mm, arg1 first vpn, arg2 page count (0 = all), arg3 tlb_gen
export const IPI_FENCE_I = 2; // arg0 mm
export const IPI_BARRIER = 4;
export const IPI_RSEQ = 7; // the task that runs leaves its restartable sequence
export const IPI_UNLAZY = 5; // arg0 mm: stop borrowing it
export const IPI_FLUSH_LAST = 6; // as IPI_FLUSH, and the receiver stops borrowing the mm; really wakes a parked hart

// what run() returns
export const EXIT_BUDGET = 0; // budget used up
export const EXIT_DOORBELL = 1; // HART_DOORBELL was not 0 at a poll
export const EXIT_TRAP = 2; // HART_CAUSE and HART_TVAL say why; HART_PC is the instruction that trapped

// scause values (privileged manual, table "Supervisor cause register values after trap")
export const CAUSE_FETCH_MISALIGNED = 0;
export const CAUSE_FETCH_ACCESS = 1;
export const CAUSE_ILLEGAL = 2;
export const CAUSE_BREAKPOINT = 3;
export const CAUSE_LOAD_MISALIGNED = 4;
export const CAUSE_LOAD_ACCESS = 5;
export const CAUSE_STORE_MISALIGNED = 6;
export const CAUSE_STORE_ACCESS = 7;
export const CAUSE_ECALL_U = 8;
export const CAUSE_ECALL_S = 9;
export const CAUSE_FETCH_PAGE_FAULT = 12;
export const CAUSE_LOAD_PAGE_FAULT = 13;
export const CAUSE_STORE_PAGE_FAULT = 15;

export const FAULT = 0; // what the core's address functions return after a trap: no guest page lies at address 0

export const ACCESS_LOAD = 0;
export const ACCESS_STORE = 1;
export const ACCESS_FETCH = 2;

// TLB entry: three tags, then where the page is. Tag = page address | privilege bit | asid << 3, or TLB_TAG_INVALID.
export const TLB_ENTRY_BYTES = 32;
export const TLB_ENTRY_SHIFT = 5;
export const TLB_READ = 0; // u64
export const TLB_WRITE = 8; // u64; stays invalid while this hart has decoded the page
export const TLB_EXECUTE = 16; // u64
export const TLB_ADDEND = 24; // u32: pa - (u32) va of the page
export const TLB_META = 28; // u32: PTE flag bits | level << 16; TLB_META_INVALID in an empty entry
export const TLB_META_LEVEL_SHIFT = 16;
export const TLB_META_INVALID = -1;
export const TLB_TAG_ASID_SHIFT = 3;
export const TLB_TAG_ASID_MASK = 255; // after the shift
export const TLB_TAG_SUPERVISOR = 1 << 11; // filled with PRIV_SUPERVISOR: the other privilege never hits it
export const TLB_TAG_INVALID = -1; // as u64; equals no access, aligned or not, because its ASID is never loaded

// decode cache: one record of 8 bytes per halfword, see assembly/decode.ts
export const DECODE_RECORD_BYTES = 8;
export const RECORD_OP = 0; // u8, assembly/generated/operations.ts; 0 = not decoded yet
export const RECORD_RD = 1; // u8, register number * 8
export const RECORD_RS1 = 2; // u8
export const RECORD_RS2 = 3; // u8
export const RECORD_IMM = 4; // i32
export const RECORD_LINK = 6; // u16 of jalr: page offset of the next instruction; jal has it in RS1 and RS2
export const RECORD_SLOW = 7; // u8 of operations from SLOW_OPERATION_FIRST on: how far they lie behind it
export const SLOW_OPERATION_FIRST = 256;
// decode directory: one record per decoded page, in sets of DECODE_WAYS, the one used last first
export const DECODE_WAYS = 4; // DECODE_PAGES is a multiple of it and a power of two
export const DECODE_PFN = 0; // 0 = slot is empty
export const DECODE_GENERATION = 4; // PAGE_CODE_GENERATION of the frame when it was decoded
export const DECODE_FENCE = 8; // the hart's count of fence.i when the page was last made true
export const DECODE_RECORDS = 12; // address of the page's records in the pool
export const DECODE_PAGE_BYTES = 17408; // 2048 records, the sentinel, and room to keep pages off one cache set

// ---------------------------------------------------------------- counters (u64 each, at HART_COUNTERS)

export const COUNTER_TLB_MISS = 0; // written by the core: 0..15
export const COUNTER_PTW = 8;
export const COUNTER_PTW_STEPS = 16;
export const COUNTER_PWC_HIT = 24;
export const COUNTER_TLB_FLUSH_ALL = 32; // nr_tlb_local_flush_all
export const COUNTER_TLB_FLUSH_ONE = 40; // nr_tlb_local_flush_one
export const COUNTER_DECODE_MISS = 48;
export const COUNTER_DECODE_INVALIDATE = 56;
export const COUNTER_AD_UPDATE = 64;
export const COUNTER_SLOW_ACCESS = 72; // misaligned, page-crossing, or to a decoded page
export const COUNTER_PGFAULT = 128; // written by the kernel from here on
export const COUNTER_SYSCALL = 136;
export const COUNTER_CONTEXT_SWITCH = 144;
export const COUNTER_IPI_SENT = 152;
export const COUNTER_IPI_RECEIVED = 160;
export const COUNTER_TLB_REMOTE_FLUSH = 168; // nr_tlb_remote_flush
export const COUNTER_TLB_REMOTE_FLUSH_RECEIVED = 176; // nr_tlb_remote_flush_received
export const COUNTER_FLUSH_DEFERRED = 184; // FLUSH_ON_RESUME set instead of an IPI
export const COUNTER_GATHER_BATCHES = 192; // mmu_gather_batches
export const COUNTER_LAZY_ENTER = 200;
export const COUNTER_LAZY_EXIT_SAME = 208;
export const COUNTER_LAZY_EXIT_SWITCH = 216;
export const COUNTER_MM_COUNT_ATOMICS = 224;
export const COUNTER_MMAP_LOCK_READ = 232;
export const COUNTER_MMAP_LOCK_WRITE = 240;
export const COUNTER_LOCK_WAIT = 248; // contended acquisitions
export const COUNTER_PARK = 256;
export const COUNTER_RCU_GP = 264;
export const COUNTER_RCU_CALLBACKS = 272;
export const COUNTER_ZERO_PAGE_FAULT = 280;
export const COUNTER_COW_FAULT = 288;
export const COUNTER_SPURIOUS_FAULT = 296;
export const COUNTER_PAGE_TABLE_ALLOC = 304;
export const COUNTER_PAGE_TABLE_FREE = 312;
export const COUNTER_TASK_MIGRATE = 320;
export const COUNTER_TIMER_EXPIRED = 328;
export const COUNTER_BUDGET_EXIT = 336;
export const COUNTER_FRAME_ALLOC = 344;
export const COUNTER_FRAME_FREE = 352;
export const COUNTER_FUTEX_WAIT = 360;
export const COUNTER_FUTEX_WAKE = 368;
export const COUNTER_ASID_ROLLOVER = 376;
export const COUNTER_MM_COUNT_BOUNCES = 512; // policies A and B from here on; names as in host/observe/counters.ts
export const COUNTER_SHOOT_LAZIES_SENT = 520;
export const COUNTER_SHOOT_LAZIES_USEFUL = 528;
export const COUNTER_HAZARD_SCAN = 536;
export const COUNTER_HAZARD_HITS = 544;
export const COUNTER_DROP_MM_STOLEN = 552;
export const COUNTER_UNLAZY_IN_FLUSH = 560;
export const COUNTER_PSWPIN = 672; // reclaim and swap; Linux's names in host/observe/counters.ts
export const COUNTER_PSWPOUT = 680;
export const COUNTER_PGMAJFAULT = 688;
export const COUNTER_PGSCAN_KSWAPD = 696;
export const COUNTER_PGSTEAL_ANON = 704;
export const COUNTER_PGSTEAL_FILE = 712;
export const COUNTER_PGACTIVATE = 720;
export const COUNTER_ALLOCSTALL = 728;
export const COUNTER_OOM_KILL = 736;
export const COUNTER_PGSCAN_DIRECT = 744;
export const COUNTER_PGSTEAL_KSWAPD = 752;
export const COUNTER_PGSTEAL_DIRECT = 760;
export const COUNTER_PGDEACTIVATE = 768;
export const COUNTER_PGREFILL = 776;
export const COUNTER_PGLAZYFREE = 784;
export const COUNTER_PGLAZYFREED = 792;
export const COUNTER_PAGEOUTRUN = 800;
export const COUNTER_THP_FAULT_ALLOC = 960; // huge pages; Linux's names in host/observe/counters.ts
export const COUNTER_THP_FAULT_FALLBACK = 968;
export const COUNTER_THP_COLLAPSE_ALLOC = 976;
export const COUNTER_THP_COLLAPSE_ALLOC_FAILED = 984;
export const COUNTER_THP_SPLIT_PMD = 992;
export const COUNTER_MMPUT_LAST = 568;
export const COUNTER_MMDROP_LAST = 576;
export const COUNTER_TEMP_MM_ENTER = 584;
export const COUNTER_NMI_ACTIVE_MM = 592;
export const COUNTER_LOADED_DIVERGES = 600;
export const COUNTER_IPI_WAIT = 608;
export const COUNTER_IPI_USELESS = 616;
export const COUNTER_TLBI_BROADCAST = 624;
export const COUNTER_TLBSYNC_WAIT = 632;
export const COUNTER_FLUSH_RANGE_PAGES = 640;
export const COUNTER_TLB_GEN_SKIPS = 648;
export const COUNTER_LAZY_SKIPPED = 656;
export const COUNTER_VMA_LOCK_SUCCESS = 832; // policies D from here on
export const COUNTER_VMA_LOCK_ABORT = 840;
export const COUNTER_VMA_LOCK_RETRY = 848;
export const COUNTER_VMA_LOCK_MISS = 856;
export const COUNTER_VM_REFCNT_RMW = 864;
export const COUNTER_VMA_LINE_BOUNCES = 872;
export const COUNTER_VMA_WRITER_WAITS = 880;
export const COUNTER_VMA_SPURIOUS_WAKEUPS = 888;
export const COUNTER_CALL_RCU_VMA = 896;
export const COUNTER_VMA_REUSE_IN_GP = 904;
export const COUNTER_VMA_READER_LIMIT = 912;
export const COUNTER_MMAP_LOCK_WAIT = 920;

// ---------------------------------------------------------------- TRACE: a ring like RING_*, of records

export const TRACE_LOST = 68; // owner: records for which there was no room; in the line of RING_TAIL
export const TRACE_DATA_BYTES = 1 << 20; // from RING_DATA on
export const TRACE_BYTES = 64; // one record
export const TRACE_TIME = 0; // f64, ns of the machine's clock
export const TRACE_KIND = 8; // event | value << TRACE_VALUE_SHIFT, which is the number of a system call
export const TRACE_VALUE_SHIFT = 8;
export const TRACE_TASK = 12; // tid | TRACE_IRQS_OFF... | locks held << TRACE_LOCKS_SHIFT
export const TRACE_PID_MASK = (1 << 22) - 1;
export const TRACE_IRQS_OFF = 1 << 22;
export const TRACE_NEED_RESCHED = 1 << 23;
export const TRACE_HARDIRQ = 1 << 24;
export const TRACE_LOCKS_SHIFT = 25;
export const TRACE_ARGS = 16; // 12 words, what they are depends on the event

// ---------------------------------------------------------------- PAGE: struct page

export const PAGE_FLAGS = 0; // shared: PG_*
export const PAGE_REFCOUNT = 4; // shared
export const PAGE_MAPCOUNT = 8; // shared
export const PAGE_CODE_GENERATION = 12; // shared: bumped when the frame is freed or mapped executable
export const PAGE_NEXT = 16; // free list (owner or FRAMES_LOCK); list of PAGE_LRU (LRU_LOCK)
export const PAGE_PREV = 20;
export const PAGE_PTL = 24; // spin lock of a page table above level 0 (split ptl)
export const PAGE_PT_ENTRIES = 28; // lock PTL: entries of a page table above level 0 that are not 0
export const PAGE_PT_MM = 32; // mm of a page-table page
export const PAGE_PT_VPN = 36; // first vpn that a page-table page translates
export const PAGE_NODE_ENTRIES = 28; // lock MAPPING_LOCK: entries of a node of a mapping's tree that are not 0
export const PAGE_MAPPING = 40; // of a cache page: its mapping; written under MAPPING_LOCK, 0 once it has left it
export const PAGE_RCU_HEAD = 40; // of a page-table page whose free waits for a grace period
export const PAGE_INDEX = 44; // offset in the mapping, or in the numbering of private pages (VMA_PGOFF); constant in use
export const PAGE_PRIVATE = 48; // lock SWAP_LOCK: slot of a page in the swap cache
export const PAGE_PT_DEPOSIT = 52; // lock PTL, of a table of level 1: tables kept for the split of its leaves, by PAGE_NEXT
export const PAGE_LRU = 56; // LRU_LOCK of the set: hart + 1 whose set it is on << 3 | list; 0 = on none
export const PAGE_GENERATION = 60; // bumped at each free, for the checkers

export const PG_FREE = 1 << 0;
export const PG_TABLE = 1 << 1;
export const PG_ANON = 1 << 2;
export const PG_RESERVED = 1 << 3; // never freed: zero page, stub, kernel tables
export const PG_LOCKED = 1 << 4; // page lock: somebody fills, removes or writes out the page
export const PG_WAITERS = 1 << 5; // somebody waits for the page lock
export const PG_UPTODATE = 1 << 6; // the bytes are those of the file
export const PG_DIRTY = 1 << 7; // the only copy of its bytes
export const PG_CACHE = 1 << 8; // page of a mapping, or was one
export const PG_SWAPBACKED = 1 << 9; // no file of the host has its bytes
export const PG_REFERENCED = 1 << 10; // read or written by a system call since reclaim last looked
export const PG_SWAPCACHE = 1 << 12; // lock SWAP_LOCK: slot PAGE_PRIVATE of the swap store leads to the frame
export const PG_LAZYFREE = 1 << 13; // MADV_FREE: it may be forgotten, unless an entry of it is dirty again
export const PG_SHMEM = 1 << 14; // of a mapping whose only store is memory, also once it has left that
export const PG_NODE = 1 << 11; // node of a mapping's tree

// ---------------------------------------------------------------- RUN: 512 frames that can be one leaf of 2 MiB

export const RUN_FREE = 0; // lock FRAMES_LOCK: how many of its frames the global list has, while that is regrouped
export const RUN_FRAMES = 512;

export const RCU_HEAD_BYTES = 8;
export const RCU_HEAD_NEXT = 0;
export const RCU_HEAD_KIND = 4; // RCU_* callback; 0 = not queued (double queue is a bug)

export const RCU_FREE_TABLE = 1;
export const RCU_FREE_POOL = 2; // + POOL_*: an object of that cache

// ---------------------------------------------------------------- MM: struct mm_struct

export const MM_NEXT = 0; // SLOT_NEXT
export const MM_GENERATION = 4; // bumped at each free
export const MM_USERS = 64; // shared, own line
export const MM_COUNT = 128; // shared, own line: mm_count
export const MM_COUNT_LAST = 132; // shared, a hint: hart + 1 that changed MM_COUNT last
export const MM_CPUMASK = 192; // shared, CPUMASK_BYTES, own line
export const MM_ASID = 260; // constant after create
export const MM_FLAGS = 268;
export const MM_ASID_CONTEXT = 272; // shared: generation << 8 | global ASID, 0 = none yet
export const MM_MEMBARRIER = 276; // shared: MEMBARRIER_* that the process registered for
export const MM_BATCH_PENDING = 280; // shared: 1 while entries were cleared whose flush is put off (reclaim-batch)
export const MM_OOM_REAPED = 288; // shared: 1 once the OOM killer has begun to take its private pages (MMF_UNSTABLE)
// one line: whoever unmaps holds the lock, and has all the rest at hand
export const MM_LOCK = 320; // shared: mmap_lock, RW_*
export const MM_LOCK_SEQ = 324; // shared: odd while write-locked
export const MM_LOCK_OWNER = 328; // hart + 1 that holds it for write, for the oops
export const MM_VMA_WRITER_WAIT = 332; // shared: wake-ups of a writer that waits for readers of a vma (vma_writer_wait)
export const MM_TLB_GEN = 336; // shared: counts the changes that translations must follow
export const MM_MAP_COUNT = 340; // lock MM_LOCK write
export const MM_TOTAL_VM = 344; // pages, lock MM_LOCK write
export const MM_TOTAL_VM_HIGH = 348; // lock MM_LOCK write
export const MM_DATA_VM = 352; // pages, lock MM_LOCK write
export const MM_STACK_VM = 356;
export const MM_LOCKED_VM = 360;
// read by every fault
export const MM_VMA_ROOT = 384; // shared (release): root node of the vma map, 0 = empty
export const MM_BRK_START = 400; // f64, lock MM_LOCK write
export const MM_BRK = 408; // f64, lock MM_LOCK write
export const MM_MMAP_BASE = 416; // f64: top of the mmap area, constant after exec
export const MM_STACK_TOP = 424; // f64
export const MM_ARG_START = 448; // f64
export const MM_ARG_END = 456; // f64
export const MM_ENV_START = 464; // f64
export const MM_ENV_END = 472; // f64
export const MM_ENTRY = 480; // f64
export const MM_VDSO = 488; // f64, constant after exec: where the vDSO is mapped
export const MM_RSS = 512; // shared, own line: resident pages
export const MM_PT_PAGES = 516; // shared: page-table pages
export const MM_RSS_HIGH = 520;
export const MM_SWAP = 528; // shared: entries that hold a slot of the swap store
export const MM_RSS_FILE = 536; // shared: of MM_RSS, pages of host files
export const MM_RSS_SHMEM = 540; // shared: and pages of shared memory and of files in memory
export const MM_HUGE_LEAVES = 532; // shared: entries that map 2 MiB, each with a table kept for its split
// own line: what every fault reads and nobody writes
export const MM_START_CODE = 560; // f64, constant after exec, like the next
export const MM_END_CODE = 568; // f64
export const MM_ROOT_PFN = 576; // constant after create
export const MM_ANON_VMA = 580; // constant once the mm is known: shared by all mms that fork without exec made of one
export const MM_KHUGEPAGED = 556; // shared: 1 once an area of it has wanted huge pages

// ---------------------------------------------------------------- VMA: struct vm_area_struct

export const VMA_NEXT = 0; // SLOT_NEXT
export const VMA_START = 4; // vpn, written under MM_LOCK write, read under MM_LOCK or RCU
export const VMA_END = 8; // vpn, exclusive
export const VMA_MM = 12;
export const VMA_FLAGS = 16; // VM_*
export const VMA_PGOFF = 20; // pages
export const VMA_FILE = 24; // struct file behind the mapping, 0 = none; constant
export const VMA_GENERATION = 28; // bumped at each free
export const VMA_RCU_HEAD = 32;
export const VMA_MAPPING = 40; // whose pages it maps, 0 = private anonymous; constant
export const VMA_UFFD = 44; // UFFD record that it is registered with, 0 = none; as VMA_FLAGS, whose VM_UFFD_* say for what
export const VMA_EXTERNAL_LOCK = 48; // its RWSEM record (vma-lock=rwsem-external), else 0; constant while it lives
// the lock's line; which words are in use depends on the vma-lock policy
export const VMA_LOCK_SEQ = 64; // shared: MM_LOCK_SEQ of the writer that has locked it; while they are equal, it is
export const VMA_REFCNT = 68; // shared: vm_refcnt, 0 = detached; see host/policy/vma-lock/refcount.ts
export const VMA_RWSEM = 72; // shared, RW_* (vma-lock=rwsem)
export const VMA_DETACHED = 76; // 1 = in no map; written under its write lock
export const VMA_LOCK_LAST = 80; // shared, a hint: hart + 1 that changed VMA_REFCNT last
export const VMA_FREED_GP = 84; // whoever frees or allocates it: the grace period that its free would have waited for
// cold line: its places in the two reverse maps, four words each (RMAP_*), under the lock of the tree
export const VMA_RMAP_FILE = 128; // in the tree of its mapping
export const VMA_RMAP_ANON = 144; // in the tree of its mm's anon_vma

export const VM_READ = 1 << 0;
export const VM_WRITE = 1 << 1;
export const VM_EXEC = 1 << 2;
export const VM_SHARED = 1 << 3;
export const VM_MAYREAD = 1 << 4;
export const VM_MAYWRITE = 1 << 5;
export const VM_MAYEXEC = 1 << 6;
export const VM_MAYSHARE = 1 << 7;
export const VM_GROWSDOWN = 1 << 8;
export const VM_UFFD_MISSING = 1 << 9; // userfaultfd hears of faults on pages that are not there
export const VM_UFFD_MINOR = 1 << 10; // of shared pages that are there and not mapped here yet
export const VM_UFFD_WP = 1 << 12; // and of stores to pages that it has write-protected
export const VM_LOCKED = 1 << 13;
export const VM_DONTCOPY = 1 << 17;
export const VM_DONTEXPAND = 1 << 18;
export const VM_LOCKONFAULT = 1 << 19; // with VM_LOCKED: what is not there need not be brought in
export const VM_NORESERVE = 1 << 21;
export const VM_STACK = 1 << 22;
export const VM_WIPEONFORK = 1 << 25;
export const VM_SEALED = 1 << 26; // mseal
export const VM_HUGEPAGE = 1 << 29; // MADV_HUGEPAGE
export const VM_NOHUGEPAGE = 1 << 30; // MADV_NOHUGEPAGE

// ---------------------------------------------------------------- RWSEM: lock of a vma outside it

export const RWSEM_NEXT = 0; // SLOT_NEXT
export const RWSEM_WORD = 4; // shared, RW_*

// ---------------------------------------------------------------- VMA_NODE: copy-on-write B+-tree, see
// host/mm/vma/vma-map.ts

export const VMA_NODE_NEXT = 0; // SLOT_NEXT
export const VMA_NODE_RCU_HEAD = 0; // NEXT is dead once the node is in use
// constant from publication to the grace period after removal, but for single words: host/mm/vma/vma-map-in-place.ts
export const VMA_NODE_LEVEL = 8; // 0 = leaf
export const VMA_NODE_COUNT = 12; // entries in use
export const VMA_NODE_CAPACITY = 15;
export const VMA_NODE_END = 16; // per entry: vpn, exclusive end of the vma (leaf) or of the last one below; the key
export const VMA_NODE_START = 76; // per entry: vpn where the vma, or the first one below, starts
export const VMA_NODE_GAP = 136; // per entry: no fewer pages than the largest hole between vmas below it; 0 in a leaf
export const VMA_NODE_CHILD = 196; // per entry: vma (leaf; 0 = a hole) or node

// ---------------------------------------------------------------- MAPPING: struct address_space, see host/mm/mapping/

export const MAPPING_NEXT = 0; // SLOT_NEXT
export const MAPPING_REFCOUNT = 4; // shared
export const MAPPING_KIND = 8; // MAPPING_SHMEM or MAPPING_HOST_FILE, constant
export const MAPPING_HOST = 12; // inode whose contents these are, 0 = none; constant once it can be found
export const MAPPING_FLAGS = 16; // shared: F_SEAL_* in the low bits, MAPPING_UNEVICTABLE
export const MAPPING_LOCK = 20; // guards the tree, LENGTH, HOST_LENGTH and PAGES
export const MAPPING_ROOT = 24; // frame of the tree's root node, 0 = no pages
export const MAPPING_HEIGHT = 28; // levels of the tree
export const MAPPING_PAGES = 32; // pages in the tree (nrpages)
export const MAPPING_LENGTH = 40; // f64, bytes: accesses from there on are beyond the end
export const MAPPING_HOST_LENGTH = 48; // f64, bytes that are the host's if they are not in the tree; only shrinks

export const MAPPING_COMMITTED = 56; // pages that were promised for it (HART_COMMITTED); constant once it can be found

export const MAPPING_MMAP_LOCK = 64; // i_mmap_lock (RW_*), own line
export const MAPPING_MMAP_ROOT = 68; // lock MMAP_LOCK: tree of the vmas that map it
export const MAPPING_MMAP_SEQ = 72; // lock MMAP_LOCK: insertions so far

export const MAPPING_SHMEM = 1; // memory is its only store
export const MAPPING_HOST_FILE = 2; // a page that is not there is read from the host

export const MAPPING_UNEVICTABLE = 1 << 16; // its pages are never reclaimed
export const MAPPING_KERNEL = 1 << 17; // the kernel's own, promised to nobody: constant

// ---------------------------------------------------------------- ANON_VMA: what the mms of a fork lineage share, see
// host/mm/rmap/anon-vma.ts

export const ANON_VMA_NEXT = 0; // SLOT_NEXT
export const ANON_VMA_REFCOUNT = 4; // shared: mms
export const ANON_VMA_LOCK = 8; // RW_*; never reset: a reader may hold it while the record changes hands
export const ANON_VMA_ROOT = 12; // lock LOCK: tree of the vmas with private pages
export const ANON_VMA_SEQ = 16; // lock LOCK: insertions so far

// ---------------------------------------------------------------- SWAP: a slot of the swap store, see host/mm/reclaim/swap-map.ts

export const SWAP_COUNT = 0; // lock SWAP_LOCK: page-table entries and tree entries that hold it
export const SWAP_PFN = 4; // lock SWAP_LOCK: the swap cache: frame with the same bytes, 0 = none; counted by it

// ---------------------------------------------------------------- LRU: a hart's lists of pages, see host/mm/reclaim/lru.ts

export const LRU_LOCK = 0;
export const LRU_LISTS = 16; // lock LRU_LOCK: inactive and active of memory alone, the same of files, unevictable
export const LRU_LIST_BYTES = 12;
export const LRU_HEAD = 0; // pfn of the youngest, 0 = none; linked by PAGE_NEXT and PAGE_PREV
export const LRU_TAIL = 4; // of the oldest
export const LRU_COUNT = 8;
export const LRU_FILE = 2; // list numbers: this bit for pages of files
export const LRU_UNEVICTABLE = 4;

// ---------------------------------------------------------------- UFFD: struct userfaultfd_ctx

export const UFFD_NEXT = 0; // SLOT_NEXT
export const UFFD_MM = 4; // whose faults it hears of, pinned (mm_count); constant
export const UFFD_FEATURES = 8; // shared: UFFD_FEATURE_* that UFFDIO_API switched on, and UFFD_INITIALIZED (1 << 31)
export const UFFD_FLAGS = 12; // flags of userfaultfd(2); constant
export const UFFD_READERS = 16; // WAITQ: tasks in read
export const UFFD_PENDING = 32; // WAITQ: tasks whose faults nobody has read yet; its lock guards FAULTS too
export const UFFD_FAULTS = 48; // WAITQ: tasks whose faults have been read
export const UFFD_WAITERS = 64; // WAITQ: tasks whose events have not been read
export const UFFD_EVENT_HEAD = 80; // lock of PENDING, like the next two: events that nobody has read yet
export const UFFD_EVENT_TAIL = 84; // means nothing if HEAD is 0
export const UFFD_POSTED = 88; // events so far, over all lives of the record
export const UFFD_READ = 92; // lock of WAITERS: how many of them have been read, or never will be

// ---------------------------------------------------------------- UFFD_EVENT, see host/kernel/memory/userfaultfd-events.ts

export const UFFD_EVENT_NEXT = 0; // lock of PENDING: in the list of its UFFD; and SLOT_NEXT
export const UFFD_EVENT_KIND = 4; // UFFD_EVENT_* of Linux; it and all that follows are constant once it is posted
export const UFFD_EVENT_CONTEXT = 8; // UFFD that will tell it
export const UFFD_EVENT_CHILD = 12; // fork: UFFD of the copy, whose descriptor its reader gets; 0 = none
export const UFFD_EVENT_ARGS = 16; // three f64: addresses and lengths

// ---------------------------------------------------------------- SHM: struct shmid_kernel, all under MACHINE_SHM_LOCK

export const SHM_FILE = 0; // 0 = record is free; counted by each vma, and until IPC_RMID by the segment itself
export const SHM_SEQ = 4; // lives of the record so far; the upper bits of the identifier
export const SHM_KEY = 8;
export const SHM_UID = 12;
export const SHM_GID = 16;
export const SHM_CUID = 20;
export const SHM_CGID = 24;
export const SHM_MODE = 28; // permissions, SHM_DEST, SHM_LOCKED (host/kernel/memory/shm.ts)
export const SHM_CPID = 32;
export const SHM_LPID = 36;
export const SHM_SEGSZ = 40; // f64, bytes
export const SHM_ATIME = 48; // f64, seconds since 1970, like the following
export const SHM_DTIME = 56;
export const SHM_CTIME = 64;

// RMAP: node of an interval tree of vmas by page offset, see host/mm/rmap/interval-tree.ts
export const RMAP_LEFT = 0;
export const RMAP_RIGHT = 4;
export const RMAP_LAST = 8; // highest page offset of any vma below and of its own
export const RMAP_SEQ = 12; // number of the insertion, from 1; 0 = in no tree

// ---------------------------------------------------------------- TASK: struct task_struct

export const TASK_X = 0; // context: CONTEXT_BYTES, valid while the task is on no hart
export const TASK_F = 256;
export const TASK_PC = 512;
export const TASK_FCSR = 520;
export const TASK_STATE = 576; // shared, own line: TASK_RUNNING...
export const TASK_ON_HART = 580; // shared: hart + 1 whose registers hold the context, 0 = none
export const TASK_HART = 584; // lock of that hart's rq: the run queue it is on or was on last
export const TASK_ON_RQ = 588; // lock rq
export const TASK_RQ_NEXT = 592; // lock rq
export const TASK_RQ_PREV = 596;
export const TASK_FLAGS = 600; // owner (the task itself): PF_*
export const TASK_SIGNAL_PENDING = 604; // shared: TIF_SIGPENDING
export const TASK_PID = 640; // tid; constant
export const TASK_PROCESS = 644; // thread group; constant
export const TASK_MM = 648; // 0 for kernel threads
export const TASK_ACTIVE_MM = 652; // hart that runs it
export const TASK_FILES = 656;
export const TASK_SIGHAND = 660;
export const TASK_THREAD_NEXT = 664; // lock TASKLIST_LOCK: list of the thread group
export const TASK_THREAD_PREV = 668;
export const TASK_EXIT_CODE = 672; // wait status word
export const TASK_FS = 676; // fs_struct; 0 for kernel threads
export const TASK_CLEAR_CHILD_TID = 680; // f64, owner
export const TASK_ROBUST_LIST = 688; // f64, owner
export const TASK_SIGMASK_LO = 696; // written by the owner under SIGHAND_LOCK
export const TASK_SIGMASK_HI = 700;
export const TASK_PENDING_LO = 704; // lock SIGHAND_LOCK
export const TASK_PENDING_HI = 708;
export const TASK_CPUS_ALLOWED = 712; // CPUMASK_BYTES, lock rq
export const TASK_COMM = 744; // 16 bytes
export const TASK_NICE = 760;
export const TASK_STEP = 764; // kernel thread: KTHREAD_* step function
export const TASK_STEP_ARG = 768;
export const TASK_NVCSW = 772; // owner, like the next: switches to another task because it had to wait, u32
export const TASK_NIVCSW = 852; // and because it was the other's turn, u32
export const TASK_RUNTIME_NS = 776; // f64, owner
export const TASK_MIN_FLT = 784; // owner: page faults resolved without the host, u32
export const TASK_MAJ_FLT = 788; // owner: those that waited for the host, u32
export const TASK_POLICY = 856; // lock TASKLIST_LOCK: SCHED_OTHER, BATCH or IDLE, which are scheduled alike
export const TASK_RCU_HEAD = 792;
export const TASK_SYSCALL = 808; // owner: number of the call in progress, -1 = none
export const TASK_FAULT_ADDRESS = 816; // f64, owner: for the line that says why it was killed
export const TASK_ROBUST_LIST_BYTES = 824;
export const TASK_ALTSTACK_SP = 832; // f64, owner: sigaltstack
export const TASK_ALTSTACK_BYTES = 840; // f64, owner
export const TASK_ALTSTACK_FLAGS = 848; // owner
// task-wait: what the task waits for, and how its call goes on
export const TASK_WAIT_QUEUE = 896; // own line; lock of the queue: the WAITQ it is on, 0 = on none
export const TASK_WAIT_NEXT = 900;
export const TASK_WAIT_PREV = 904;
export const TASK_WAIT_KEY_LO = 908; // meaning belongs to the queue (futex: key)
export const TASK_WAIT_KEY_HI = 912;
export const TASK_WAIT_BITSET = 916;
export const TASK_WAIT_RESULT = 920; // lock of the queue: WAIT_PENDING until a waker took it off
export const TASK_TIMER = 960; // KTIMER_BYTES: its deadline
export const TASK_TIMER_HART = 968; // hart + 1 whose timer list it is on, 0 = none
export const TASK_RESTART = 1024; // 64 bytes, owner: restart block, 8 f64 whose meaning belongs to the call
export const TASK_RESTART_BYTES = 64;
export const TASK_RESTART_CALL = 1088; // owner: call that owns the restart block, 0 = none
export const TASK_RESTART_FILE = 1092; // owner: file that the call keeps while it waits, 0 = none
// fork, exec, exit
export const TASK_VFORK_PARENT = 1096; // lock TASKLIST_LOCK: task that waits in vfork until this one has left its mm
export const TASK_VFORK_CHILD = 1100; // lock TASKLIST_LOCK: the other end
export const TASK_VFORK_WAITQ = 1104; // WAITQ of 12 bytes: the vforking task itself
export const TASK_SET_CHILD_TID = 1120; // f64, owner: where a new task writes its number before its first instruction
export const TASK_PDEATH_SIGNAL = 1128; // owner: sent to it when its parent process ends, 0 = none
export const TASK_USERFAULT = 1136; // owner: 1 + WAIT_RESULT of the call in progress while a copy of it waits for userfaultfd
export const TASK_UFFD_WAITS = 1140; // owner: how many of TASK_UFFD_WAIT the call in progress has to wait for
export const TASK_RSEQ = 1144; // f64, owner: user address of its struct rseq
export const TASK_RSEQ_BYTES = 1152; // owner: its length, 0 = not registered
export const TASK_RSEQ_SIGNATURE = 1156; // owner: what must stand before an abort handler
export const TASK_UFFD_IS_DONE = 1164; // owner: 1 = nothing else is left of the call than to wait for that
export const TASK_UFFD_RESULT = 1168; // f64, owner: its result
export const TASK_UFFD_WAIT = 1176; // owner: pairs {UFFD, UFFD_POSTED that its UFFD_READ has to reach}
export const TASK_UFFD_WAIT_BYTES = 8;
export const TASK_UFFD_WAITS_MAX = 12;
// signals
export const TASK_QUEUE_HEAD = 1280; // lock SIGHAND_LOCK: SIGQUEUE records of the thread's own pending signals
export const TASK_QUEUE_TAIL = 1284;
export const TASK_REAL_BLOCKED_LO = 1288; // lock SIGHAND_LOCK: what was blocked before sigtimedwait opened its set
export const TASK_REAL_BLOCKED_HI = 1292;
export const TASK_RESTART_ERROR = 1296; // owner: ERESTART* of the call that a signal interrupted, until it is settled
export const TASK_SAVED_MASK = 1300; // owner: 1 while SAVED_MASK_LO and _HI hold the mask to go back to
export const TASK_SAVED_MASK_LO = 1304;
export const TASK_SAVED_MASK_HI = 1308;
export const TASK_STOP_PENDING = 1316; // lock SIGHAND_LOCK: it has still to stop with its group
export const TASK_BLOCK_CALL = 1312; // owner: call that restart_syscall(2) goes on with, 0 = none
export const TASK_BLOCK_DEADLINE = 1320; // f64, owner: its deadline

// TASK_STATE (Linux values)
export const TASK_RUNNING = 0;
export const TASK_INTERRUPTIBLE = 1;
export const TASK_UNINTERRUPTIBLE = 2;
export const TASK_STOPPED = 4;
export const TASK_DEAD = 128;
export const TASK_NEW = 2048;

export const PF_IDLE = 1 << 1;
export const PF_EXITING = 1 << 2;
export const PF_FORKED = 1 << 3; // has not run yet: TASK_SET_CHILD_TID is due
export const PF_RSEQ = 1 << 4; // has lost its hart since it last ran guest code: its struct rseq is to be looked at
export const PF_KSWAPD = 1 << 17; // when it wakes up it goes before others, on the hart of who needs memory
export const PF_KTHREAD = 1 << 21;

export const WAIT_PENDING = 0; // on the queue; a timeout or a signal wakes the task but leaves it there
export const WAIT_WOKEN = 1;

// ---------------------------------------------------------------- RQ: run queue

export const RQ_LOCK = 0; // never taken with another rq lock held, except in ascending hart order
export const RQ_HEAD = 4; // lock RQ_LOCK: first runnable task that is not current
export const RQ_TAIL = 8;
export const RQ_COUNT = 12; // written under the lock, read by others as a hint
export const RQ_TIMER_HEAD = 16; // lock RQ_LOCK: tasks by expiry
export const RQ_TIMER_FIRST_NS = 24; // f64, lock RQ_LOCK
export const RQ_PREV_MM = 64; // owner: lazily held mm to drop after the switch
export const RQ_LAZY_MM = 128; // shared: mm that this hart borrows (hazard)
export const RQ_MM_SWITCHES = 132; // shared: borrowings that have ended here (qsbr)
export const RQ_DROP_MM = 192; // shared: sequence << 16 | mm slot + 1: a reference that an exiter left here (hazard)

// ---------------------------------------------------------------- WAITQ: wait queue of tasks; a futex bucket is one

export const WAITQ_LOCK = 0;
export const WAITQ_HEAD = 4; // lock WAITQ_LOCK: tasks, linked by TASK_WAIT_NEXT and TASK_WAIT_PREV
export const WAITQ_TAIL = 8;

// ---------------------------------------------------------------- PROCESS: thread group (signal_struct)

export const PROCESS_NEXT = 0;
export const PROCESS_TGID = 4;
export const PROCESS_LEADER = 8; // task
export const PROCESS_THREADS = 12; // lock TASKLIST_LOCK: first thread
export const PROCESS_THREAD_COUNT = 16; // lock TASKLIST_LOCK: live threads
export const PROCESS_GROUP_EXIT = 20; // shared: 1 once exit_group began
export const PROCESS_EXIT_CODE = 24; // wait status
export const PROCESS_PARENT = 28;
export const PROCESS_PGID = 32;
export const PROCESS_SID = 36;
export const PROCESS_PENDING_LO = 40; // lock SIGHAND_LOCK: shared pending signals
export const PROCESS_PENDING_HI = 44;
export const PROCESS_TASK_RECORDS = 48; // lock TASKLIST_LOCK: task records not yet given back; the leader's goes last
export const PROCESS_DEAD_MIN_FLT = 52; // lock TASKLIST_LOCK, u32, like the next three: faults of threads that have ended
export const PROCESS_DEAD_MAJ_FLT = 56;
export const PROCESS_DEAD_NVCSW = 60; // lock TASKLIST_LOCK, u32, like the next three: switches of threads that have ended
export const PROCESS_DEAD_NIVCSW = 820;
export const PROCESS_CHILD_NVCSW = 884; // of the children that were waited for, and of theirs
export const PROCESS_CHILD_NIVCSW = 900;
export const PROCESS_RLIMITS = 64; // 16 pairs {soft f64, hard f64}; 2^64-1 is held as RLIM_INFINITY_F64 = 1.8446744073709552e19
export const PROCESS_RLIMIT_BYTES = 16;
export const RLIMIT_COUNT = 16;
export const PROCESS_START_NS = 320; // f64
export const PROCESS_DEAD_RUNTIME_NS = 328; // f64, lock TASKLIST_LOCK: what threads that have ended had run
export const PROCESS_EXE_BYTES = 336; // bytes of the program's path
export const PROCESS_EXE = 340; // the path, for /proc/self/exe; constant after exec
export const PROCESS_EXE_BYTES_MAX = 480;
// the process tree: lock TASKLIST_LOCK
export const PROCESS_CHILDREN = 824; // youngest child process; linked by PROCESS_SIBLING_*
export const PROCESS_SIBLING_NEXT = 828;
export const PROCESS_SIBLING_PREV = 832;
export const PROCESS_STATE = 836; // PROCESS_LIVE...
export const PROCESS_EXIT_SIGNAL = 840; // what the parent gets at the end, 0 = nothing
export const PROCESS_FLAGS = 844; // PROCESS_*
export const PROCESS_CHILD_WAITQ = 848; // WAITQ: threads of this process in wait4 or waitid
export const PROCESS_STOP_CODE = 864; // signal that stopped it and that no wait call has reported, 0 = none
export const PROCESS_CONTINUED = 868; // 1: went on after a stop, and no wait call has reported it
export const PROCESS_EXEC_TASK = 872; // thread in execve for which all others of the group must end, 0 = none
export const PROCESS_MAXRSS = 876; // pages, of the address spaces that it has left
export const PROCESS_CHILD_MAXRSS = 880; // pages, of the children that were waited for
export const PROCESS_CHILD_RUNTIME_NS = 888; // f64: theirs, and that of the children they had waited for
export const PROCESS_PERSONALITY = 896;
export const PROCESS_UIDS = 904; // CRED_IDS words: real, effective, saved, file system; written by the process itself
export const PROCESS_GIDS = 920; // the same for groups
export const PROCESS_GROUP_COUNT = 936; // supplementary groups
export const PROCESS_GROUPS = 940; // PROCESS_GROUPS_MAX words
export const PROCESS_GROUPS_MAX = 16;
export const CRED_BYTES = 100; // all of them, from PROCESS_UIDS
export const PROCESS_OOM_SCORE_ADJ = 1004; // shared: -1000..1000, inherited by children
export const PROCESS_OOM_SCORE_ADJ_MIN = 1008; // shared: lowest value that it may set without privilege
export const PROCESS_OOM_VICTIM = 1012; // lock TASKLIST_LOCK: 1 once the OOM killer has chosen it
export const PROCESS_CHILD_MIN_FLT = 1016; // of the children that were waited for, and of theirs
export const PROCESS_CHILD_MAJ_FLT = 1020;

export const PROCESS_LIVE = 0;
export const PROCESS_ZOMBIE = 1; // no thread is left, and nobody has waited for it
export const PROCESS_REAPED = 2; // its number is free

export const PROCESS_DID_EXEC = 1 << 0; // since its fork: setpgid by the parent is EACCES
export const PROCESS_CHILD_SUBREAPER = 1 << 1; // PR_SET_CHILD_SUBREAPER
export const PROCESS_NOT_DUMPABLE = 1 << 2; // PR_SET_DUMPABLE 0
export const PROCESS_NO_NEW_PRIVS = 1 << 3;
export const PROCESS_THP_DISABLE = 1 << 4;
export const PROCESS_STOPPED = 1 << 5; // as a whole, by a signal
export const PROCESS_KEEPS_CAPS = 1 << 6; // PR_SET_KEEPCAPS

// ---------------------------------------------------------------- PSIG: what a process has of signals and timers
// (the record of process P is PSIG_BASE + (P - PROCESS_BASE >> PSIG_PROCESS_SHIFT))

export const PSIG_QUEUE_HEAD = 0; // lock SIGHAND_LOCK: SIGQUEUE records of the shared pending signals, oldest first
export const PSIG_QUEUE_TAIL = 4;
export const PSIG_STOP_SIGNAL = 8; // these: TASKLIST_LOCK and SIGHAND_LOCK: what the last stop was for
export const PSIG_STOP_COUNT = 12; // threads that have still to stop
export const PSIG_STOPPED = 16; // 1 while all of them have
export const PSIG_CONTINUES = 20; // SIGCONTs so far
export const PSIG_TIMERS = 24; // lock TASKLIST_LOCK: TIMER records, linked by TIMER_NEXT
export const PSIG_TIMER_NEXT_ID = 28; // lock TASKLIST_LOCK
export const PSIG_CPU_TIMERS = 32; // written under TASKLIST_LOCK: armed timers that count processor time
export const PSIG_REAL_TIMER = 64; // KTIMER_BYTES: ITIMER_REAL
export const PSIG_REAL_EXPIRY = 88; // these: lock TASKLIST_LOCK, f64 ns, expiry 0 = not armed
export const PSIG_REAL_INTERVAL = 96;
export const PSIG_VIRTUAL_EXPIRY = 104;
export const PSIG_VIRTUAL_INTERVAL = 112;
export const PSIG_PROF_EXPIRY = 120;
export const PSIG_PROF_INTERVAL = 128;
export const PSIG_CPU_WARNED_NS = 136; // processor time of the next SIGXCPU

// ---------------------------------------------------------------- KTIMER: a timer inside its owner's record
// A hart's list of timers is linked by these under its RQ_LOCK.

export const KTIMER_NEXT = 0; // lock rq of KTIMER_HART
export const KTIMER_PREV = 4;
export const KTIMER_HART = 8; // hart + 1 whose list it is on, 0 = none
export const KTIMER_KIND = 12; // KTIMER_TASK etc.: constant while it is armed
export const KTIMER_NS = 16; // f64: monotonic expiry
export const KTIMER_BYTES = 24;

export const KTIMER_TASK = 0; // wakes the task
export const KTIMER_REAL = 1; // ITIMER_REAL of a process
export const KTIMER_POSIX = 2; // a TIMER record
export const KTIMER_FD = 3; // a TIMER record that a timerfd owns

// ---------------------------------------------------------------- TIMER: timer_create(2), all under TASKLIST_LOCK

export const TIMER_KTIMER = 0; // KTIMER_BYTES; SLOT_NEXT while free
export const TIMER_RCU_HEAD = 24;
export const TIMER_PROCESS = 32;
export const TIMER_ID = 36;
export const TIMER_NEXT = 40; // of the process
export const TIMER_SIGNAL = 44; // struct sigevent
export const TIMER_NOTIFY = 48;
export const TIMER_TID = 52; // thread that is signalled, or whose processor time counts
export const TIMER_CLOCK = 56; // TIMER_MONOTONIC etc. of host/kernel/time/posix-timer.ts
export const TIMER_PENDING = 60; // 1 while its signal has not been taken
export const TIMER_INTERVAL = 64; // f64, ns
export const TIMER_EXPIRY = 72; // f64, ns on its clock; 0 = not armed
export const TIMER_VALUE = 80; // u64: si_value
export const TIMER_OVERRUN = 88; // intervals missed so far
export const TIMER_OVERRUN_LAST = 92; // what the last signal said
export const TIMER_IS_REALTIME = 96; // absolute times are of the wall clock
// of a timerfd, which uses EXPIRY, INTERVAL, PENDING (it has expired and stands still) and IS_REALTIME under a lock of
// its own
export const TIMER_LOCK = 100;
export const TIMER_TICKS = 104; // f64: expirations that nobody has read
export const TIMER_QUEUE = 112; // WAITQ: tasks in read; they join it under TIMER_LOCK

// ---------------------------------------------------------------- SIGQUEUE: a queued signal

export const SIGQUEUE_NEXT = 0; // lock SIGHAND_LOCK: next of its pending list, 0 = last; SLOT_NEXT while free
export const SIGQUEUE_SIGNAL = 4;
export const SIGQUEUE_INFO = 64; // SIGINFO_BYTES: siginfo_t
export const SIGINFO_BYTES = 128;

// ---------------------------------------------------------------- SIGHAND

export const SIGHAND_NEXT = 0;
export const SIGHAND_LOCK = 64;
export const SIGHAND_REFCOUNT = 68; // shared
export const SIGHAND_ACTIONS = 128; // 65 records {handler u64, flags u64, mask u64, unused u64}, lock SIGHAND_LOCK
export const SIGACTION_BYTES = 32;

// ---------------------------------------------------------------- FILES: descriptor table, FILE: open file

export const FILES_NEXT = 0;
export const FILES_LOCK = 64;
export const FILES_REFCOUNT = 68; // shared
export const FILES_FIRST_FREE = 72; // lock FILES_LOCK: hint
export const FILES_END = 76; // lock FILES_LOCK: no slot from here on has ever been used
export const FILES_TABLE = 256; // FD_COUNT_MAX records {file u32, fd flags u32}, lock FILES_LOCK
export const FD_COUNT_MAX = 1024;
export const FD_RECORD_BYTES = 8;

export const FILE_NEXT = 0;
export const FILE_REFCOUNT = 4; // shared
export const FILE_KIND = 8; // FILE_KIND_*: constant after open
export const FILE_FLAGS = 12; // shared: O_* status flags
export const FILE_POSITION = 16; // f64, lock FILE_LOCK
export const FILE_CONSOLE_FD = 24; // 0, 1 or 2: which host stream
export const FILE_LOCK = 28; // guards POSITION, CURSOR and EVENT_COUNT
export const FILE_DENTRY = 32; // with a reference, constant after open
export const FILE_INODE = 36; // the dentry's, constant after open
export const FILE_PRIVATE = 40; // what else the kind needs: pipe, ...; constant after open
export const FILE_CURSOR = 44; // lock FILE_LOCK: directory: the entry where the last getdents ended, a hint
export const FILE_EVENT_SEMAPHORE = 48; // eventfd: 1 if a read takes one only; constant
export const FILE_EVENT_COUNT = 56; // eventfd: f64, lock FILE_LOCK
export const FILE_EVENT_QUEUE = 64; // eventfd: WAITQ, waiters join it under FILE_LOCK
export const FILE_SERIAL = 84; // which open it is: the record is another file's later; constant
export const FILE_SIGMASK = 88; // signalfd: u64, which signals it reads, lock FILE_LOCK
export const FILE_PIDFD_START = 96; // pidfd: f64, PROCESS_START_NS of the process with number FILE_PRIVATE
export const FILE_EVENT_WRITES = 104; // eventfd: how often it was written, modulo 2^32, lock FILE_LOCK
export const FILE_EVENT_READS = 108; // eventfd: and read
export const FILE_OWNER = 80; // shared: F_SETOWN, a process or -group

export const FILE_KIND_PATH = 0; // O_PATH: nothing can be done with it but look
export const FILE_KIND_CONSOLE = 1;
export const FILE_KIND_REGULAR = 2;
export const FILE_KIND_DIRECTORY = 3;
export const FILE_KIND_PIPE = 4;
export const FILE_KIND_NULL = 5;
export const FILE_KIND_ZERO = 6;
export const FILE_KIND_FULL = 7;
export const FILE_KIND_RANDOM = 8;
export const FILE_KIND_EVENTFD = 9;
export const FILE_KIND_EPOLL = 10;
export const FILE_KIND_PROC = 11;
export const FILE_KIND_USERFAULTFD = 12;
export const FILE_KIND_SIGNALFD = 14;
export const FILE_KIND_TIMERFD = 15;
export const FILE_KIND_SHM = 13; // has no descriptor: what the vmas of a System V segment map
export const FILE_KIND_PIDFD = 16;
export const FILE_KIND_COUNT = 17;

// ---------------------------------------------------------------- INODE: struct inode

export const INODE_NEXT = 0; // SLOT_NEXT
export const INODE_COUNT = 4; // shared: dentries and others that hold it (i_count)
export const INODE_MODE = 8; // S_IFMT constant; permissions: lock FS_LOCK write
export const INODE_UID = 12; // lock FS_LOCK write
export const INODE_GID = 16; // lock FS_LOCK write
export const INODE_NLINK = 20; // lock FS_LOCK write
export const INODE_SUPER = 24; // constant
export const INODE_RDEV = 28; // constant: device number as in struct stat
export const INODE_MAPPING = 32; // address_space of a regular file, constant
export const INODE_LOCK = 36; // size, times, pipe
export const INODE_PIPE = 40; // lock INODE_LOCK: pipe of a FIFO that is open
export const INODE_LINK = 44; // symbolic link: address of the target, constant
export const INODE_LINK_BYTES = 48; // constant
export const INODE_SEALS = 52; // lock INODE_LOCK: F_SEAL_* of a memfd
export const INODE_NUMBER = 56; // f64, constant
export const INODE_ATIME = 64; // f64 seconds since 1970, lock INODE_LOCK
export const INODE_MTIME = 72;
export const INODE_CTIME = 80;
export const INODE_BTIME = 88; // constant
export const INODE_ATIME_NS = 96; // and the nanoseconds
export const INODE_MTIME_NS = 100;
export const INODE_CTIME_NS = 104;
export const INODE_BTIME_NS = 108;
export const INODE_COOKIE = 112; // directory: cookie of its last entry, lock FS_LOCK write
export const INODE_LOCKS = 116; // lock INODE_LOCK: file locks (fcntl, flock)
export const INODE_LINKABLE = 124; // lock FS_LOCK write: 1 = has no name yet (O_TMPFILE), and may get one
export const INODE_PAGES = 120; // lock INODE_LOCK: pages of a regular file that SUPER_PAGES counts
export const INODE_PRIVATE = 128; // 32 bytes of the file system's own
export const INODE_PRIVATE_BYTES = 32;
export const INODE_TEXT = 160; // a short link's target
export const INODE_TEXT_BYTES = 96;

// what a file of --root has in INODE_PRIVATE, and in INODE_TEXT unless it is a symbolic link: where it is on the host
// (host/fs/host/); constant from the moment it is in the tree
export const HOST_PARENT = INODE_PRIVATE + 0; // inode of the directory in which it was found, with a reference
export const HOST_NAME_LONG = INODE_PRIVATE + 4; // NAME record of a name that does not fit
export const HOST_NAME_BYTES = INODE_PRIVATE + 8;
export const HOST_FLAGS = INODE_PRIVATE + 12; // HOST_*
export const HOST_DEVICE = INODE_PRIVATE + 16; // f64, with HOST_INODE: which file of the host it is
export const HOST_INODE = INODE_PRIVATE + 24; // f64
export const HOST_NAME = INODE_TEXT + 0;
export const HOST_NAME_BYTES_MAX = 80;
export const HOST_SIZE = INODE_TEXT + 80; // f64: bytes that it had there
export const HOST_BLOCKS = INODE_TEXT + 88; // f64, of 512 bytes


// and a file of /proc (host/kernel/proc/)
export const PROC_NODE = INODE_PRIVATE + 0; // number of the node that it is an instance of
export const PROC_PID = INODE_PRIVATE + 4; // task that it is about, 0 = none
export const PROC_FD = INODE_PRIVATE + 8; // descriptor that it is about
export const PROC_START_NS = INODE_PRIVATE + 16; // f64: when the task's process began

export const HOST_FOUND = 1 << 0; // it is a file of the host; without it the guest made it
export const HOST_COUNTS_LINKS = 1 << 1; // a directory whose links the host does not count
export const HOST_SPECIAL = 1 << 2; // neither file, directory nor link: it can not be opened

// ---------------------------------------------------------------- DENTRY: struct dentry

export const DENTRY_NEXT = 0; // SLOT_NEXT
export const DENTRY_COUNT = 4; // shared: 1 for being in the tree, 1 for each child in it, and whoever holds it
export const DENTRY_PARENT = 8; // with a reference, 0 for a root; lock FS_LOCK write
export const DENTRY_INODE = 12; // with a reference; 0: the name is known to be absent; lock FS_LOCK write
export const DENTRY_HASH = 16; // of parent and name; lock FS_LOCK write, like all that follows
export const DENTRY_HASH_NEXT = 20;
export const DENTRY_SIBLING_NEXT = 24; // children of a directory, in the order of their cookies
export const DENTRY_SIBLING_PREV = 28;
export const DENTRY_CHILD_FIRST = 32;
export const DENTRY_CHILD_LAST = 36;
export const DENTRY_COOKIE = 40; // position in the directory for getdents, never used again
export const DENTRY_SUPER = 44; // file system that is mounted here, 0 = none
export const DENTRY_FLAGS = 48; // DENTRY_LINKED, ...
export const DENTRY_NAME_BYTES = 52;
export const DENTRY_NAME_LONG = 56; // NAME record of a long name, else 0
export const DENTRY_NAME = 64;
export const DENTRY_NAME_BYTES_MAX = 64; // of a name inside the dentry

export const DENTRY_LINKED = 1 << 0; // in its parent's list and in the hash table
export const DENTRY_COMPLETE = 1 << 1; // a directory all of whose entries are in the tree
export const DENTRY_REVALIDATE = 1 << 2; // FsType.revalidate is asked each time it is found

// ---------------------------------------------------------------- SUPER: struct super_block, and where it is mounted

export const SUPER_TYPE = 0; // FS_TYPE_*, 0 = slot is free; constant
export const SUPER_ROOT = 4; // dentry, with a reference; constant
export const SUPER_POINT = 8; // dentry that it covers, with a reference, 0 = none; lock FS_LOCK write
export const SUPER_DEVICE = 12; // st_dev, constant
export const SUPER_FLAGS = 16; // ST_*
export const SUPER_INODES = 20; // shared: inodes in use
export const SUPER_INODES_MAX = 24;
export const SUPER_PAGES_MAX = 28; // size limit in pages
export const SUPER_DETACHED = 32; // lock FS_LOCK write: 1 = counted by MACHINE_DETACHED
export const SUPER_PAGES = 64; // shared, own line: pages in use
export const SUPER_INODE_NEXT = 68; // shared: last inode number given

export const FS_TYPE_TMPFS = 1;
export const FS_TYPE_DEVTMPFS = 2;
export const FS_TYPE_PROC = 3;
export const FS_TYPE_HOST = 4;
export const FS_TYPE_PIPE = 5; // pipes, eventfd and the like: not mounted anywhere
export const FS_TYPE_SYSFS = 6;
export const FS_TYPE_COUNT = 8;

// ---------------------------------------------------------------- FS: struct fs_struct

export const FS_NEXT = 0;
export const FS_REFCOUNT = 4; // shared
export const FS_CWD = 8; // dentry with a reference, lock FS_LOCK write
export const FS_ROOT = 12; // likewise
export const FS_UMASK = 16; // shared

// ---------------------------------------------------------------- PIPE: pipes, a ring of pages

export const PIPE_NEXT = 0;
export const PIPE_LOCK = 4;
export const PIPE_READERS = 8; // lock PIPE_LOCK: open files, like WRITERS
export const PIPE_WRITERS = 12;
export const PIPE_HEAD = 16; // lock PIPE_LOCK: bytes written, for ever; wraps at 2^32
export const PIPE_TAIL = 20; // lock PIPE_LOCK: bytes read
export const PIPE_PAGES = 24; // lock PIPE_LOCK: capacity, a power of two
export const PIPE_READERS_EVER = 28; // lock PIPE_LOCK: how often it was opened, for the other end of a FIFO
export const PIPE_WRITERS_EVER = 32;
export const PIPE_READ_QUEUE = 48; // WAITQ: readers that wait for bytes, and writers that wait for an open reader
export const PIPE_WRITE_QUEUE = 64; // WAITQ: writers that wait for room, and readers that wait for an open writer
export const PIPE_FRAMES = 128; // PIPE_PAGES_MAX pfns, lock PIPE_LOCK: 0 = not there
export const PIPE_PAGES_DEFAULT = 16;
export const PIPE_PAGES_MAX = 256;

// ---------------------------------------------------------------- FLOCK: struct file_lock

export const FLOCK_NEXT = 0; // lock INODE_LOCK, like all of it: next lock of the inode; SLOT_NEXT while free
export const FLOCK_TYPE = 4; // F_RDLCK or F_WRLCK
export const FLOCK_IS_FLOCK = 8; // 1: by flock(2), which fcntl's locks do not see
export const FLOCK_OWNER = 12; // descriptor table or open file
export const FLOCK_PID = 16;
export const FLOCK_START = 24; // f64, bytes
export const FLOCK_END = 32; // f64, exclusive; infinity: no end

// ---------------------------------------------------------------- EPITEM: a file that an epoll instance watches

export const EPITEM_NEXT = 0; // lock FILE_LOCK of the instance, like all of it; SLOT_NEXT while free
export const EPITEM_FILE = 4; // without a reference: FILE_SERIAL tells whether it is still the same
export const EPITEM_FD = 8;
export const EPITEM_EVENTS = 12; // EPOLL*
export const EPITEM_DATA_LO = 16;
export const EPITEM_DATA_HI = 20;
export const EPITEM_SERIAL = 28;
export const EPITEM_SEEN = 24; // EPOLLET: what was ready when it was last reported
export const EPITEM_EDGES = 32; // EPOLLET: FileOps.edges of then
