import {
  KERNEL_STUB_VPN,
  MACHINE_BASE,
  MACHINE_INIT_MM,
  MACHINE_STUB_PFN,
  PTE_A,
  PTE_G,
  PTE_PPN_SHIFT,
  PTE_R,
  PTE_V,
  PTE_X,
} from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { runStub } from "../../../kernel/sched/idle.ts";
import { allocFrame } from "../../../mm/frame/frames.ts";
import { frameAddress } from "../../../mm/frame/page.ts";
import { freeFrame } from "../../../mm/frame/page-refs.ts";
import { findPte } from "../../../mm/table/page-table.ts";
import { scenario } from "../../scenario.ts";
import { claim } from "../claim.ts";
import { tell, told } from "../signal.ts";
import { leaveAll } from "../tasks.ts";
import { hasTranslationTo } from "../tlb.ts";

interface State {
  readonly pte: number;
  readonly stub: number;
  /** A copy of the stub page. */
  readonly copy: number;
}

const MOVED = 0;

/** A global page of the kernel half moves to another frame; every hart has it in its TLB, whatever its ASID. */
export const kernelPage = scenario<State>({
  name: "B/kernel-page",
  summary: "a global kernel page moves while another hart executes it",
  finds: { "B-M12": {} },
  setUp(hart) {
    const { shared } = hart;
    const initMm = shared.get(MACHINE_BASE + MACHINE_INIT_MM);
    const stub = shared.get(MACHINE_BASE + MACHINE_STUB_PFN);
    const copy = allocFrame(hart);
    hart.core.copyPage(frameAddress(copy), frameAddress(stub));
    return { pte: findPte(hart, initMm, KERNEL_STUB_VPN), stub, copy };
  },
  programs: [
    (hart, { pte, copy }) => {
      mapStub(hart, pte, copy);
      hart.policies.tlbFlush.flushKernel(hart, KERNEL_STUB_VPN, 1);
      tell(hart, MOVED);
    },
    (hart, { stub }) => {
      for (let round = 0; round < 3; round++) {
        hart.pollIrq();
        runStub(hart);
        if (told(hart, MOVED)) claim(!hasTranslationTo(hart, stub), "a global page outlives its flush in a TLB");
      }
    },
  ],
  tearDown(hart, { pte, stub, copy }) {
    leaveAll(hart);
    if (hart.id !== 0) return;
    mapStub(hart, pte, stub);
    hart.policies.tlbFlush.flushKernel(hart, KERNEL_STUB_VPN, 1);
    freeFrame(hart, copy);
  },
});

function mapStub(hart: KernelHart, pte: number, pfn: number): void {
  hart.shared.exchange(pte, (pfn << PTE_PPN_SHIFT) | PTE_V | PTE_R | PTE_X | PTE_G | PTE_A);
}
