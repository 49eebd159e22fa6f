// Every scenario, by family. Each is found by its name, on the command line and in schedule files.

import type { Scenario } from "../scenario.ts";
import { exitWhileLazy } from "./lazy-tlb/exit-while-lazy.ts";

export const SCENARIOS: readonly Scenario[] = [exitWhileLazy];

export function findScenario(name: string): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario.name === name);
}
