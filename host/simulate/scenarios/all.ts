// Every scenario, by family. Each is found by its name, on the command line and in schedule files.

import type { Scenario } from "../scenario.ts";
import { exitWhileLazy } from "./lazy-tlb/exit-while-lazy.ts";
import { unmapUnderReader } from "./tlb-flush/unmap-under-reader.ts";

export const SCENARIOS: readonly Scenario[] = [exitWhileLazy, unmapUnderReader];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
