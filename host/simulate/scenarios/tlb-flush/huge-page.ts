import { PAGE_BYTES, RUN_FRAMES, VM_HUGEPAGE } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { doMadvise } from "../../../mm/call/madvise.ts";
import { findHuge } from "../../../mm/table/page-table.ts";
import { MADV_DONTNEED } from "../../../mm/uapi.ts";
import { scenario } from "../../scenario.ts";
import { pageAt, READ_WRITE, sharedMm } from "../address-space.ts";
import { claim } from "../claim.ts";
import { exitAndLeave, readPages } from "../threads.ts";

interface State {
  readonly mm: number;
}

/** Somewhere in the middle of the huge page: its translation is a fragment of the leaf. */
const READ = 137;

/** A huge page is taken away, with one fence for all of it, while another hart reads a part of it. */
export const hugePage = scenario<State>({
  name: "B/huge-page",
  summary: "a leaf of 2 MiB is taken away while another hart reads in the middle of it",
  ramBytes: 1 << 24,
  finds: { "B-M11": {} },
  setUp(hart, harts) {
    const mm = sharedMm(harts, RUN_FRAMES, READ_WRITE | VM_HUGEPAGE, [0]);
    claim(findHuge(hart, mm, pageAt(0) / PAGE_BYTES) !== 0, "the scenario's page is no huge one");
    return { mm };
  },
  programs: [dropAll, (hart) => readPages(hart, 1, 4, READ)],
  tearDown: exitAndLeave,
});

function dropAll(hart: KernelHart, { mm }: State): void {
  doMadvise(hart, mm, pageAt(0), RUN_FRAMES * PAGE_BYTES, MADV_DONTNEED);
}
