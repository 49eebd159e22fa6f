// Every scenario, by family. Each is found by its name, on the command line and in schedule files.

import type { Scenario } from "../scenario.ts";
import { exitWhileLazy } from "./lazy-tlb/exit-while-lazy.ts";
import { kthreadUser } from "./lazy-tlb/kthread.ts";
import { offlineWhileLazy } from "./lazy-tlb/offline.ts";
import { recycledSlot } from "./lazy-tlb/recycled-slot.ts";
import { returnAfterwards, returnMeanwhile } from "./lazy-tlb/return-to-another.ts";
import { switchInWeak, switchInWhileUnmapping } from "./lazy-tlb/switch-in.ts";
import { twoExits } from "./lazy-tlb/two-exits.ts";
import { dekker } from "./membarrier/dekker.ts";
import { nmiReadsUserStack } from "./nmi/user-stack.ts";
import { nmiWhileLazy } from "./nmi/while-lazy.ts";
import { firmwareWhileLazy, pokeAndLook } from "./temporary-mm/firmware.ts";
import { asidReused } from "./tlb-flush/asid-reused.ts";
import { forkWithoutMemory } from "./tlb-flush/fork-without-memory.ts";
import { hugePage } from "./tlb-flush/huge-page.ts";
import { kernelPage } from "./tlb-flush/kernel-page.ts";
import { cleanShared, protectThenStore, refillHash } from "./tlb-flush/protect-then-store.ts";
import { reclaimUnderReader } from "./tlb-flush/reclaim.ts";
import { crossFlush, fullFlush, twoFlushers } from "./tlb-flush/two-flushers.ts";
import { freeTables, freeTablesOfLazy, unmapUnderReader, unmapUnderReaders } from "./tlb-flush/unmap-under-reader.ts";
import { nmiTrustsLoadedMm } from "./unsound/nmi-user-stack.ts";
import { nodeAfterWait } from "./unsound/node-after-wait.ts";
import { pollAsAnswer } from "./unsound/poll-as-answer.ts";
import {
  faultAgainstShrink,
  faultAgainstUnmap,
  firstFaultOfTable,
  rangeOfDetached,
  sequenceWraps,
  unmapInPlace,
} from "./vma-lock/fault-against-unmap.ts";
import { earliestGrace } from "./vma-lock/grace.ts";
import { attachWeak, foreignVma, lockAgainstUnmap } from "./vma-lock/lock-alone.ts";
import { recycleAsCopy, recycleHere, recycleThere, recycleWeak } from "./vma-lock/recycle.ts";
import { fork, readerLimit, stackGrows, tableOfNeighbour } from "./vma-lock/users.ts";

export const SCENARIOS: readonly Scenario[] = [
  nmiWhileLazy,
  exitWhileLazy,
  returnMeanwhile,
  returnAfterwards,
  twoExits,
  recycledSlot,
  kthreadUser,
  offlineWhileLazy,
  switchInWeak,
  unmapUnderReader,
  unmapUnderReaders,
  freeTables,
  freeTablesOfLazy,
  crossFlush,
  twoFlushers,
  fullFlush,
  switchInWhileUnmapping,
  asidReused,
  protectThenStore,
  cleanShared,
  refillHash,
  kernelPage,
  hugePage,
  reclaimUnderReader,
  forkWithoutMemory,
  firmwareWhileLazy,
  pokeAndLook,
  nmiReadsUserStack,
  dekker,
  faultAgainstUnmap,
  firstFaultOfTable,
  faultAgainstShrink,
  sequenceWraps,
  unmapInPlace,
  rangeOfDetached,
  recycleHere,
  recycleWeak,
  recycleThere,
  recycleAsCopy,
  lockAgainstUnmap,
  foreignVma,
  attachWeak,
  fork,
  stackGrows,
  readerLimit,
  tableOfNeighbour,
  earliestGrace,
];

/** Scenarios with a mistake of their own, for the tests: what is injected must show it. */
const UNSOUND: readonly Scenario[] = [nmiTrustsLoadedMm, nodeAfterWait, pollAsAnswer];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name) ?? UNSOUND.find((scenario) => scenario.name === name);
}
