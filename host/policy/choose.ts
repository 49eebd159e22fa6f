// From what a user asks for to a combination that can be right: names, defaults, refusals with their reason, notices.

import { A_M5, mutationNumber } from "../memory/mutation.ts";
import { findPolicy, POLICIES, SEAMS } from "./registry.ts";
import type { Cpumask, LazyTlb, MmFrame, Policies, PolicyEntry, SeamName, TlbFlush, VmaLock } from "./seams.ts";

/** Seam to policy; a seam that is left out gets its default. */
export type PolicyChoice = Partial<Record<SeamName, string>>;
export type PolicyNames = Readonly<Record<SeamName, string>>;

export interface ChosenPolicies {
  readonly names: PolicyNames;
  /** What the user should know of the combination, a line each. */
  readonly notices: readonly string[];
}

/** Why a combination is not run, in one line. */
export interface Refusal {
  readonly error: string;
}

/** Policies whose flush runs no code on other harts. */
const NO_REMOTE_CODE = ["broadcast", "hash-batch", "ipte"];
/** Policies that find borrowers by mm_cpumask. */
const BY_MASK = ["shoot", "shoot-hash", "shoot-at-flush", "last-mmput", "active-free", "hazard-mask"];
/** Policies whose last flush is to end the borrowing. */
const AT_FLUSH = ["shoot-at-flush", "last-mmput", "active-free"];

/** `extra`: entries of a module from outside. `mutation`: "A-M5" lifts the refusals that it is about. */
export function choosePolicies(
  choice: Readonly<Record<string, string>>,
  mutation = "",
  extra: readonly PolicyEntry[] = [],
): ChosenPolicies | Refusal {
  const entries = [...POLICIES, ...extra];
  const names = { ...standard() } as Record<SeamName, string>;
  for (const [seam, name] of Object.entries(choice)) {
    if (!isSeam(seam)) return { error: `policy ${seam}=${name}: there is ${Object.keys(SEAMS).join(", ")}` };
    if (findPolicy(entries, seam, name) === undefined) {
      const known = entries.filter((entry) => entry.seam === seam).map((entry) => entry.name);
      return { error: `policy ${seam}=${name}: there is ${known.join(", ")}` };
    }
    names[seam] = name;
  }
  if (names["lazy-tlb"] === "shoot-hash" && choice["tlb-flush"] === undefined) names["tlb-flush"] = "hash-batch";
  const reason = refusalOf(names, mutation);
  if (reason !== "") return { error: `${names["lazy-tlb"]} with ${reason}` };
  return { names, notices: noticesOf(names) };
}

/** The combination's policies, for one hart. Requires: names that choosePolicies gave. */
export function makePolicies(names: PolicyNames, frame: MmFrame, extra: readonly PolicyEntry[] = []): Policies {
  const entries = [...POLICIES, ...extra];
  const make = (seam: SeamName) => {
    const entry = findPolicy(entries, seam, names[seam]);
    if (entry === undefined) throw new Error(`no policy ${seam}=${names[seam]}`);
    return entry.make(frame);
  };
  return {
    lazyTlb: make("lazy-tlb") as LazyTlb,
    tlbFlush: make("tlb-flush") as TlbFlush,
    cpumask: make("cpumask") as Cpumask,
    vmaLock: make("vma-lock") as VmaLock,
  };
}

export function standard(): PolicyNames {
  return {
    "lazy-tlb": SEAMS["lazy-tlb"].standard,
    "tlb-flush": SEAMS["tlb-flush"].standard,
    cpumask: SEAMS.cpumask.standard,
    "vma-lock": SEAMS["vma-lock"].standard,
  };
}

function isSeam(name: string): name is SeamName {
  return Object.hasOwn(SEAMS, name);
}

function refusalOf(names: PolicyNames, mutation: string): string {
  const lazy = names["lazy-tlb"];
  if (AT_FLUSH.includes(lazy) && names["tlb-flush"] === "hash-batch") {
    return "hash-batch: a hash MMU's flush runs no code on other harts, so the last flush cannot end the borrowing";
  }
  if (names.cpumask === "early_clear" && BY_MASK.includes(lazy) && mutationNumber(mutation) !== A_M5) {
    return "cpumask early_clear: borrowers are looked for by a mask that has forgotten them (--mutate A-M5 runs it)";
  }
  return "";
}

function noticesOf(names: PolicyNames): string[] {
  const [lazy, flush] = [names["lazy-tlb"], names["tlb-flush"]];
  if (!AT_FLUSH.includes(lazy) || !NO_REMOTE_CODE.includes(flush)) return [];
  return [
    `${lazy} with ${flush} runs as shoot: the flush runs no code on other harts, so ` +
      `${lazy === "shoot-at-flush" ? "the last reference" : "the last mmput"} sends IPIs (shoot_lazies_ipi_sent)`,
  ];
}
