// Mutations: mistakes that the machine can be told to make, one at a time, to see whether the tests and the explorer
// notice. Each is a switch inside the real code, so that what is tested without one is what runs. The build constant
// takes all of them out of the threaded worker: no branch is left.

declare const __MUTATIONS__: boolean | undefined;

/** False in the threaded bundle alone. */
export const MUTATIONS: boolean = typeof __MUTATIONS__ === "undefined" || __MUTATIONS__;

// Numbers: the family's letter << 8 | number. 0 = none.
export const A_M1 = 0x4101;
export const A_M2 = 0x4102;
export const A_M3 = 0x4103;
export const A_M4 = 0x4104;
export const A_M5 = 0x4105;
export const A_M6 = 0x4106;
export const A_M7 = 0x4107;
export const A_M8 = 0x4108;
export const A_M9 = 0x4109;
export const A_M10 = 0x410a;
export const A_M11 = 0x410b;
export const A_M12 = 0x410c;
export const A_M13 = 0x410d;
export const A_M14 = 0x410e;
export const A_M15 = 0x410f;
export const B_M1 = 0x4201;
export const B_M2 = 0x4202;
export const B_M3 = 0x4203;
export const B_M4 = 0x4204;
export const B_M5 = 0x4205;
export const B_M6 = 0x4206;
export const B_M7 = 0x4207;
export const B_M8 = 0x4208;
export const B_M9 = 0x4209;
export const B_M10 = 0x420a;
export const B_M11 = 0x420b;
export const B_M12 = 0x420c;
export const B_M13 = 0x420d;
export const B_M14 = 0x420e;
export const B_M15 = 0x420f;
export const D_M1 = 0x4401;
export const D_M2 = 0x4402;
export const D_M3 = 0x4403;
export const D_M4 = 0x4404;
export const D_M5A = 0x4405;
export const D_M5B = 0x4485;
export const D_M6 = 0x4406;
export const D_M7 = 0x4407;
export const D_M8 = 0x4408;
export const D_M9 = 0x4409;
export const D_M10 = 0x440a;
export const D_M11 = 0x440b;
export const D_M12 = 0x440c;
export const D_M13 = 0x440d;
export const D_M14 = 0x440e;
export const D_M15 = 0x440f;
export const D_M16 = 0x4410;
export const D_M17 = 0x4411;
export const D_M18 = 0x4412;
export const D_M19 = 0x4413;
export const D_M20 = 0x4414;
export const D_M21 = 0x4415;
export const D_M22 = 0x4416;
export const D_M23 = 0x4417;
export const D_M24 = 0x4418;
export const F_M1 = 0x4601;
export const F_M2 = 0x4602;
export const F_M3 = 0x4603;
export const F_M4 = 0x4604;
export const F_M5 = 0x4605;

export interface Mutation {
  /** As the user writes it: "A-M1". */
  readonly id: string;
  readonly number: number;
  readonly mistake: string;
}

export const MUTATION_TABLE: readonly Mutation[] = [
  { id: "A-M1", number: A_M1, mistake: "the last reference is dropped without an IPI to the borrowers" },
  { id: "A-M2", number: A_M2, mistake: "the IPI is acknowledged before satp is written" },
  { id: "A-M3", number: A_M3, mistake: "the handler writes satp but leaves active_mm" },
  { id: "A-M4", number: A_M4, mistake: "no barrier between the cpumask bit and what is read after it" },
  { id: "A-M5", number: A_M5, mistake: "borrowers are looked for by a cpumask that forgets them early" },
  { id: "A-M6", number: A_M6, mistake: "hazard: lazy_mm is not read again after drop_mm" },
  { id: "A-M7", number: A_M7, mistake: "hazard: references are added after one was parked in drop_mm" },
  { id: "A-M8", number: A_M8, mistake: "the borrowed mm is handed back before satp has moved away" },
  { id: "A-M9", number: A_M9, mistake: "a temporary mm is entered while the hart borrows another" },
  { id: "A-M10", number: A_M10, mistake: "kthread_use_mm takes the borrower's reference for its own" },
  { id: "A-M11", number: A_M11, mistake: "refcount: the reference is dropped before the switch" },
  { id: "A-M12", number: A_M12, mistake: "a hart that waits for an IPI does not serve its own mailbox" },
  { id: "A-M13", number: A_M13, mistake: "a hart goes offline while it borrows an mm" },
  { id: "A-M14", number: A_M14, mistake: "the last reference trusts a broadcast flush to have ended the borrowing" },
  { id: "A-M15", number: A_M15, mistake: "hazard: drop_mm without a sequence" },
  { id: "B-M1", number: B_M1, mistake: "one hart of the mask is not told" },
  { id: "B-M2", number: B_M2, mistake: "the cpumask is read before tlb_gen is raised" },
  { id: "B-M3", number: B_M3, mistake: "pages are freed before the flush" },
  { id: "B-M4", number: B_M4, mistake: "tables are freed after a flush of leaf entries" },
  { id: "B-M5", number: B_M5, mistake: "the page-table lock is dropped before a dirty shared page is flushed" },
  { id: "B-M6", number: B_M6, mistake: "the handler trusts a range although generations are missing" },
  { id: "B-M7", number: B_M7, mistake: "a broadcast is not waited for" },
  { id: "B-M8", number: B_M8, mistake: "an ASID is used again without a flush" },
  { id: "B-M9", number: B_M9, mistake: "a lazy hart is skipped although tables are freed" },
  { id: "B-M10", number: B_M10, mistake: "the last page of a range is not flushed" },
  { id: "B-M11", number: B_M11, mistake: "a huge page is flushed at one wrong address" },
  { id: "B-M12", number: B_M12, mistake: "a global page is flushed by ASID" },
  { id: "B-M13", number: B_M13, mistake: "hash-batch: the page-table lock is dropped before the batch is flushed" },
  { id: "B-M14", number: B_M14, mistake: "mprotect takes rights away without a flush" },
  { id: "B-M15", number: B_M15, mistake: "the generation is read after the full flush" },
  { id: "D-M1", number: D_M1, mistake: "the range is not looked at again once the vma is locked" },
  { id: "D-M2", number: D_M2, mistake: "the mm is not looked at once the vma is locked" },
  { id: "D-M3", number: D_M3, mistake: "the sequence is read only before the reader counts itself in" },
  {
    id: "D-M4",
    number: D_M4,
    mistake: "as in version 9: the sequence is that of the mm in the vma, whose mm is looked at last",
  },
  { id: "D-M5a", number: D_M5A, mistake: "a vma is attached by a store without release" },
  { id: "D-M5b", number: D_M5B, mistake: "a reader counts itself in without acquire" },
  { id: "D-M6", number: D_M6, mistake: "a copy of a vma takes over its count" },
  { id: "D-M7", number: D_M7, mistake: "exit_mmap frees vmas without detaching them" },
  {
    id: "D-M8",
    number: D_M8,
    mistake: "the reader wakes the writer of the mm that the vma is in after the count is dropped",
  },
  { id: "D-M9", number: D_M9, mistake: "no reference on the mm of a vma that has become another's, while it is put" },
  { id: "D-M10", number: D_M10, mistake: "a vma is used again after the read section was left" },
  { id: "D-M11", number: D_M11, mistake: "a vma is detached and its late readers are not waited for" },
  { id: "D-M12", number: D_M12, mistake: "the writer waits for one reader less than there can be" },
  { id: "D-M13", number: D_M13, mistake: "a downgrade of mmap_lock leaves the vmas write-locked" },
  { id: "D-M14", number: D_M14, mistake: "no limit on the number of readers" },
  { id: "D-M15", number: D_M15, mistake: "a vma is freed before it is detached" },
  { id: "D-M16", number: D_M16, mistake: "rwsem: the range is read before detached" },
  { id: "D-M17", number: D_M17, mistake: "vmas are changed before they are write-locked" },
  { id: "D-M18", number: D_M18, mistake: "fork does not write-lock the vmas of the parent" },
  { id: "D-M19", number: D_M19, mistake: "a sequence that has come round counts as unlocked" },
  { id: "D-M20", number: D_M20, mistake: "whether to wake is decided before the count is dropped" },
  { id: "D-M21", number: D_M21, mistake: "a read lock that was refused is taken for granted" },
  { id: "D-M22", number: D_M22, mistake: "a node of the map is freed without a grace period" },
  { id: "D-M23", number: D_M23, mistake: "detaching waits although nobody is left to wait for" },
  { id: "D-M24", number: D_M24, mistake: "the counts are dropped without release" },
  { id: "F-M1", number: F_M1, mistake: "no barrier where mmdrop used to be one" },
  { id: "F-M2", number: F_M2, mistake: "the barrier comes before the store of rq.curr" },
  { id: "F-M3", number: F_M3, mistake: "a temporary mm gives way to an mm that has died" },
  { id: "F-M4", number: F_M4, mistake: "the alias of a temporary mm is not flushed" },
  { id: "F-M5", number: F_M5, mistake: "kthread_unuse_mm drops its reference before it borrows" },
];

/** The number of "A-M1", or 0. */
export function mutationNumber(id: string): number {
  return MUTATION_TABLE.find((row) => row.id === id)?.number ?? 0;
}

/** "A-M1", or "" for 0. */
export function mutationId(number: number): string {
  return MUTATION_TABLE.find((row) => row.number === number)?.id ?? "";
}
