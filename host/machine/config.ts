// What a machine is booted with, and the checks of it. Everything that a user can get wrong is refused here, by a
// ConfigError whose one line says what would be right; beyond this file sizes and counts are trusted.

import {
  DECODE_PAGE_BYTES,
  DECODE_PAGES_DEFAULT,
  DECODE_PAGES_MAX,
  HART_COUNT_THREADED_MAX,
  PAGE_BYTES,
  RAM_BASE,
  RAM_BYTES_MAX,
  RAM_BYTES_MIN,
  SWAP_COUNT_MAX,
  TLB_ENTRIES_DEFAULT,
  TLB_ENTRIES_MAX,
} from "../../assembly/layout.ts";
import { mutationNumber } from "../memory/mutation.ts";
import { TRACE_EVENTS } from "../observe/trace-events.ts";
import { choosePolicies, type PolicyNames } from "../policy/choose.ts";
import type { PolicyEntry } from "../policy/seams.ts";
import { ConfigError } from "./errors.ts";

/** How the harts are driven: in parallel, or one at a time in an order that the seed decides. */
export type Driver = "threaded" | "deterministic";

/** Receives what the guest writes. The machine waits for the promise before it hands over more. */
export type OutputSink = (fd: 1 | 2, bytes: Uint8Array) => void | Promise<void>;

export interface MachineConfig {
  /** Path of an ELF64 riscv64 executable, or its bytes. */
  program: string | Uint8Array;
  /** argv; the first is the program's own name. Default: the path, or "program". */
  args?: readonly string[];
  /** The guest's environment. Default: empty. */
  env?: Readonly<Record<string, string>>;
  /** A host directory as the root file system. It is never written: changes stay in guest memory. */
  root?: string;
  /** The same from a tar archive of the host, plain or gzip. */
  rootTar?: string;
  /** Emulated CPUs, 1 to 64. Default 1. */
  harts?: number;
  /** Guest memory in bytes, 16 MiB to 3 GiB, whole pages. Default 256 MiB. */
  ramBytes?: number;
  /** Room for pages that memory has none for, in a temporary file: bytes, whole pages, below 4 GiB. Default: none. */
  swapBytes?: number;
  /** TLB entries of each hart, a power of two from 64 to 4096. Default 1024. */
  tlbEntries?: number;
  /** Pages of decoded instructions that each hart keeps, 16 to 1024. Default 256. */
  decodePages?: number;
  /** Decides getrandom, layout and, in the deterministic driver, the schedule. Default: 1 there, else a random one. */
  seed?: number;
  /** Default "threaded". */
  driver?: Driver;
  /** Policies by seam, where not the default: { "lazy-tlb": "hazard" }. `pagewalk policies` lists them. */
  policy?: Readonly<Record<string, string>>;
  /** A module that adds policies (host/policy/README.md). */
  policyModule?: string;
  /** A mistake that the kernel is to make, "A-M1" for example: for tests. Costs the speed of the threaded driver. */
  mutate?: string;
  /** Prints each system call on the guest's stderr. */
  strace?: boolean;
  /** Writes what the harts do to this file while they do it, a line an event (host/observe/README.md). */
  trace?: string;
  /** Which events: names or beginnings of names, "sched" for example. Default: all. */
  traceEvents?: readonly string[];
  /** Stops the machine after this many seconds of host time. */
  timeoutSeconds?: number;
  /**
   * The guest sees its descriptors 0, 1 and 2 as a terminal of this size. `external`: what is at the other end edits
   * lines and echoes itself, as a terminal of the host does that is not in raw mode.
   */
  terminal?: { columns: number; rows: number; external?: boolean };
  /** Where output goes. Default: this process's stdout and stderr. */
  output?: OutputSink;
  /** For tests: the hart that dies, and in which of its locked sections (from 1). Threaded driver only. */
  debugDieInLock?: { hart: number; section: number };
  /** Called once, when the guest first wants input; feed it by machine.console.write. Default: input is empty. */
  onInputWanted?: () => void;
}

/** MachineConfig with every default filled in and every value checked. */
export interface ResolvedConfig {
  readonly root: string | null;
  readonly rootTar: string | null;
  readonly harts: number;
  readonly ramBytes: number;
  readonly swapBytes: number;
  readonly tlbEntries: number;
  readonly decodePages: number;
  readonly seed: number;
  readonly driver: Driver;
  readonly strace: boolean;
  readonly trace: string | null;
  /** Bit n: event n is traced. */
  readonly traceEvents: number;
  readonly policies: PolicyNames;
  /** Address of a module with more policies, "" = none. */
  readonly policyModule: string;
  /** What the user should know of the policies, a line each. */
  readonly notices: readonly string[];
  /** Number of the mutation, 0 = none (host/memory/mutation.ts). */
  readonly mutation: number;
  readonly timeoutSeconds: number;
  readonly terminal: { readonly columns: number; readonly rows: number; readonly external?: boolean } | null;
  readonly dieInLock: { readonly hart: number; readonly section: number } | null;
  readonly args: readonly string[];
  readonly env: readonly string[];
}

const RAM_BYTES_DEFAULT = 1 << 28;
const DECODE_PAGES_MIN = 16;
const SEED_MAX = 0xffffffff;
const TIMEOUT_SECONDS_MAX = 1_000_000;
/** WebAssembly memories end at 4 GiB. */
const MEMORY_BYTES_MAX = 2 ** 32;

/** Fills in defaults. Throws ConfigError, whose message is one line. */
export function resolveConfig(config: MachineConfig, extraPolicies: readonly PolicyEntry[] = []): ResolvedConfig {
  const driver = config.driver ?? "threaded";
  if (driver !== "threaded" && driver !== "deterministic") {
    throw new ConfigError(`driver ${JSON.stringify(driver)}: there is "threaded" and "deterministic"`);
  }
  if (typeof config.program !== "string" && !ArrayBuffer.isView(config.program)) {
    throw new ConfigError("program: give the path of an ELF file, or its bytes");
  }
  const mutation = checkMutation(config.mutate ?? "");
  const chosen = choosePolicies(config.policy ?? {}, config.mutate, extraPolicies);
  if ("error" in chosen) throw new ConfigError(chosen.error);
  const resolved: ResolvedConfig = {
    root: config.root ?? null,
    rootTar: config.rootTar ?? null,
    harts: integerIn("harts", config.harts ?? 1, 1, HART_COUNT_THREADED_MAX),
    ramBytes: checkRam(config.ramBytes ?? RAM_BYTES_DEFAULT),
    swapBytes: checkSwap(config.swapBytes ?? 0),
    tlbEntries: checkTlb(config.tlbEntries ?? TLB_ENTRIES_DEFAULT),
    decodePages: integerIn(
      "decode pages",
      config.decodePages ?? DECODE_PAGES_DEFAULT,
      DECODE_PAGES_MIN,
      DECODE_PAGES_MAX,
    ),
    seed: integerIn("seed", config.seed ?? defaultSeed(driver), 0, SEED_MAX),
    driver,
    strace: config.strace ?? false,
    trace: config.trace ?? null,
    traceEvents: config.trace === undefined ? 0 : chooseEvents(config.traceEvents ?? [""]),
    policies: chosen.names,
    policyModule: "",
    notices: chosen.notices,
    mutation,
    timeoutSeconds: checkTimeout(config.timeoutSeconds ?? 0),
    terminal: config.terminal ?? null,
    dieInLock: config.debugDieInLock ?? null,
    args: config.args ?? [typeof config.program === "string" ? config.program : "program"],
    env: Object.entries(config.env ?? {}).map(([key, value]) => checkEnv(key, value)),
  };
  for (const arg of resolved.args) if (arg.includes("\0")) throw new ConfigError("an argument contains a NUL byte");
  if (resolved.root !== null && resolved.rootTar !== null) {
    throw new ConfigError("root and root tar: give one of the two");
  }
  checkMemoryTotal(resolved);
  return resolved;
}

function integerIn(what: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new ConfigError(`${what} ${value}: give a whole number from ${min} to ${max}`);
  }
  return value;
}

function checkRam(bytes: number): number {
  if (!Number.isInteger(bytes) || bytes % PAGE_BYTES !== 0 || bytes < RAM_BYTES_MIN || bytes > RAM_BYTES_MAX) {
    throw new ConfigError(`ram of ${bytes} bytes: give 16M to 3G, a whole number of ${PAGE_BYTES}-byte pages`);
  }
  return bytes;
}

function checkSwap(bytes: number): number {
  const isWhole = Number.isInteger(bytes) && bytes % PAGE_BYTES === 0;
  if (!isWhole || bytes < 0 || bytes >= SWAP_COUNT_MAX * PAGE_BYTES) {
    throw new ConfigError(`swap of ${bytes} bytes: give less than 4G, a whole number of ${PAGE_BYTES}-byte pages`);
  }
  return bytes;
}

function checkTlb(entries: number): number {
  const isPowerOfTwo = Number.isInteger(entries) && entries > 0 && (entries & (entries - 1)) === 0;
  if (!isPowerOfTwo || entries < 64 || entries > TLB_ENTRIES_MAX) {
    throw new ConfigError(`tlb of ${entries} entries: give a power of two from 64 to ${TLB_ENTRIES_MAX}`);
  }
  return entries;
}

function checkMutation(id: string): number {
  if (id === "") return 0;
  const number = mutationNumber(id);
  if (number === 0) throw new ConfigError(`mutation ${JSON.stringify(id)}: give one like A-M1`);
  return number;
}

/** The bits of the events whose names begin with one of `names`. */
function chooseEvents(names: readonly string[]): number {
  let bits = 0;
  for (const name of names) {
    const chosen = TRACE_EVENTS.filter((row) => row.name.startsWith(name));
    if (chosen.length === 0) {
      throw new ConfigError(
        `event ${JSON.stringify(name)}: there is ${TRACE_EVENTS.map((row) => row.name).join(", ")}`,
      );
    }
    for (const { event } of chosen) bits |= 1 << event;
  }
  return bits;
}

function checkTimeout(seconds: number): number {
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > TIMEOUT_SECONDS_MAX) {
    throw new ConfigError(`timeout ${seconds}: give seconds, up to ${TIMEOUT_SECONDS_MAX}`);
  }
  return seconds;
}

function checkEnv(key: string, value: string): string {
  if (key === "" || key.includes("=") || key.includes("\0") || value.includes("\0")) {
    throw new ConfigError(`environment variable ${JSON.stringify(key)}: give NAME=VALUE without NUL bytes`);
  }
  return `${key}=${value}`;
}

/** RAM ends below 3.5 GiB; the decode pools of many harts must fit above it. */
function checkMemoryTotal(config: ResolvedConfig): void {
  const total = RAM_BASE + config.ramBytes + config.harts * config.decodePages * DECODE_PAGE_BYTES;
  if (total > MEMORY_BYTES_MAX) {
    throw new ConfigError(
      `${config.harts} harts with this ram and ${config.decodePages} decode pages need more than 4 GiB`,
    );
  }
}

/** A deterministic run must repeat without being told its seed; a threaded one should not. */
function defaultSeed(driver: Driver): number {
  return driver === "deterministic" ? 1 : (Math.random() * SEED_MAX) >>> 0;
}
