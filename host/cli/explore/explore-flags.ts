// What `pagewalk explore` has been told.

import type { Injection } from "../../simulate/injection.ts";
import type { StrategyName } from "../../simulate/job.ts";

export const STRATEGY_DEFAULT: StrategyName = "mixed";

export interface ExploreFlags {
  readonly strategy: StrategyName;
  readonly depth: number;
  readonly seed: number;
  readonly schedules: number;
  readonly shard?: { readonly index: number; readonly count: number };
  readonly mutate: string;
  readonly policy: Readonly<Record<string, string>>;
  readonly inject: readonly Injection[];
  readonly jobs: number;
  readonly json?: string;
  readonly keep?: string;
  readonly replay?: string;
  readonly show?: number;
  readonly after: number;
  readonly merge?: readonly string[];
  readonly strongMemory?: boolean;
  readonly list?: boolean;
  readonly all?: boolean;
  readonly family: string;
  readonly mutations?: boolean;
  readonly medians?: number;
  readonly controls?: number;
  readonly log?: string;
}
