// The commands inside `pagewalk explore`, and which options each of them listens to: an option that would do nothing
// is refused, so that nobody takes a search for more than it was.

import { ConfigError } from "../../machine/errors.ts";
import type { ExploreFlags } from "./explore-flags.ts";

export type ExploreMode =
  | "search"
  | "list"
  | "replay"
  | "show"
  | "merge"
  | "all --mutations"
  | "all --medians"
  | "all --controls";

type Option = keyof ExploreFlags;

const ALL: readonly Option[] = ["all", "family", "schedules", "inject"];
const SCENARIO: readonly Option[] = ["strategy", "depth", "seed", "mutate", "policy", "inject", "strongMemory"];

/** How many explorers share the work may be said everywhere: it changes no answer. */
const OPTIONS: Readonly<Record<ExploreMode, readonly Option[]>> = {
  search: [...SCENARIO, "schedules", "shard", "json", "keep"],
  list: ["list"],
  replay: ["replay"],
  show: [...SCENARIO, "show", "after"],
  merge: ["merge", "keep"],
  "all --mutations": [...ALL, "mutations", "strategy", "depth", "seed", "json"],
  "all --medians": [...ALL, "medians", "depth", "log"],
  "all --controls": ["all", "family", "inject", "controls", "strategy", "depth", "seed", "shard", "log"],
};

/** Throws a ConfigError unless every one of `given`, the options that were typed, has a meaning. */
export function exploreMode(scenario: string, flags: ExploreFlags, given: readonly string[]): ExploreMode {
  const mode = modeOf(flags);
  const useless = given.find((option) => option !== "jobs" && !OPTIONS[mode].includes(option as Option));
  const name = mode === "search" ? "a search of one scenario" : `--${mode}`;
  if (useless !== undefined) throw new ConfigError(`--${kebab(useless)} does not go with ${name}`);
  const takesScenario = mode === "search" || mode === "show";
  if (takesScenario && scenario === "") throw new ConfigError("which scenario? explore --list shows what there is");
  if (!takesScenario && scenario !== "") throw new ConfigError(`scenario ${scenario} does not go with ${name}`);
  return mode;
}

function modeOf({ list, replay, show, merge, all, mutations, medians, controls }: ExploreFlags): ExploreMode {
  if (list === true) return "list";
  if (replay !== undefined) return "replay";
  if (merge !== undefined) return "merge";
  if (show !== undefined) return "show";
  if (all !== true) return "search";
  if (medians !== undefined) return "all --medians";
  if (controls !== undefined) return "all --controls";
  if (mutations === true) return "all --mutations";
  throw new ConfigError("--all: say --mutations, --medians SEEDS or --controls N");
}

/** commander's name of an option as it is typed. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
