import { HART_X, PAGE_BYTES } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { firmwareCall } from "../../../kernel/memory/text-poke.ts";
import { doMadvise } from "../../../mm/call/madvise.ts";
import { mmAlloc, mmput } from "../../../mm/mm.ts";
import { MADV_DONTNEED } from "../../../mm/uapi.ts";
import { type Scenario, scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { awaitTold, tell } from "../signal.ts";
import { exitAndLeave, readPages } from "../threads.ts";

interface State {
  readonly mm: number;
  readonly firmware: number;
}

const SP = 2;
const GONE = 0;
const POLLS = 3;

/** A hart reads its stack, calls the firmware, and waits, while another one takes the stack away; NMIs read it too. */
export function readsUserStack(name: string, summary: string, nmi?: Scenario["nmi"]): Scenario {
  return scenario<State>({
    name,
    summary,
    injects: ["nmi"],
    nmi,
    finds: {},
    setUp(hart, harts) {
      const mm = sharedMm(harts, 1);
      for (const each of harts) each.set(HART_X + 8 * SP, pageAt(0));
      readPages(harts[1], 1, 1);
      return { mm, firmware: mmAlloc(hart) };
    },
    programs: [takeStack, callFirmwareAndWait],
    tearDown(hart, { firmware }) {
      exitAndLeave(hart);
      if (hart.id === 0) mmput(hart, firmware);
    },
  });
}

export const nmiReadsUserStack = readsUserStack(
  "F/nmi-user-stack",
  "NMIs read the user stack around a temporary mm and a flush of it",
);

function takeStack(hart: KernelHart, { mm }: State): void {
  doMadvise(hart, mm, pageAt(0), PAGE_BYTES, MADV_DONTNEED);
  tell(hart, GONE);
}

function callFirmwareAndWait(hart: KernelHart, { firmware }: State): void {
  readPages(hart, 1, 1);
  firmwareCall(hart, firmware, POLLS);
  readPages(hart, 1, 1);
  awaitTold(hart, GONE);
}
