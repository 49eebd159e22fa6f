// A user's own policies: a module of the host's file system, imported by the main thread and by each hart's worker.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { SEAMS } from "../../policy/registry.ts";
import type { PolicyEntry } from "../../policy/seams.ts";
import { ConfigError } from "../errors.ts";

export function moduleAddress(path: string): string {
  return pathToFileURL(resolve(path)).href;
}

/** What the module exports as `policies`. Throws ConfigError. */
export async function loadPolicyModule(address: string): Promise<readonly PolicyEntry[]> {
  let exported: { policies?: unknown };
  try {
    exported = await import(address);
  } catch (error) {
    throw new ConfigError(`policy module ${address}: ${String((error as Error).message).split("\n", 1)[0]}`);
  }
  const { policies } = exported;
  if (!Array.isArray(policies) || policies.length === 0) {
    throw new ConfigError(`policy module ${address}: it must export an array "policies" (see host/policy/README.md)`);
  }
  for (const entry of policies as Partial<PolicyEntry>[]) {
    const isWhole = typeof entry.name === "string" && typeof entry.make === "function";
    if (!isWhole || entry.seam === undefined || !Object.hasOwn(SEAMS, entry.seam)) {
      throw new ConfigError(`policy module ${address}: each policy has seam, name, line, debate and make(frame)`);
    }
  }
  return policies as readonly PolicyEntry[];
}
