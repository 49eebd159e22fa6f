// What the explorer works on: the memory of a small machine, its harts in this one thread, and the image to which every
// schedule returns. The machine layer builds it (host/machine/explore-worker.ts), because it knows cores and memory.

import type { KernelHart } from "../kernel/kernel-hart.ts";
import type { SharedMemory } from "../memory/shared.ts";

/** Seam -> name of its policy. */
export type PolicyChoice = Readonly<Record<string, string>>;

export interface LaboratoryOptions {
  readonly harts: number;
  readonly policies: PolicyChoice;
  /** A mutation of one of these policies, or "". */
  readonly mutation: string;
  /** Undefined: the usual little. */
  readonly ramBytes?: number;
  readonly pageWalkCache: boolean;
  /** Guest accesses of the core see what the memory model holds back. */
  readonly weakMemory: boolean;
}

export interface Laboratory {
  readonly shared: SharedMemory;
  readonly harts: readonly KernelHart[];
  readonly weakMemory: boolean;
}

export type MakeLaboratory = (options: LaboratoryOptions) => Laboratory;
