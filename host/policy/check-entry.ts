// Is what a module from outside calls a policy one? It must have all that the default of its seam has: said before a
// machine boots, because a member that is missing would be a kernel bug at the first switch or flush that wants it.

import type { PolicyNames } from "./choose.ts";
import { findPolicy, POLICIES, SEAMS } from "./registry.ts";
import type { MmFrame, PolicyEntry } from "./seams.ts";

const onlyOnHarts = (): never => {
  throw new Error("the frame can be used on a hart only, not while the policy is made");
};

const FRAME: MmFrame = {
  unlazyMm: onlyOnHarts,
  dropMm: onlyOnHarts,
  walkVmas: onlyOnHarts,
  freeVma: onlyOnHarts,
  freeVmaLater: onlyOnHarts,
};

/** What is wrong with those of `extra` that are chosen, in one line, or "". */
export function problemOfChosen(names: PolicyNames, extra: readonly PolicyEntry[]): string {
  const chosen = extra.filter(({ seam, name }) => names[seam] === name);
  return chosen.map(problemOf).find((problem) => problem !== "") ?? "";
}

function problemOf({ seam, name, make }: PolicyEntry): string {
  let policy: Readonly<Record<string, unknown>>;
  try {
    policy = Object(make(FRAME));
  } catch (error) {
    return `policy ${seam}=${name}: make: ${error instanceof Error ? error.message : String(error)}`;
  }
  const standard = findPolicy(POLICIES, seam, SEAMS[seam].standard)!.make(FRAME);
  const wrong = Object.entries(standard).filter(([member, value]) => typeof policy[member] !== typeof value);
  const said = wrong.map(([member, value]) => `${member} is no ${typeof value}`);
  return said.length === 0 ? "" : `policy ${seam}=${name}: ${said.join(", ")} (see host/policy/seams.ts)`;
}
