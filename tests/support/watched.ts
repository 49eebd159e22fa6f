// The harts of the explorer's machine in this one thread, with every checker listening: for tests that do a few kernel
// calls by hand. Whichever hart waits serves the others as well.

import { readFileSync } from "node:fs";
import { Watch } from "../../host/check/watch.ts";
import type { KernelHart } from "../../host/kernel/kernel-hart.ts";
import { makeLaboratory } from "../../host/machine/laboratory.ts";
import { rcuDrainAll } from "../../host/memory/rcu.ts";
import { leaveAll } from "../../host/simulate/scenarios/tasks.ts";
import { BUILD } from "./paths.ts";

const module = new WebAssembly.Module(readFileSync(`${BUILD}/core.wasm`));

export class Watched {
  readonly harts: readonly KernelHart[];
  readonly watch: Watch;
  readonly reports: string[] = [];

  constructor() {
    const options = { policies: {}, mutation: "", pageWalkCache: true, weakMemory: false };
    this.harts = makeLaboratory(module, { harts: 2, ...options }).harts;
    this.watch = new Watch(this.harts, (kind, text) => this.reports.push(`${kind}: ${text}`));
    for (const hart of this.harts) {
      hart.shared.observer = this.watch;
      hart.interrupts = { serve: () => this.#serveAll() };
    }
  }

  #serveAll(): void {
    for (const hart of this.harts) hart.doorbell.serve();
  }

  /** What the checkers of state see now, and what all of them have said. */
  problems(): string {
    return [...this.reports, this.watch.check()].filter((line) => line !== "").join("\n");
  }

  /** When nobody borrows anything any more, and all grace periods are over. */
  leftOver(): string {
    for (const hart of this.harts) leaveAll(hart);
    rcuDrainAll(this.harts[0], this.harts[0].rcuCallbacks);
    return this.watch.checkAtEnd();
  }
}
