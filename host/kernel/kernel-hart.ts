// The hart that the kernel runs on: its private state plus the policies that the machine was booted with.

import type { Core } from "../memory/core.ts";
import { HartLocal } from "../memory/hart-local.ts";
import type { Clock } from "../memory/hart-services.ts";
import type { SharedMemory } from "../memory/shared.ts";
import type { Hart } from "../policy/hart.ts";
import type { Policies } from "../policy/seams.ts";
import { DoorbellController } from "./interrupts.ts";

export class KernelHart extends HartLocal implements Hart {
  readonly policies: Policies;
  readonly doorbell: DoorbellController;
  /** Guest instructions until the next timer tick; a trap costs TRAP_CHARGE_INSTRS of them. */
  budgetInstrs = 0;

  constructor(id: number, shared: SharedMemory, core: Core, clock: Clock, spinCount: number, policies: Policies) {
    super(id, shared, core, clock, spinCount);
    this.policies = policies;
    this.doorbell = new DoorbellController(this);
    this.interrupts = this.doorbell;
  }

  override reset(): void {
    super.reset();
    this.doorbell.deferred = 0;
    this.budgetInstrs = 0;
  }

  hasDeferredWork(): boolean {
    return this.doorbell.deferred !== 0;
  }
}
