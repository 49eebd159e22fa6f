// A scenario: a set-up that runs once, alone, and a short program for each hart, whose schedules are explored.

import type { KernelHart } from "../kernel/kernel-hart.ts";
import type { Injection } from "./injection.ts";
import type { StrategyName } from "./job.ts";
import type { PolicyChoice } from "./laboratory.ts";

export interface Scenario<State = unknown> {
  /** family/what-happens. */
  readonly name: string;
  readonly summary: string;
  /** Seam -> policy, where it matters; the rest is the default. */
  readonly policies?: PolicyChoice;
  /** Seam -> policies under which it can be right at all: its set-up, or what it asks of the kernel, is theirs. */
  readonly onlyFor?: Readonly<Record<string, readonly string[]>>;
  /** Runs under the memory model; else accesses are sequentially consistent. */
  readonly weakMemory?: boolean;
  /** Page-walk cache on. */
  readonly pageWalkCache?: boolean;
  /** Where the machine's usual mebibyte is too little. */
  readonly ramBytes?: number;
  /** Mutations that some schedule of it shows, and the policies under which it does. */
  readonly finds: Readonly<Record<string, PolicyChoice>>;
  /** How the mutation table searches it, where chance would need long to make so many stops in the right places. */
  readonly search?: { readonly strategy: StrategyName; readonly depth: number };
  /** Pages whose translations the hardware fetches whenever it can, by itself. */
  readonly speculates?: readonly number[];
  /** What its schedules bring besides the order of accesses; a search may ask for more. */
  readonly injects?: readonly Injection[];
  /** Instead of the kernel's handler of NMIs. */
  readonly nmi?: (hart: KernelHart) => void;
  /** On hart 0, before any schedule. What it returns is constant: addresses of the objects that it made. */
  setUp(hart: KernelHart, harts: readonly KernelHart[]): State;
  readonly programs: readonly ((hart: KernelHart, state: State) => void)[];
  /** After all programs, on one hart after the other: gives back what must be given back, so that leaks are seen. */
  tearDown?(hart: KernelHart, state: State): void;
}

/** Checks the types of a scenario's state and forgets them. */
export function scenario<State>(definition: Scenario<State>): Scenario {
  return definition as unknown as Scenario;
}

/** Why the scenario says nothing about these policies, in one line, or "". */
export function misfitOf({ name, onlyFor = {} }: Scenario, policies: PolicyChoice): string {
  const wrong = Object.entries(onlyFor).find(([seam, names]) => !names.includes(policies[seam] ?? names[0]));
  return wrong === undefined ? "" : `${name} is about ${wrong[0]} ${wrong[1].join(", ")}`;
}
