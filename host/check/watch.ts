// All checkers on one machine: they share the hooks, and the first report of a schedule counts.

import type { HartLocal } from "../memory/hart-local.ts";
import type { Observer } from "../memory/schedule.ts";
import type { Report, StateChecker } from "./checker.ts";
import { LeftOverChecker } from "./left-over.ts";
import { LifetimeChecker } from "./lifetime.ts";
import { LoadedMmChecker } from "./loaded-mm.ts";
import { LockOrderChecker } from "./lock-order.ts";
import { SleepingChecker } from "./sleeping.ts";
import { TranslationChecker } from "./translations.ts";
import { VmaLockChecker } from "./vma-locks.ts";

export class Watch implements Observer {
  readonly #harts: readonly HartLocal[];
  readonly #translations: TranslationChecker;
  readonly #locks: LockOrderChecker;
  readonly #lifetime: LifetimeChecker;
  readonly #sleeping: SleepingChecker;
  readonly #vmaLocks: VmaLockChecker;
  readonly #states: readonly StateChecker[];
  /** Goes up when something happens that matters to a checker although no shared word says so. */
  events = 0;
  /** Told of each record that is freed. */
  onFreed: ((pool: number, slot: number) => void) | null = null;

  /** Before the scenario's set-up. With `nmisLook`, what an NMI would read is left to NMIs. */
  constructor(harts: readonly HartLocal[], report: Report, nmisLook = false) {
    this.#harts = harts;
    this.#translations = new TranslationChecker(harts, (text) => report("stale translation", text));
    this.#locks = new LockOrderChecker(harts, report);
    this.#lifetime = new LifetimeChecker(report);
    this.#sleeping = new SleepingChecker(harts, report);
    this.#vmaLocks = new VmaLockChecker(harts, report);
    const loadedMm = new LoadedMmChecker(harts, () => this.events++, nmisLook);
    this.#states = [loadedMm, new LeftOverChecker(harts[0].shared), this.#vmaLocks];
  }

  reset(): void {
    for (const state of this.#states) state.reset();
    this.#translations.reset();
    this.#locks.reset();
    this.#lifetime.reset();
  }

  /** Between two accesses: a violation, or "". */
  check(): string {
    for (const state of this.#states) {
      const found = state.check();
      if (found !== "") return found;
    }
    return "";
  }

  checkAtEnd(): string {
    return this.#states.map((state) => state.checkAtEnd()).find((found) => found !== "") ?? "";
  }

  access(hart: number, address: number): void {
    this.#lifetime.access(hart, address);
    this.#vmaLocks.access(hart, address);
  }

  satpLoaded(hart: number): void {
    this.#translations.satpLoaded(this.#harts[hart]);
  }

  guestAccess(hart: number, va: number): void {
    this.events++;
    this.#translations.guestAccess(this.#harts[hart], va);
  }

  lockWanted(hart: number, address: number): void {
    this.#locks.wanted(hart, address);
  }

  lockTaken(hart: number, address: number): void {
    this.#locks.taken(hart, address);
  }

  lockDropped(hart: number, address: number): void {
    this.#locks.dropped(hart, address);
  }

  mightSleep(hart: number, what: string): void {
    this.#sleeping.mightSleep(hart, what);
  }

  allocated(pool: number, slot: number): void {
    this.#lifetime.allocated(pool, slot);
  }

  freed(pool: number, slot: number): void {
    this.events++;
    this.onFreed?.(pool, slot);
    this.#lifetime.freed(pool, slot);
    this.#vmaLocks.freed(pool, slot);
  }

  vmaReadTaken(hart: number, mm: number, vma: number, vpn: number): void {
    this.events++;
    this.#vmaLocks.taken(hart, mm, vma, vpn);
  }

  vmaReadDropped(hart: number, vma: number): void {
    this.events++;
    this.#vmaLocks.dropped(hart, vma);
  }

  vmaRangeRead(hart: number, vma: number): void {
    this.#vmaLocks.rangeRead(hart, vma);
  }

  frameFreed(_hart: number, pfn: number): void {
    this.events++;
    this.#translations.frameFreed(pfn);
  }

  flushEnds(root: number, vpn: number, pages: number): void {
    this.events++;
    this.#translations.flushEnds(root, vpn, pages);
  }
}
