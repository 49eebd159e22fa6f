// What a hart's worker is born with. All of it can be cloned to another thread; the memory and the program are shared.

import type { PolicyNames } from "../policy/choose.ts";
import type { Driver } from "./config.ts";
import type { DeathInLock } from "./dying-scheduler.ts";
import type { GuestRoot } from "./node/root.ts";

export interface WorkerData {
  readonly memory: WebAssembly.Memory;
  readonly core: WebAssembly.Module;
  readonly hartId: number;
  readonly driver: Driver;
  /** How often a hart-wait looks before it parks. */
  readonly spinCount: number;
  /** For tests: where a hart dies. Needs the bundle with schedule points. */
  readonly dieInLock: DeathInLock | null;
  readonly policies: PolicyNames;
  /** Address of a module with more policies, "" = none. */
  readonly policyModule: string;
  /** The kernel makes a mistake: needs the bundle with mutations. */
  readonly mutated: boolean;
  /** The root file system that the main thread has opened, and how many workers share the host's descriptors. */
  readonly root: GuestRoot | null;
  readonly workerCount: number;
  /** Descriptor of the swap file, null: no swap. */
  readonly swapFd: number | null;
  /** The first process; on hart 0 alone. */
  readonly init: { path: string; bytes: Uint8Array | null; args: readonly string[]; env: readonly string[] } | null;
}
