// A machine of one hart inside the test's own thread: the real kernel and core, no workers. What the guest wrote is
// taken from the console ring afterwards, so a test's output has to fit into it.

import { readFileSync } from "node:fs";
import {
  CONSOLE_INPUT_EOF,
  MACHINE_BASE,
  MACHINE_CONSOLE_FLAGS,
  MACHINE_EXIT_STATUS,
  MACHINE_FRAMES_AT_BOOT,
  MACHINE_STOP,
  POOL_COUNT,
} from "../../assembly/layout.ts";
import { CONSOLE_IN } from "../../host/devices/console.ts";
import { ringAddress, setRingTail } from "../../host/devices/ring.ts";
import { bootHart } from "../../host/kernel/boot.ts";
import { runHart } from "../../host/kernel/hart-loop.ts";
import { KernelHart } from "../../host/kernel/kernel-hart.ts";
import { HostClock } from "../../host/machine/clock.ts";
import { resolveConfig } from "../../host/machine/config.ts";
import { instantiateCore } from "../../host/machine/core.ts";
import { createMemory } from "../../host/machine/memory-map.ts";
import type { SharedMemory } from "../../host/memory/shared.ts";
import { kmemCacheLive } from "../../host/memory/slab.ts";
import { freeFrameCount } from "../../host/mm/frame/frames.ts";
import { mmFrame } from "../../host/mm/lazy.ts";
import { readOops } from "../../host/observe/oops.ts";
import { makePolicies } from "../../host/policy/choose.ts";
import { BUILD, PREBUILT } from "../support/paths.ts";
import { consoleOutput } from "./console-output.ts";

export interface GuestRun {
  readonly stop: number;
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly oops: string;
  /** Frames that were free before init was made and are not any more. */
  readonly framesLost: number;
  /** Records in use of each pool (POOL_*). */
  readonly live: readonly number[];
  readonly shared: SharedMemory;
}

export interface GuestOptions {
  /** argv[0] of ELF bytes. */
  readonly name?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly strace?: boolean;
  readonly seed?: number;
}

/** Runs a prebuilt guest program, or the given ELF bytes, to its end. */
export function runGuest(program: string | Uint8Array, options: GuestOptions = {}): GuestRun {
  const bytes = typeof program === "string" ? readFileSync(`${PREBUILT}/${program}`) : program;
  const name = typeof program === "string" ? program : (options.name ?? "program");
  const args = [name, ...(options.args ?? [])];
  const config = resolveConfig({
    program: bytes,
    args,
    env: options.env,
    ramBytes: 1 << 26,
    strace: options.strace,
    seed: options.seed ?? 1,
  });
  const hrtimeNs = () => Number(process.hrtime.bigint());
  const shared = createMemory(config, { realtimeNs: Date.now() * 1e6, hrtimeNs: hrtimeNs() }, false);
  giveInput(shared, options.input ?? "");
  const core = instantiateCore(new WebAssembly.Module(readFileSync(`${BUILD}/core.wasm`)), shared.memory);
  const clock = new HostClock(shared, hrtimeNs);
  const hart = new KernelHart(0, shared, core, clock, 0, makePolicies(config.policies, mmFrame));
  bootHart(hart, { path: name, bytes, args, env: config.env });
  runHart(hart);
  const output = consoleOutput(shared);
  return {
    stop: shared.get(MACHINE_BASE + MACHINE_STOP),
    status: shared.get(MACHINE_BASE + MACHINE_EXIT_STATUS),
    stdout: output[1],
    stderr: output[2],
    oops: readOops(shared),
    framesLost: shared.get(MACHINE_BASE + MACHINE_FRAMES_AT_BOOT) - freeFrameCount(shared),
    live: Array.from({ length: POOL_COUNT }, (_, pool) => kmemCacheLive(shared, pool)),
    shared,
  };
}

function giveInput(shared: SharedMemory, input: string): void {
  const bytes = new TextEncoder().encode(input);
  bytes.forEach((byte, i) => {
    shared.u8[ringAddress(CONSOLE_IN, i)] = byte;
  });
  setRingTail(shared, CONSOLE_IN, bytes.length);
  shared.fetchOr(MACHINE_BASE + MACHINE_CONSOLE_FLAGS, CONSOLE_INPUT_EOF);
}
