// A user's own policies: a module of the host's file system, imported by the main thread and by each hart's worker.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { findPolicy, POLICIES, SEAMS } from "../../policy/registry.ts";
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
  const refuse = (reason: string): never => {
    throw new ConfigError(`policy module ${address}: ${reason} (see host/policy/README.md)`);
  };
  if (!Array.isArray(policies) || policies.length === 0) return refuse('it must export an array "policies"');
  const known = [...POLICIES];
  for (const entry of policies as unknown[]) {
    if (!isEntry(entry)) return refuse("each policy has seam, name, line, debate and make(frame)");
    if (findPolicy(known, entry.seam, entry.name) !== undefined) {
      refuse(`there is a policy ${entry.seam}=${entry.name}: give yours another name`);
    }
    known.push(entry);
  }
  return policies as readonly PolicyEntry[];
}

function isEntry(entry: unknown): entry is PolicyEntry {
  const { seam, name, line, debate, make } = Object(entry) as Partial<PolicyEntry>;
  const areTexts = [seam, name, line, debate].every((text) => typeof text === "string");
  return areTexts && Object.hasOwn(SEAMS, seam!) && typeof make === "function";
}
