// What threads of scenarios do on their way out, and while they read.

import type { KernelHart } from "../../kernel/kernel-hart.ts";
import { exitMm } from "../../kernel/sched/switch.ts";
import { mmput } from "../../mm/mm.ts";
import { pageAt } from "./address-space.ts";
import { enterUser, guestLoad, leaveUser } from "./guest.ts";
import { leaveAll, switchToIdle } from "./tasks.ts";

/** The current thread ends; its hart stays on the mm, in its idle task. */
export function exitThread(hart: KernelHart): void {
  const mm = exitMm(hart);
  switchToIdle(hart);
  if (mm !== 0) mmput(hart, mm);
}

/** A tear-down: the thread that is current, if there is one, ends, and nothing stays borrowed. */
export function exitAndLeave(hart: KernelHart): void {
  exitThread(hart);
  leaveAll(hart);
}

/** Reads the pages in turn; a page that is gone reads as a fault, which ends nothing. */
export function readPages(hart: KernelHart, pages: number, rounds: number, first = 0): void {
  enterUser(hart);
  for (let round = 0; round < rounds; round++) {
    for (let page = 0; page < pages; page++) guestLoad(hart, pageAt(first + page));
  }
  leaveUser(hart);
}
