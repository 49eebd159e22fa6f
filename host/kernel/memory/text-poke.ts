// The clients of the temporary mm. text_poke changes a word of kernel text through a writable alias that only the
// poking hart can see. A call into firmware runs with the firmware's own map, for long, and takes interrupts meanwhile.

import {
  IPI_FENCE_I,
  MACHINE_BASE,
  MACHINE_STUB_PFN,
  PTE_A,
  PTE_D,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_U,
  PTE_V,
  PTE_W,
} from "../../../assembly/layout.ts";
import { KernelBug } from "../../memory/errors.ts";
import { copyRunningOthers, sendIpi } from "../../memory/ipi.ts";
import { mmAlloc, mmput } from "../../mm/mm.ts";
import { allocPte } from "../../mm/table/page-table.ts";
import { lockPte, unlockPte } from "../../mm/table/pte-lock.ts";
import { clearPte, setNewPte } from "../../mm/table/set-pte.ts";
import type { Hart } from "../../policy/hart.ts";
import { leaveTemporaryMm, useTemporaryMm } from "./temporary-mm.ts";

/** Where the alias lies in its mm. */
const ALIAS_VPN = 0x1000;
const INSTRUCTION_NOP = 0x00000013;

/** Writes `word` at byte `offset` of the stub page; every hart executes it afterwards. False: out of memory. */
export function textPoke(hart: Hart, offset: number, word: number): boolean {
  const mm = mmAlloc(hart);
  if (mm === 0) return false;
  const pte = allocPte(hart, mm, ALIAS_VPN);
  if (pte !== 0) {
    const rights = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
    lockPte(hart, pte);
    setNewPte(hart, pte, (hart.shared.get(MACHINE_BASE + MACHINE_STUB_PFN) << PTE_PPN_SHIFT) | rights);
    unlockPte(hart, pte);
    const previous = useTemporaryMm(hart, mm);
    const stored = hart.core.userStore32(ALIAS_VPN * 4096 + offset, word);
    leaveTemporaryMm(hart, mm, previous);
    if (!stored) throw new KernelBug("text_poke faulted", { offset });
    lockPte(hart, pte);
    clearPte(hart, pte); // the frame is not the mm's to free
    unlockPte(hart, pte);
    hart.core.fenceI();
    if (copyRunningOthers(hart, hart.flushMask)) sendIpi(hart, hart.flushMask, IPI_FENCE_I, 0);
  }
  mmput(hart, mm);
  return pte !== 0;
}

/** Another kind of nop: what a kernel that traces itself pokes. */
export function pokeNop(hart: Hart, immediate: number): boolean {
  return textPoke(hart, 0, INSTRUCTION_NOP | ((immediate & 0x7ff) << 20)); // addi x0, x0, immediate
}

/** A call that takes `polls` polls, with interrupts on: what a runtime service of the firmware is like. */
export function firmwareCall(hart: Hart, firmwareMm: number, polls: number): void {
  const previous = useTemporaryMm(hart, firmwareMm);
  hart.interruptsOn();
  for (let i = 0; i < polls; i++) hart.pollIrq();
  hart.interruptsOff();
  leaveTemporaryMm(hart, firmwareMm, previous);
}
