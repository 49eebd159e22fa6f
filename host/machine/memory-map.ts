// From sizes to the shared memory: how many Wasm pages, where RAM ends, where each hart's decode pool lies, and the
// constants that the kernel and the core read at boot. Runs on the main thread, before any worker exists.

import {
  CONSOLE_IS_TTY,
  CONSOLE_TTY_EXTERNAL,
  DECODE_PAGE_BYTES,
  HART_DECODE_BASE,
  HART_DECODE_PAGES,
  HART_ID,
  HART_OPTIONS,
  HART_RAM_END,
  HART_RUN_STATE,
  HART_TLB_ENTRIES,
  MACHINE_BASE,
  MACHINE_BOOT_HRTIME_NS,
  MACHINE_BOOT_REALTIME_NS,
  MACHINE_CONSOLE_COLUMNS,
  MACHINE_CONSOLE_FLAGS,
  MACHINE_CONSOLE_ROWS,
  MACHINE_DECODE_BASE,
  MACHINE_DECODE_PAGES,
  MACHINE_HART_COUNT,
  MACHINE_HARTS_RUNNING,
  MACHINE_MAGIC,
  MACHINE_MAGIC_VALUE,
  MACHINE_MUTATION,
  MACHINE_OPTIONS,
  MACHINE_RAM_END,
  MACHINE_RANDOM_STATE,
  MACHINE_SEED_HI,
  MACHINE_SEED_LO,
  MACHINE_TLB_ENTRIES,
  MACHINE_TRACE_EVENTS,
  OPTION_ARM_FENCE,
  OPTION_DETERMINISTIC,
  OPTION_STRACE,
  PAGE_BYTES,
  RAM_BASE,
  RUN_OFFLINE,
} from "../../assembly/layout.ts";
import { hartBase } from "../memory/hart-local.ts";
import { SharedMemory } from "../memory/shared.ts";
import { initSwap } from "../mm/reclaim/swap-map.ts";
import type { ResolvedConfig } from "./config.ts";
import { HostError } from "./errors.ts";

const WASM_PAGE_BYTES = 1 << 16;
/** 2024-01-01T00:00:00Z: the deterministic driver's wall clock starts here in every run. */
const DETERMINISTIC_EPOCH_NS = 1_704_067_200e9;

/** The zero of the machine's clocks, read on the main thread. */
export interface BootTime {
  readonly realtimeNs: number;
  readonly hrtimeNs: number;
}

/** Allocates the machine's memory (it never grows) and writes the boot constants. Throws HostError. */
export function createMemory(config: ResolvedConfig, bootTime: BootTime, needsArmFence: boolean): SharedMemory {
  const ramEnd = RAM_BASE + config.ramBytes;
  const total = ramEnd + config.harts * config.decodePages * DECODE_PAGE_BYTES;
  const shared = new SharedMemory(allocate(Math.ceil(total / WASM_PAGE_BYTES)));
  let options = 0;
  if (config.strace) options |= OPTION_STRACE;
  if (config.driver === "deterministic") options |= OPTION_DETERMINISTIC;
  if (needsArmFence) options |= OPTION_ARM_FENCE;
  writeMachineHeader(shared, config, ramEnd, options, bootTime);
  for (let id = 0; id < config.harts; id++) writeHartBlock(shared, config, id, ramEnd, options);
  initSwap(shared, config.swapBytes / PAGE_BYTES);
  return shared;
}

function allocate(wasmPages: number): WebAssembly.Memory {
  if (typeof SharedArrayBuffer === "undefined") {
    throw new HostError("this JavaScript engine has no SharedArrayBuffer, which the harts share their memory by");
  }
  try {
    return new WebAssembly.Memory({ initial: wasmPages, maximum: wasmPages, shared: true });
  } catch {
    const mebibytes = Math.ceil((wasmPages * WASM_PAGE_BYTES) / (1 << 20));
    throw new HostError(`the host cannot reserve ${mebibytes} MiB of address space: try a smaller --ram`);
  }
}

function writeMachineHeader(
  shared: SharedMemory,
  config: ResolvedConfig,
  ramEnd: number,
  options: number,
  bootTime: BootTime,
): void {
  const deterministic = config.driver === "deterministic";
  const set = (field: number, value: number) => shared.set(MACHINE_BASE + field, value);
  set(MACHINE_MAGIC, MACHINE_MAGIC_VALUE);
  set(MACHINE_HART_COUNT, config.harts);
  set(MACHINE_RAM_END, ramEnd);
  set(MACHINE_TLB_ENTRIES, config.tlbEntries);
  set(MACHINE_DECODE_BASE, ramEnd);
  set(MACHINE_DECODE_PAGES, config.decodePages);
  set(MACHINE_OPTIONS, options);
  set(MACHINE_SEED_LO, config.seed);
  set(MACHINE_SEED_HI, 0);
  set(MACHINE_MUTATION, config.mutation);
  set(MACHINE_TRACE_EVENTS, config.traceEvents);
  // Hart 0 counts as running from the start: once the count is 0 the machine is over and nobody may join (worker.ts).
  set(MACHINE_HARTS_RUNNING, 1);
  shared.setF64(MACHINE_BASE + MACHINE_BOOT_REALTIME_NS, deterministic ? DETERMINISTIC_EPOCH_NS : bootTime.realtimeNs);
  shared.setF64(MACHINE_BASE + MACHINE_BOOT_HRTIME_NS, bootTime.hrtimeNs);
  seedRandomState(shared, config.seed);
  if (config.terminal !== null) {
    set(MACHINE_CONSOLE_COLUMNS, config.terminal.columns);
    set(MACHINE_CONSOLE_ROWS, config.terminal.rows);
    set(MACHINE_CONSOLE_FLAGS, config.terminal.external ? CONSOLE_IS_TTY | CONSOLE_TTY_EXTERNAL : CONSOLE_IS_TTY);
  }
}

function writeHartBlock(
  shared: SharedMemory,
  config: ResolvedConfig,
  id: number,
  ramEnd: number,
  options: number,
): void {
  const block = hartBase(id);
  shared.set(block + HART_ID, id);
  shared.set(block + HART_TLB_ENTRIES, config.tlbEntries);
  shared.set(block + HART_DECODE_BASE, ramEnd + id * config.decodePages * DECODE_PAGE_BYTES);
  shared.set(block + HART_DECODE_PAGES, config.decodePages);
  shared.set(block + HART_OPTIONS, options);
  shared.set(block + HART_RAM_END, ramEnd);
  shared.set(block + HART_RUN_STATE, RUN_OFFLINE);
}

/** Four words from the seed by splitmix32, so that small seeds give unlike states; never all zero. */
function seedRandomState(shared: SharedMemory, seed: number): void {
  let state = seed;
  for (let word = 0; word < 4; word++) {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    shared.set(MACHINE_BASE + MACHINE_RANDOM_STATE + word * 4, mixed ^ (mixed >>> 15));
  }
}
