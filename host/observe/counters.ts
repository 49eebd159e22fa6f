// The counters of a hart, by name: one table for text, JSON and tests. Names are Linux's where Linux counts the same
// thing (/proc/vmstat, /proc/stat); the others follow its style.

import * as layout from "../../assembly/layout.ts";
import { hartBase } from "../memory/hart-local.ts";
import type { SharedMemory } from "../memory/shared.ts";

export interface CounterRow {
  readonly name: string;
  /** Offset of the u64 from HART_COUNTERS. */
  readonly offset: number;
  readonly meaning: string;
}

export const COUNTERS: readonly CounterRow[] = [
  { name: "pgfault", offset: layout.COUNTER_PGFAULT, meaning: "page faults" },
  { name: "zero_page_fault", offset: layout.COUNTER_ZERO_PAGE_FAULT, meaning: "reads that mapped the zero page" },
  { name: "cow_fault", offset: layout.COUNTER_COW_FAULT, meaning: "writes that copied a page" },
  { name: "spurious_fault", offset: layout.COUNTER_SPURIOUS_FAULT, meaning: "faults that another hart had resolved" },
  { name: "tlb_miss", offset: layout.COUNTER_TLB_MISS, meaning: "accesses that missed the TLB" },
  { name: "ptw", offset: layout.COUNTER_PTW, meaning: "page-table walks" },
  { name: "ptw_steps", offset: layout.COUNTER_PTW_STEPS, meaning: "page-table entries read by walks" },
  { name: "pwc_hit", offset: layout.COUNTER_PWC_HIT, meaning: "walks shortened by the page-walk cache" },
  { name: "ad_update", offset: layout.COUNTER_AD_UPDATE, meaning: "A and D bits set by walks" },
  { name: "slow_access", offset: layout.COUNTER_SLOW_ACCESS, meaning: "misaligned or page-crossing accesses" },
  { name: "nr_tlb_local_flush_all", offset: layout.COUNTER_TLB_FLUSH_ALL, meaning: "flushes of a whole TLB" },
  { name: "nr_tlb_local_flush_one", offset: layout.COUNTER_TLB_FLUSH_ONE, meaning: "flushes of one page" },
  { name: "nr_tlb_remote_flush", offset: layout.COUNTER_TLB_REMOTE_FLUSH, meaning: "shootdowns sent" },
  {
    name: "nr_tlb_remote_flush_received",
    offset: layout.COUNTER_TLB_REMOTE_FLUSH_RECEIVED,
    meaning: "shootdowns served",
  },
  { name: "tlb_flush_deferred", offset: layout.COUNTER_FLUSH_DEFERRED, meaning: "shootdowns left to a parked hart" },
  { name: "ipi_sent", offset: layout.COUNTER_IPI_SENT, meaning: "interprocessor interrupts sent" },
  { name: "ipi_received", offset: layout.COUNTER_IPI_RECEIVED, meaning: "interprocessor interrupts served" },
  { name: "mmu_gather_batches", offset: layout.COUNTER_GATHER_BATCHES, meaning: "batches of unmapped pages" },
  { name: "pt_alloc", offset: layout.COUNTER_PAGE_TABLE_ALLOC, meaning: "page-table pages allocated" },
  { name: "pt_free", offset: layout.COUNTER_PAGE_TABLE_FREE, meaning: "page-table pages freed" },
  { name: "pgalloc", offset: layout.COUNTER_FRAME_ALLOC, meaning: "frames allocated" },
  { name: "pgfree", offset: layout.COUNTER_FRAME_FREE, meaning: "frames freed" },
  { name: "asid_rollover", offset: layout.COUNTER_ASID_ROLLOVER, meaning: "times the ASIDs ran out" },
  { name: "mmap_lock_read", offset: layout.COUNTER_MMAP_LOCK_READ, meaning: "mmap_lock taken for reading" },
  { name: "mmap_lock_wait", offset: layout.COUNTER_MMAP_LOCK_WAIT, meaning: "times it was not to be had at once" },
  { name: "mmap_lock_write", offset: layout.COUNTER_MMAP_LOCK_WRITE, meaning: "mmap_lock taken for writing" },
  { name: "vma_lock_success", offset: layout.COUNTER_VMA_LOCK_SUCCESS, meaning: "faults without mmap_lock" },
  { name: "vma_lock_abort", offset: layout.COUNTER_VMA_LOCK_ABORT, meaning: "faults that had to take mmap_lock" },
  { name: "vma_lock_retry", offset: layout.COUNTER_VMA_LOCK_RETRY, meaning: "faults that began anew after a wait" },
  { name: "vma_lock_miss", offset: layout.COUNTER_VMA_LOCK_MISS, meaning: "vmas found that were detached by then" },
  { name: "vm_refcnt_rmw", offset: layout.COUNTER_VM_REFCNT_RMW, meaning: "atomic updates of vm_refcnt" },
  {
    name: "vma_line_bounces",
    offset: layout.COUNTER_VMA_LINE_BOUNCES,
    meaning: "updates of vm_refcnt whose line another hart had",
  },
  { name: "vma_writer_waits", offset: layout.COUNTER_VMA_WRITER_WAITS, meaning: "writers that met readers of a vma" },
  { name: "vma_spurious_wakeups", offset: layout.COUNTER_VMA_SPURIOUS_WAKEUPS, meaning: "of these, woken too early" },
  { name: "vma_reader_limit_hits", offset: layout.COUNTER_VMA_READER_LIMIT, meaning: "readers that were too many" },
  { name: "call_rcu_vma", offset: layout.COUNTER_CALL_RCU_VMA, meaning: "vmas whose free waits for a grace period" },
  { name: "vma_reuse_in_gp", offset: layout.COUNTER_VMA_REUSE_IN_GP, meaning: "vmas used again before it would end" },
  { name: "lock_wait", offset: layout.COUNTER_LOCK_WAIT, meaning: "locks that were contended" },
  { name: "lazy_enter", offset: layout.COUNTER_LAZY_ENTER, meaning: "switches to a task without an mm" },
  { name: "lazy_exit_same", offset: layout.COUNTER_LAZY_EXIT_SAME, meaning: "returns to the borrowed mm" },
  { name: "lazy_exit_switch", offset: layout.COUNTER_LAZY_EXIT_SWITCH, meaning: "returns to another mm" },
  { name: "mm_count_atomics", offset: layout.COUNTER_MM_COUNT_ATOMICS, meaning: "atomic updates of mm_count" },
  {
    name: "mm_count_bounces",
    offset: layout.COUNTER_MM_COUNT_BOUNCES,
    meaning: "updates of mm_count whose line another hart had",
  },
  {
    name: "shoot_lazies_ipi_sent",
    offset: layout.COUNTER_SHOOT_LAZIES_SENT,
    meaning: "IPIs sent to borrowers of a dead mm",
  },
  {
    name: "shoot_lazies_ipi_useful",
    offset: layout.COUNTER_SHOOT_LAZIES_USEFUL,
    meaning: "of these, those that met one",
  },
  { name: "hazard_scan_cpus", offset: layout.COUNTER_HAZARD_SCAN, meaning: "harts looked at by the last mmput" },
  { name: "hazard_hits", offset: layout.COUNTER_HAZARD_HITS, meaning: "of these, those that borrowed" },
  { name: "drop_mm_stolen", offset: layout.COUNTER_DROP_MM_STOLEN, meaning: "parked references that were replaced" },
  { name: "unlazy_in_flush", offset: layout.COUNTER_UNLAZY_IN_FLUSH, meaning: "borrowings ended by the last flush" },
  { name: "mmput_last", offset: layout.COUNTER_MMPUT_LAST, meaning: "address spaces whose last user went" },
  { name: "mmdrop_last", offset: layout.COUNTER_MMDROP_LAST, meaning: "mms freed" },
  { name: "temp_mm_enter", offset: layout.COUNTER_TEMP_MM_ENTER, meaning: "temporary mms entered" },
  { name: "nmi_active_mm_reads", offset: layout.COUNTER_NMI_ACTIVE_MM, meaning: "NMIs that looked at active_mm" },
  {
    name: "loaded_mm_diverges",
    offset: layout.COUNTER_LOADED_DIVERGES,
    meaning: "times a borrowed mm was left behind active_mm's back",
  },
  {
    name: "ipi_wait_cycles",
    offset: layout.COUNTER_IPI_WAIT,
    meaning: "looks at an acknowledgement that was not there",
  },
  { name: "ipi_useless", offset: layout.COUNTER_IPI_USELESS, meaning: "shootdowns that met another mm" },
  { name: "tlbi_broadcast", offset: layout.COUNTER_TLBI_BROADCAST, meaning: "broadcast invalidations" },
  { name: "tlbsync_wait", offset: layout.COUNTER_TLBSYNC_WAIT, meaning: "looks at a completion that was not there" },
  { name: "tlb_flush_range_pages", offset: layout.COUNTER_FLUSH_RANGE_PAGES, meaning: "pages of ranged shootdowns" },
  { name: "tlb_gen_skips", offset: layout.COUNTER_TLB_GEN_SKIPS, meaning: "shootdowns that tlb_gen made superfluous" },
  {
    name: "tlb_flush_skipped_lazy",
    offset: layout.COUNTER_LAZY_SKIPPED,
    meaning: "lazy harts that a shootdown left out",
  },
  { name: "pswpin", offset: layout.COUNTER_PSWPIN, meaning: "pages read from swap" },
  { name: "pswpout", offset: layout.COUNTER_PSWPOUT, meaning: "pages written to swap" },
  { name: "pgmajfault", offset: layout.COUNTER_PGMAJFAULT, meaning: "faults that waited for the host" },
  { name: "pgscan_kswapd", offset: layout.COUNTER_PGSCAN_KSWAPD, meaning: "pages that kswapd looked at" },
  { name: "pgscan_direct", offset: layout.COUNTER_PGSCAN_DIRECT, meaning: "pages that allocations looked at" },
  { name: "pgsteal_kswapd", offset: layout.COUNTER_PGSTEAL_KSWAPD, meaning: "pages that kswapd freed" },
  { name: "pgsteal_direct", offset: layout.COUNTER_PGSTEAL_DIRECT, meaning: "pages that allocations freed" },
  { name: "pgsteal_anon", offset: layout.COUNTER_PGSTEAL_ANON, meaning: "pages of memory alone that reclaim freed" },
  { name: "pgsteal_file", offset: layout.COUNTER_PGSTEAL_FILE, meaning: "pages of host files that reclaim freed" },
  { name: "pgactivate", offset: layout.COUNTER_PGACTIVATE, meaning: "pages that reclaim found in use" },
  { name: "pgdeactivate", offset: layout.COUNTER_PGDEACTIVATE, meaning: "pages that have to be used again to stay" },
  { name: "pgrefill", offset: layout.COUNTER_PGREFILL, meaning: "active pages that reclaim looked at" },
  { name: "pglazyfree", offset: layout.COUNTER_PGLAZYFREE, meaning: "pages given up by MADV_FREE" },
  { name: "pglazyfreed", offset: layout.COUNTER_PGLAZYFREED, meaning: "of these, those that reclaim took" },
  { name: "pageoutrun", offset: layout.COUNTER_PAGEOUTRUN, meaning: "times kswapd was woken" },
  { name: "allocstall", offset: layout.COUNTER_ALLOCSTALL, meaning: "allocations that had to reclaim first" },
  { name: "oom_kill", offset: layout.COUNTER_OOM_KILL, meaning: "processes killed for want of memory" },
  { name: "thp_fault_alloc", offset: layout.COUNTER_THP_FAULT_ALLOC, meaning: "faults that mapped 2 MiB" },
  { name: "thp_fault_fallback", offset: layout.COUNTER_THP_FAULT_FALLBACK, meaning: "faults that could not" },
  { name: "thp_collapse_alloc", offset: layout.COUNTER_THP_COLLAPSE_ALLOC, meaning: "collapses into 2 MiB" },
  {
    name: "thp_collapse_alloc_failed",
    offset: layout.COUNTER_THP_COLLAPSE_ALLOC_FAILED,
    meaning: "collapses that found no 2 MiB free",
  },
  { name: "thp_split_pmd", offset: layout.COUNTER_THP_SPLIT_PMD, meaning: "leaves of 2 MiB that were split" },
  { name: "context_switches", offset: layout.COUNTER_CONTEXT_SWITCH, meaning: "context switches" },
  { name: "task_migrate", offset: layout.COUNTER_TASK_MIGRATE, meaning: "tasks that changed their hart" },
  { name: "syscall", offset: layout.COUNTER_SYSCALL, meaning: "system calls" },
  { name: "timer_expired", offset: layout.COUNTER_TIMER_EXPIRED, meaning: "timers that ran out" },
  { name: "budget_exit", offset: layout.COUNTER_BUDGET_EXIT, meaning: "ends of an instruction budget" },
  { name: "park", offset: layout.COUNTER_PARK, meaning: "times a hart slept" },
  { name: "futex_wait", offset: layout.COUNTER_FUTEX_WAIT, meaning: "futex waits" },
  { name: "futex_wake", offset: layout.COUNTER_FUTEX_WAKE, meaning: "futex wakes" },
  { name: "rcu_gp", offset: layout.COUNTER_RCU_GP, meaning: "RCU grace periods begun" },
  { name: "rcu_callbacks", offset: layout.COUNTER_RCU_CALLBACKS, meaning: "RCU callbacks queued" },
  { name: "decode_miss", offset: layout.COUNTER_DECODE_MISS, meaning: "code pages decoded" },
  { name: "decode_invalidate", offset: layout.COUNTER_DECODE_INVALIDATE, meaning: "decoded pages thrown away" },
];

/** One counter of one hart. Harts write them plainly, so while the machine runs a value may be a little old. */
export function readCounter(shared: SharedMemory, hartId: number, counter: CounterRow): number {
  const index = (hartBase(hartId) + layout.HART_COUNTERS + counter.offset) >>> 2;
  return shared.u32[index] + shared.u32[index + 1] * 2 ** 32;
}

/** Instructions that the hart has retired. */
export function readInstret(shared: SharedMemory, hartId: number): number {
  const index = (hartBase(hartId) + layout.HART_INSTRET) >>> 2;
  return shared.u32[index] + shared.u32[index + 1] * 2 ** 32;
}
