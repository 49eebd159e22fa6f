// All mutable JavaScript state of one hart's kernel. Everything that a second hart may see lives in the shared memory;
// this object holds what is private to one worker, and reset() brings it back to the state after boot.

import {
  CPUMASK_WORDS,
  HART_BASE,
  HART_BYTES,
  HART_COUNT_MAX,
  HART_COUNTERS,
  HART_CURRENT,
  HART_IRQ_DEPTH,
  HART_IRQ_OFF_DEPTH,
  HART_LOCK_COUNT,
  HART_RCU_NESTING,
  MACHINE_BASE,
  MACHINE_HART_COUNT,
  MACHINE_MUTATION,
  MACHINE_STOP,
  MACHINE_TRACE_EVENTS,
  RQ_BASE,
  RQ_BYTES,
  STOP_NONE,
} from "../../assembly/layout.ts";
import type { Core } from "./core.ts";
import { MachineStopped } from "./errors.ts";
import type { FsType } from "./fs-type.ts";
import type {
  Clock,
  FileHooks,
  InterruptController,
  PageIo,
  SwapStore,
  UserFaultHandler,
  UserfaultEvents,
} from "./hart-services.ts";
import { emptyHostStat, type HostFiles } from "./host-files.ts";
import { MUTATIONS } from "./mutation.ts";
import { PathWalk } from "./path-walk.ts";
import type { RcuCallback } from "./rcu.ts";
import { SCHEDULE_POINTS } from "./schedule.ts";
import type { SharedMemory } from "./shared.ts";
import { VmaWork } from "./vma-work.ts";

export class HartLocal {
  readonly id: number;
  /** Address of the hart block. */
  readonly base: number;
  /** Address of this hart's run queue. */
  readonly rq: number;
  readonly hartCount: number;
  readonly shared: SharedMemory;
  readonly core: Core;
  readonly clock: Clock;
  /** How often a hart-wait tests its word before it parks: 0 when harts outnumber cores. */
  readonly spinCount: number;
  /** Which mistake this machine is to make (mutation.ts), 0 = none. */
  readonly mutation: number;
  /** Which events are traced (trace.ts), 0 = none. */
  readonly traceEvents: number;
  /** The task whose name the trace has seen last from this hart. */
  tracedTask = 0;
  /** Events lost since the trace was last told. */
  traceLost = 0;
  interrupts: InterruptController | null = null;
  /** What to do with each kind of object after its grace period (RCU_*). Handed in at boot, like `interrupts`. */
  rcuCallbacks: readonly (RcuCallback | undefined)[] = [];
  /** The host's files below --root, or null: there are none. Handed in at boot. */
  host: HostFiles | null = null;
  /** References on struct file, for vmas, which know files only by address. Handed in at boot. */
  fileHooks: FileHooks | null = null;
  /** Where pages go that memory has no room for, or null: no swap. Handed in at boot. */
  swapStore: SwapStore | null = null;
  /** Nothing can be reclaimed: kills a process. True: try again. Called with no lock held. Handed in at boot. */
  outOfMemory: (() => boolean) | null = null;
  /**
   * The current task has begun to wait for memory that somebody's end will give back: it must not run on. False: there
   * is nothing to wait for, or `mm` is not its own. Handed in at boot.
   */
  waitForMemory: ((mm: number) => boolean) | null = null;
  /** Free memory is below its low watermark: wakes kswapd. Takes a run queue's lock. Handed in at boot. */
  wakeKswapd: (() => void) | null = null;
  /** An area wants huge pages: wakes khugepaged. Takes a run queue's lock. Handed in at boot. */
  wakeKhugepaged: (() => void) | null = null;
  /** Pages that this hart has taken off a list (mm/reclaim/lru.ts), each with a reference. */
  readonly isolated = new Int32Array(32);
  isolatedCount = 0;
  /** allocFrame found nothing since whoever cares last set it to false. */
  framesRanOut = false;
  /** A fault in an area that is registered with userfaultfd. Handed in at boot. */
  userFault: UserFaultHandler | null = null;
  userfaultEvents: UserfaultEvents | null = null;
  /**
   * State (TASK_*) in which the current task waits if its access is userfaultfd's to resolve; TASK_RUNNING: it can not
   * wait now, and the access fails. Set around traps and system calls.
   */
  userFaultState = 0;
  /** Says a warning to whoever runs the machine. Handed in at boot. */
  warn: ((hart: HartLocal, text: string) => void) | null = null;
  /** Reads the pages of the host's files. Handed in by who knows what an inode is. */
  pageIo: PageIo | null = null;
  /** Work space of mm/mapping/mapping-tree.ts: a frame that is about to become a node, 0 = none. */
  spareNode = 0;
  /** A fault that must read a page, or wait for it (mm/fault/file-fault.ts): which. The mapping is counted. */
  faultMapping = 0;
  faultIndex = 0;
  /** The same for a page in the swap store: its slot, counted; 0 = none. */
  faultSlot = 0;
  /** Work space of whoever asks `host` for a status. */
  readonly hostStat = emptyHostStat();
  /** What each kind of file system does (FS_TYPE_*). Handed in at boot. */
  fsTypes: readonly (FsType | undefined)[] = [];
  /** What this hart last read of /proc (kernel/proc/proc-file.ts). */
  readonly procRead = { file: 0, next: 0, text: "" };
  /** Path walks of the call in progress (host/fs/path-lock.ts). */
  readonly walk = new PathWalk();
  readonly walk2 = new PathWalk();
  /** The change to vmas in progress. */
  readonly vmaWork = new VmaWork();
  /** Work space of sendIpi: harts whose acknowledgement is outstanding. */
  readonly ipiWaiting = new Int32Array(CPUMASK_WORDS);
  /** Work space of a TLB flush: a copied cpumask. */
  readonly flushMask = new Int32Array(CPUMASK_WORDS);
  /** Harts whose completion of this hart's broadcast invalidations is outstanding (tlbi.ts). */
  readonly tlbiWaiting = new Int32Array(CPUMASK_WORDS);
  /** hash-batch: pages whose invalidation is outstanding; reclaim-batch: harts that are to flush. */
  readonly batchVpns = new Int32Array(192);
  batchCount = 0;
  readonly batchMask = new Int32Array(CPUMASK_WORDS);
  /** Work space of the policy qsbr: each hart's count when an mm died. */
  readonly switchesSeen = new Int32Array(HART_COUNT_MAX);
  /** mmu_gather (host/mm/table/gather.ts): what this hart has unmapped and may free once the TLBs are flushed. */
  readonly gatherPages = new Int32Array(512);
  readonly gatherTables = new Int32Array(64);
  readonly gatherRuns = new Int32Array(16);
  gatherPageCount = 0;
  gatherTableCount = 0;
  gatherRunCount = 0;
  /** mm being unmapped, 0 = no gather is open. */
  gatherMm = 0;
  /** Resident pages of `rssMm` that MM_RSS does not know of yet (mm/rss.ts). */
  rssMm = 0;
  rssDelta = 0;
  rssFileDelta = 0;
  rssShmemDelta = 0;
  /** vpns that were cleared since the last flush: [gatherStart, gatherEnd). */
  gatherStart = 0;
  gatherEnd = 0;
  /** All that was cleared were leaves of 2 MiB: then one fence drops each. */
  gatherOnlyHuge = true;
  /** The task that this hart runs (HART_CURRENT for the others). */
  current = 0;

  constructor(id: number, shared: SharedMemory, core: Core, clock: Clock, spinCount: number) {
    this.id = id;
    this.base = HART_BASE + id * HART_BYTES;
    this.rq = RQ_BASE + id * RQ_BYTES;
    this.shared = shared;
    this.core = core;
    this.clock = clock;
    this.spinCount = spinCount;
    this.hartCount = shared.get(MACHINE_BASE + MACHINE_HART_COUNT);
    this.traceEvents = shared.get(MACHINE_BASE + MACHINE_TRACE_EVENTS);
    this.mutation = MUTATIONS ? shared.get(MACHINE_BASE + MACHINE_MUTATION) : 0;
  }

  /** Adds to one of this hart's own counters (u64, two words). */
  count(counter: number, delta = 1): void {
    const u32 = this.shared.u32;
    const index = (this.base + HART_COUNTERS + counter) >>> 2;
    const sum = u32[index] + delta;
    u32[index] = sum;
    if (sum > 0xffffffff) u32[index + 1]++;
  }

  /** Adds to a count of the current task, if there is one: a field (TASK_*) that only its hart writes. */
  countForTask(field: number): void {
    if (this.current !== 0) this.shared.i32[(this.current + field) >>> 2]++;
  }

  /** Field of this hart's block that only the owner writes. */
  get(field: number): number {
    if (SCHEDULE_POINTS && this.shared.model !== null) return this.shared.model.get(this.base + field);
    return this.shared.i32[(this.base + field) >>> 2];
  }

  set(field: number, value: number): void {
    if (SCHEDULE_POINTS && this.shared.model !== null) {
      this.shared.model.set(this.base + field, value);
      return;
    }
    this.shared.i32[(this.base + field) >>> 2] = value;
  }

  setCurrent(task: number): void {
    this.current = task;
    this.shared.storeOnce(this.base + HART_CURRENT, task); // rq.curr: WRITE_ONCE
  }

  /** Serves interrupts unless they are off, and leaves the kernel when the machine has stopped. */
  pollIrq(): void {
    this.checkStop();
    this.interrupts?.serve(this.get(HART_IRQ_OFF_DEPTH) !== 0);
  }

  /** Throws MachineStopped once any hart or the host has stopped the machine. */
  checkStop(): void {
    if (this.shared.i32[(MACHINE_BASE + MACHINE_STOP) >>> 2] !== STOP_NONE) throw new MachineStopped();
  }

  /** After the shared memory has gone back to an earlier state: private state follows it. */
  reset(): void {
    this.tracedTask = 0;
    this.traceLost = 0;
    this.isolatedCount = 0;
    this.framesRanOut = false;
    this.spareNode = 0;
    this.faultMapping = 0;
    this.faultIndex = 0;
    this.faultSlot = 0;
    this.procRead.file = 0;
    this.walk.reset();
    this.walk2.reset();
    this.gatherPageCount = 0;
    this.gatherTableCount = 0;
    this.gatherRunCount = 0;
    this.gatherMm = 0;
    this.gatherStart = 0;
    this.gatherEnd = 0;
    this.gatherOnlyHuge = true;
    this.vmaWork.reset();
    this.tlbiWaiting.fill(0);
    this.batchCount = 0;
    this.batchMask.fill(0);
    this.rssMm = 0;
    this.rssDelta = 0;
    this.rssFileDelta = 0;
    this.rssShmemDelta = 0;
    this.userFaultState = 0;
    this.current = this.shared.i32[(this.base + HART_CURRENT) >>> 2];
  }

  /** The hart was thrown out of whatever it was doing: the depths no longer mean anything. */
  forgetContext(): void {
    this.set(HART_LOCK_COUNT, 0);
    this.set(HART_RCU_NESTING, 0);
    this.set(HART_IRQ_OFF_DEPTH, 0);
    this.set(HART_IRQ_DEPTH, 0);
  }

  interruptsOff(): void {
    this.set(HART_IRQ_OFF_DEPTH, this.get(HART_IRQ_OFF_DEPTH) + 1);
  }

  interruptsOn(): void {
    this.set(HART_IRQ_OFF_DEPTH, this.get(HART_IRQ_OFF_DEPTH) - 1);
  }

  /** May not be called with a spin lock held, in an RCU section, or with interrupts off. */
  inAtomicContext(): boolean {
    return this.get(HART_LOCK_COUNT) > 0 || this.get(HART_RCU_NESTING) > 0 || this.get(HART_IRQ_OFF_DEPTH) > 0;
  }
}

/** Address of the block of hart `id`. */
export function hartBase(id: number): number {
  return HART_BASE + id * HART_BYTES;
}

/** Address of the run queue of hart `id`. */
export function rqOf(id: number): number {
  return RQ_BASE + id * RQ_BYTES;
}
