import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { dupMm } from "../../../mm/dup-mmap.ts";
import { mmput } from "../../../mm/mm.ts";
import { scenario } from "../../scenario.ts";
import { pageAt, sharedMm } from "../address-space.ts";
import { enterUser, guestStoreOrFault, leaveUser } from "../guest.ts";
import { exitAndLeave } from "../threads.ts";

interface State {
  readonly mm: number;
}

const PAGES = 2;

/** fork under a writer, where any allocation may fail: what was copied so far is given back, and nothing else is. */
export const forkWithoutMemory = scenario<State>({
  name: "B/fork-without-memory",
  summary: "fork copies an address space that another hart writes; any allocation may fail",
  injects: ["allocation-failure"],
  finds: {},
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, PAGES) };
  },
  programs: [forkAndEnd, write],
  tearDown: exitAndLeave,
});

function forkAndEnd(hart: KernelHart, { mm }: State): void {
  const child = dupMm(hart, mm);
  if (child !== 0) mmput(hart, child);
}

function write(hart: KernelHart): void {
  enterUser(hart);
  for (let page = 0; page < PAGES; page++) guestStoreOrFault(hart, pageAt(page), page);
  leaveUser(hart);
}
