import {
  PAGE_BYTES,
  VM_MAYREAD,
  VM_MAYSHARE,
  VM_MAYWRITE,
  VM_READ,
  VM_SHARED,
  VM_WRITE,
} from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { doMadvise } from "../../../mm/call/madvise.ts";
import { doMprotect } from "../../../mm/call/mprotect.ts";
import { findPte } from "../../../mm/table/page-table.ts";
import { lockPte, unlockPte } from "../../../mm/table/pte-lock.ts";
import { MADV_DONTNEED, PROT_READ } from "../../../mm/uapi.ts";
import { type Scenario, scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { claim } from "../claim.ts";
import { enterUser, guestStore, leaveUser } from "../guest.ts";
import { tell, told } from "../signal.ts";
import { exitAndLeave } from "../threads.ts";

interface State {
  readonly mm: number;
}

const STORES = 4;
const DONE = 0;

/** mprotect has returned: no store may succeed any more. */
export const protectThenStore = scenario<State>({
  name: "B/protect-then-store",
  summary: "mprotect takes the right to write from a page that another hart writes",
  finds: { "B-M14": {} },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 1) };
  },
  programs: [
    (hart, { mm }) => {
      doMprotect(hart, mm, pageAt(0), PAGE_BYTES, PROT_READ);
      tell(hart, DONE);
    },
    (hart) => storeUntil(hart, "a store succeeded after mprotect had taken the right away"),
  ],
  tearDown: exitAndLeave,
});

/** The page-table lock is free again: whoever has it next may take the page for clean. */
function cleanAfterUnmap(name: string, summary: string, flags: number, finds: Scenario["finds"]): Scenario {
  return scenario<State>({
    name,
    summary,
    policies: Object.values(finds)[0],
    finds,
    setUp(_hart, harts) {
      return { mm: sharedMm(harts, 1, flags) };
    },
    programs: [
      (hart, { mm }) => {
        doMadvise(hart, mm, pageAt(0), PAGE_BYTES, MADV_DONTNEED);
      },
      (hart) => storeUntil(hart, "a store succeeded by an old translation after the page was found clean"),
      lookForClean,
    ],
    tearDown: exitAndLeave,
  });
}

export const cleanShared = cleanAfterUnmap(
  "B/clean-shared",
  "a dirty shared page is unmapped, and cleaned by another hart, while a third one writes it",
  VM_READ | VM_WRITE | VM_SHARED | VM_MAYREAD | VM_MAYWRITE | VM_MAYSHARE,
  { "B-M5": {} },
);

export const refillHash = cleanAfterUnmap(
  "B/refill-hash",
  "hash-batch: the page-table lock is free again while a hart still writes by the old entry",
  VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE,
  { "B-M13": { "tlb-flush": "hash-batch" } },
);

/** Finds the entry empty, under its lock. */
function lookForClean(hart: KernelHart, { mm }: State): void {
  for (let look = 0; look < STORES; look++) {
    const pte = findPte(hart, mm, pageAt(0) / PAGE_BYTES);
    lockPte(hart, pte);
    if (hart.shared.loadOnce(pte) === 0) tell(hart, DONE);
    unlockPte(hart, pte);
  }
}

function storeUntil(hart: KernelHart, what: string): void {
  enterUser(hart);
  for (let i = 0; i < STORES; i++) {
    const done = told(hart, DONE) !== 0;
    const stored = guestStore(hart, pageAt(0), i);
    claim(!(done && stored), what);
  }
  leaveUser(hart);
}
