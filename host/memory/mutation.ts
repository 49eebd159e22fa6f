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
