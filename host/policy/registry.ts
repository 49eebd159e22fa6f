// Every policy by seam and name, and what is chosen when nobody says anything.

import { earlyClear } from "./cpumask/early-clear.ts";
import { exact } from "./cpumask/exact.ts";
import { lazyclear } from "./cpumask/lazyclear.ts";
import { sticky } from "./cpumask/sticky.ts";
import { makeEager } from "./lazy-tlb/eager.ts";
import { makeHazard, makeHazardMask } from "./lazy-tlb/hazard.ts";
import { makeIsLazy } from "./lazy-tlb/is-lazy.ts";
import { makeQsbr } from "./lazy-tlb/qsbr.ts";
import { makeRefcount } from "./lazy-tlb/refcount.ts";
import { makeActiveFree, makeLastMmput, makeShoot, makeShootAtFlush, makeShootHash } from "./lazy-tlb/shoot.ts";
import type { Cpumask, LazyTlb, MmFrame, PolicyEntry, SeamName, TlbFlush, VmaLock } from "./seams.ts";
import { asidGlobal } from "./tlb-flush/asid-global.ts";
import { asidLocal } from "./tlb-flush/asid-local.ts";
import { broadcast } from "./tlb-flush/broadcast.ts";
import { fullAll } from "./tlb-flush/full-all.ts";
import { hashBatch } from "./tlb-flush/hash-batch.ts";
import { hybrid } from "./tlb-flush/hybrid.ts";
import { ipiMask } from "./tlb-flush/ipi-mask.ts";
import { ipte } from "./tlb-flush/ipte.ts";
import { reclaimBatch } from "./tlb-flush/reclaim-batch.ts";
import { makeMmapLock } from "./vma-lock/mmap-lock.ts";
import { makeRefcountTypesafe, makeRefcount as makeVmaRefcount } from "./vma-lock/refcount.ts";
import { makeRwsem, makeRwsemExternal } from "./vma-lock/rwsem.ts";
import { makeSpeculative } from "./vma-lock/speculative.ts";

export const SEAMS: Readonly<Record<SeamName, { readonly question: string; readonly standard: string }>> = {
  "lazy-tlb": { question: "who keeps a borrowed mm alive?", standard: "refcount" },
  "tlb-flush": { question: "which harts must drop which translations, and how are they told?", standard: "ipi-mask" },
  cpumask: { question: "how exact is the set of harts that use an mm?", standard: "exact" },
  "vma-lock": { question: "what does a fault lock?", standard: "refcount-typesafe" },
};

const lazy = (name: string, line: string, debate: string, make: (frame: MmFrame) => LazyTlb): PolicyEntry => ({
  seam: "lazy-tlb",
  name,
  line,
  debate,
  make,
});

const flush = (policy: TlbFlush, line: string, debate: string): PolicyEntry => ({
  seam: "tlb-flush",
  name: policy.name,
  line,
  debate,
  make: () => policy,
});

const mask = (policy: Cpumask, line: string, debate: string): PolicyEntry => ({
  seam: "cpumask",
  name: policy.name,
  line,
  debate,
  make: () => policy,
});

const vmaLock = (name: string, line: string, debate: string, make: (frame: MmFrame) => VmaLock): PolicyEntry => ({
  seam: "vma-lock",
  name,
  line,
  debate,
  make,
});

export const POLICIES: readonly PolicyEntry[] = [
  lazy("eager", "nobody borrows: init_mm is loaded at every switch to the kernel", "before lazy TLB", makeEager),
  lazy("refcount", "each borrower holds an mm_count reference", "MMU_LAZY_TLB_REFCOUNT, the default", makeRefcount),
  lazy("shoot", "the last mmdrop tells every borrower", "Piggin 2020: shoot lazies, merged for powerpc64", makeShoot),
  lazy("shoot-hash", "shoot, where a flush runs no code elsewhere", "powerpc hash MMU, same thread", makeShootHash),
  lazy("shoot-at-flush", "the last flush tells them too", "Piggin 2020-12-04: powerpc radix", makeShootAtFlush),
  lazy("hazard", "exit looks at each hart's lazy_mm", "Lutomirski 2022-01: hazard pointers, 16/23", makeHazard),
  lazy("hazard-mask", "hazard, looking only at mm_cpumask", "the same patch's note on exact masks", makeHazardMask),
  lazy("last-mmput", "nobody borrows after the last mmput's flush", "Torvalds 2022-01, for x86", makeLastMmput),
  lazy("active-free", "last-mmput without active_mm", "Lutomirski 2022-01-10: remove active_mm", makeActiveFree),
  lazy("qsbr", "an mm goes when every hart has switched once", "Zijlstra 2020-12-02", makeQsbr),
  lazy("is-lazy", "refcount; flushes skip lazy harts, tlb_gen catches up", "x86 today", makeIsLazy),
  flush(fullAll, "an IPI to all harts for each entry, full flush", "the upper bound"),
  flush(ipiMask, "IPI to mm_cpumask, range or full, tlb_gen", "x86, RISC-V"),
  flush(broadcast, "hardware TLBI and TLBSYNC, no IPI", "powerpc tlbie, arm64, AMD INVLPGB"),
  flush(hybrid, "local, IPI or broadcast by how many harts use the mm", "powerpc radix; Lameter's arm64 tlb_mode"),
  flush(hashBatch, "entries batched under the page-table lock", "powerpc hash MMU"),
  flush(ipte, "clearing an entry is itself a broadcast", "s390 IPTE and IDTE"),
  flush(reclaimBatch, "ipi-mask, and one flush for all that reclaim took", "mm/rmap.c try_to_unmap_flush"),
  flush(asidLocal, "ipi-mask with a few ASIDs per hart", "x86 PCID"),
  flush(asidGlobal, "one ASID per mm, generations with rollover", "RISC-V, arm64"),
  mask(exact, "a hart is in it while the mm is loaded", "most architectures"),
  mask(sticky, "a hart stays in it", "powerpc until trimmed"),
  mask(lazyclear, "a hart leaves it at the first useless flush", "x86 since 6.14, lazy mm_cpumask"),
  mask(earlyClear, "a borrower is out of it too early", "Lutomirski 2020: mm_cpumask is not reliable"),
  vmaLock("mmap-lock", "mmap_lock for read", "Linux before 6.4", makeMmapLock),
  vmaLock("speculative", "nothing; anonymous faults look afterwards", "Dufour 2017-2019: SPF", makeSpeculative),
  vmaLock(
    "rwsem-external",
    "a lock of the vma, in a record of its own",
    "Baghdasaryan 2023, Linux 6.4",
    makeRwsemExternal,
  ),
  vmaLock("rwsem", "a lock in the vma", "Baghdasaryan 2025: v9, patches 1-2", makeRwsem),
  vmaLock("refcount", "a count in the vma, freed after a grace period", "same series, patches 7-11", makeVmaRefcount),
  vmaLock(
    "refcount-typesafe",
    "the count; records are reused at once",
    "same, patches 15-16; Linux 6.15",
    makeRefcountTypesafe,
  ),
];

export function findPolicy(entries: readonly PolicyEntry[], seam: SeamName, name: string): PolicyEntry | undefined {
  return entries.find((entry) => entry.seam === seam && entry.name === name);
}
