// The machine as the library offers it: boot, run, talk to its console, read its numbers, stop.

import { STOP_HOST, STOP_NONE, STOP_TIMEOUT } from "../../assembly/layout.ts";
import { ConsolePump } from "../devices/console-pump.ts";
import { pulseHost, STOP_BY_HOST, setHartOnline, stopMachine, stopReason } from "../devices/power.ts";
import { parseElf } from "../loader/elf.ts";
import { mutationId } from "../memory/mutation.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { freeFrameCount } from "../mm/frame/frames.ts";
import { memoryInUse } from "../mm/reclaim/check-lru.ts";
import { type MachineStats, readStats } from "../observe/stats.ts";
import type { TraceReport } from "../observe/trace-pump.ts";
import { problemOfChosen } from "../policy/check-entry.ts";
import { type MachineConfig, type ResolvedConfig, resolveConfig } from "./config.ts";
import { checkFingerprint, compileCore } from "./core.ts";
import { initSchedule } from "./deterministic.ts";
import { ConfigError, NotRunnableError } from "./errors.ts";
import { type ExitStatus, readExitStatus } from "./exit-status.ts";
import { createMemory } from "./memory-map.ts";
import { hrtimeNs } from "./node/clock.ts";
import { readBuildFile, readProgram } from "./node/files.ts";
import { loadPolicyModule, moduleAddress } from "./node/policy-module.ts";
import { hostNeedsFence, writeToProcess } from "./node/process.ts";
import { closeRoot, type GuestRoot, openRoot } from "./node/root.ts";
import { closeSwapFile, openSwapFile } from "./node/swap-store.ts";
import type { Tracer } from "./tracer.ts";
import { HartWorkers } from "./workers.ts";

/** How long a stalled output stream may hold up a machine that was told to stop. */
const ABANDON_OUTPUT_MS = 300;

/** The guest's console, from outside. */
export interface MachineConsole {
  /** Gives input to the guest; resolves when the guest's input buffer has taken all of it. */
  write(input: Uint8Array | string): Promise<void>;
  /** Ends the guest's input, after what has been written. */
  end(): Promise<void>;
  /** Tells the guest the size of its terminal. */
  resize(columns: number, rows: number): void;
}

interface Program {
  readonly path: string;
  readonly bytes: Uint8Array | null;
}

/**
 * One machine, for one run.
 *
 * @example
 * const machine = await Machine.boot({ program: "./hello", harts: 4 });
 * try {
 *   const status = await machine.run(); // { kind: "exit", code: 0 }
 *   console.log(machine.stats().total.pgfault);
 * } finally {
 *   await machine.dispose();
 * }
 */
export class Machine {
  readonly console: MachineConsole;
  readonly #config: ResolvedConfig;
  readonly #program: Program;
  readonly #core: WebAssembly.Module;
  readonly #shared: SharedMemory;
  readonly #workers: HartWorkers;
  readonly #pump: ConsolePump;
  readonly #tracer: Tracer | null;
  #traceReport: TraceReport = { lost: 0, error: "" };
  #root: GuestRoot | null;
  #swapFd: number | null;
  #startMs = 0;
  #hasEnded = false;
  #endMs = 0;
  #running: Promise<ExitStatus> | null = null;
  #abandonOutput: () => void = () => {};
  #hasHungWorker = false;

  /**
   * Checks the configuration, reads the program and makes the machine's memory. Throws ConfigError, HostError,
   * NotFoundError or NotRunnableError, whose messages are one line.
   */
  static async boot(config: MachineConfig): Promise<Machine> {
    const policyModule = config.policyModule === undefined ? "" : moduleAddress(config.policyModule);
    const extraPolicies = policyModule === "" ? [] : await loadPolicyModule(policyModule);
    const resolved = { ...resolveConfig(config, extraPolicies), policyModule };
    const problem = problemOfChosen(resolved.policies, extraPolicies);
    if (problem !== "") throw new ConfigError(problem);
    const [program, core] = await Promise.all([loadProgram(config, resolved), loadCore()]);
    const bootTime = { realtimeNs: Date.now() * 1e6, hrtimeNs: hrtimeNs() };
    const shared = createMemory(resolved, bootTime, hostNeedsFence());
    if (resolved.driver === "deterministic") initSchedule(shared);
    const root = openRoot(resolved.root, resolved.rootTar);
    const tracer = resolved.trace === null ? null : await startTracer(shared, resolved.trace);
    return new Machine(config, resolved, program, core, shared, root, tracer);
  }

  /** Use Machine.boot. */
  private constructor(
    config: MachineConfig,
    resolved: ResolvedConfig,
    program: Program,
    core: WebAssembly.Module,
    shared: SharedMemory,
    root: GuestRoot | null,
    tracer: Tracer | null,
  ) {
    this.#root = root;
    this.#tracer = tracer;
    this.#swapFd = resolved.swapBytes > 0 ? openSwapFile() : null;
    this.#config = resolved;
    this.#program = program;
    this.#core = core;
    this.#shared = shared;
    this.#workers = new HartWorkers(shared);
    const pump = new ConsolePump(
      shared,
      config.output ?? writeToProcess,
      config.onInputWanted ?? (() => void pump.endInput()),
    );
    this.#pump = pump;
    this.console = {
      write: (input) => pump.writeInput(typeof input === "string" ? new TextEncoder().encode(input) : input),
      end: () => pump.endInput(),
      resize: (columns, rows) => pump.resize(columns, rows),
    };
  }

  /** What the user should know of the policies that were chosen, a line each. */
  get notices(): readonly string[] {
    return this.#config.notices;
  }

  /** How the trace went: what is missing in it. Complete once run() has resolved. */
  get traceReport(): TraceReport {
    return this.#traceReport;
  }

  /** True if a worker hangs in a call of the host: then the process can not exit, only be killed. */
  get hasHungWorker(): boolean {
    return this.#hasHungWorker;
  }

  /** Starts the harts. Resolves when the machine has stopped and its output has been delivered. Never rejects. */
  run(): Promise<ExitStatus> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Stops the machine from outside: run() resolves with "stopped" unless the guest ended first. */
  stop(): void {
    stopMachine(this.#shared, STOP_HOST, 0, STOP_BY_HOST);
    this.#abandonSoon();
  }

  /** Policies, counters, frames and, in the deterministic driver, the trace hash. Exact once run() has resolved. */
  stats(): MachineStats {
    const endMs = this.#endMs > 0 ? this.#endMs : performance.now();
    const seconds = this.#startMs > 0 ? (endMs - this.#startMs) / 1000 : 0;
    const stopped = stopReason(this.#shared) !== STOP_NONE;
    const framesFree = freeFrameCount(this.#shared);
    const { policies } = this.#config;
    const mutation = mutationId(this.#config.mutation);
    const inUse = memoryInUse(this.#shared);
    return readStats(this.#shared, { stopped, seconds, framesFree, inUse, policies, mutation });
  }

  /** Stops the machine if it runs, and ends its workers. */
  async dispose(): Promise<void> {
    // Also when the guest has ended and its last output waits for a sink that takes no more.
    if (!this.#hasEnded) this.stop();
    if (this.#running !== null) await this.#running;
    await this.#workers.terminate();
    if (this.#root !== null) closeRoot(this.#root);
    this.#root = null;
    if (this.#swapFd !== null) closeSwapFile(this.#swapFd);
    this.#swapFd = null;
    this.#tracer?.close();
  }

  /**
   * Takes a hart out of the machine or back into it. Out: as soon as it has nothing to run; tasks that may run
   * elsewhere move. Hart 0 stays.
   */
  setHartOnline(hartId: number, online: boolean): void {
    if (hartId < 1 || hartId >= this.#config.harts)
      throw new ConfigError(`hart ${hartId}: give 1 to ${this.#config.harts - 1}`);
    setHartOnline(this.#shared, hartId, online);
  }

  /** Ends one hart's worker as if it had crashed: for tests of what the machine makes of that. */
  async killHart(hartId: number): Promise<void> {
    await this.#workers.kill(hartId);
  }

  async #run(): Promise<ExitStatus> {
    const { harts, driver, args, env, timeoutSeconds, dieInLock, policies, policyModule, mutation } = this.#config;
    const abandoned = new Promise<void>((resolve) => {
      this.#abandonOutput = resolve;
    });
    this.#startMs = performance.now();
    const init = { ...this.#program, args, env };
    if (stopReason(this.#shared) === STOP_NONE) {
      this.#workers.start(harts, {
        memory: this.#shared.memory,
        core: this.#core,
        driver,
        dieInLock,
        policies,
        policyModule,
        mutated: mutation !== 0,
        root: this.#root,
        swapFd: this.#swapFd,
        init,
      });
    }
    const timer = timeoutSeconds > 0 ? setTimeout(() => this.#timeOut(), timeoutSeconds * 1000) : undefined;
    const pumped = this.#pump.run();
    const traced = this.#tracer?.pump.run();
    const quiet = await this.#workers.untilQuiet();
    this.#endMs = performance.now();
    this.#pump.finish();
    pulseHost(this.#shared);
    await Promise.race([pumped, abandoned]);
    clearTimeout(timer);
    this.#tracer?.pump.finish();
    this.#traceReport = (await traced) ?? this.#traceReport;
    if (!quiet) this.#hasHungWorker = !(await this.#workers.terminate());
    this.#hasEnded = true;
    return readExitStatus(this.#shared);
  }

  #timeOut(): void {
    stopMachine(this.#shared, STOP_TIMEOUT, 0, STOP_BY_HOST);
    this.#abandonSoon();
  }

  #abandonSoon(): void {
    setTimeout(() => this.#abandonOutput(), ABANDON_OUTPUT_MS);
  }
}

async function loadProgram(config: MachineConfig, resolved: ResolvedConfig): Promise<Program> {
  const path = typeof config.program === "string" ? config.program : resolved.args[0];
  // With a root file system the path is the guest's.
  const isGuestPath = typeof config.program === "string" && (resolved.root ?? resolved.rootTar) !== null;
  if (isGuestPath) return { path, bytes: null };
  const bytes = typeof config.program === "string" ? await readProgram(path) : config.program;
  const plan = parseElf(bytes, resolved.ramBytes);
  if ("error" in plan) throw new NotRunnableError(`${path}: ${plan.error}`);
  return { path, bytes };
}

/** Loaded when it is wanted: a run without a trace starts sooner. */
async function startTracer(shared: SharedMemory, path: string): Promise<Tracer> {
  const { startTracer } = await import("./tracer.ts");
  return startTracer(shared, path);
}

async function loadCore(): Promise<WebAssembly.Module> {
  const [bytes, manifest] = await Promise.all([readBuildFile("core.wasm"), readBuildFile("core.json")]);
  checkFingerprint(new TextDecoder().decode(manifest));
  return compileCore(bytes);
}
