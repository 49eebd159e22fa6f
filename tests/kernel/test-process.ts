// A process whose system calls the test makes itself: the real kernel on one hart in the test's thread, with init
// loaded and current, but its code not run. Arguments go into the hart's registers, and dispatch is called as the trap
// handler would.

import { readFileSync } from "node:fs";
import { HART_BUFFER, HART_X, MACHINE_BASE, PF_KTHREAD, TASK_FLAGS, TASK_PID } from "../../assembly/layout.ts";
import { bootHart } from "../../host/kernel/boot.ts";
import { KernelHart } from "../../host/kernel/kernel-hart.ts";
import { runKthreadStep } from "../../host/kernel/sched/kthread.ts";
import { schedule } from "../../host/kernel/sched/switch.ts";
import { WAIT } from "../../host/kernel/sched/wait.ts";
import { deliverSignals } from "../../host/kernel/signal/signal.ts";
import { sendSignalToSelf } from "../../host/kernel/signal/signal-send.ts";
import { dispatchSyscall } from "../../host/kernel/syscall/dispatch.ts";
import { expireTimers } from "../../host/kernel/time/timer.ts";
import { finishSystemCall } from "../../host/kernel/trap.ts";
import { resolveConfig } from "../../host/machine/config.ts";
import { instantiateCore } from "../../host/machine/core.ts";
import { createMemory } from "../../host/machine/memory-map.ts";
import type { SharedMemory } from "../../host/memory/shared.ts";
import { mmFrame } from "../../host/mm/lazy.ts";
import { copyFromUser, copyToUser } from "../../host/mm/uaccess.ts";
import { makePolicies, standard } from "../../host/policy/choose.ts";
import { BUILD, PREBUILT } from "../support/paths.ts";
import { MemorySwapStore } from "../support/swap-store.ts";
import { consoleOutput } from "./console-output.ts";

const A0 = 10;
const A7 = 17;

const MMAP = 222;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

export interface TestProcessOptions {
  readonly seed?: number;
  readonly terminal?: { columns: number; rows: number };
  /** A swap store in the test's own memory. */
  readonly swapBytes?: number;
}

export class TestProcess {
  readonly hart: KernelHart;
  readonly shared: SharedMemory;
  /** 64 KiB of user memory for arguments. */
  readonly memory: number;
  /** Nanoseconds since boot: moved by the test alone. */
  now = 1e9;

  constructor(options: TestProcessOptions = {}) {
    const program = `${PREBUILT}/hello`;
    const config = resolveConfig({
      program,
      ramBytes: 1 << 24,
      seed: options.seed ?? 1,
      terminal: options.terminal,
      swapBytes: options.swapBytes,
    });
    this.shared = createMemory(config, { realtimeNs: 1.7e18, hrtimeNs: 0 }, false);
    const core = instantiateCore(new WebAssembly.Module(readFileSync(`${BUILD}/core.wasm`)), this.shared.memory);
    const policies = makePolicies(standard(), mmFrame);
    this.hart = new KernelHart(0, this.shared, core, { now: () => this.now }, 0, policies);
    if (options.swapBytes !== undefined) this.hart.swapStore = new MemorySwapStore(this.shared.u8);
    bootHart(this.hart, {
      path: program,
      bytes: readFileSync(program),
      args: [program],
      env: [],
    });
    this.switchTask(); // from the idle task to init
    this.memory = this.call(MMAP, 0, 65536, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  }

  /** Makes system call `number` from the current task. A result is also written to a0, as the trap handler does. */
  call(number: number, ...args: number[]): number {
    for (let n = 0; n < 6; n++) this.setRegister(A0 + n, args[n] ?? 0);
    this.setRegister(A7, number);
    return this.restart();
  }

  /** Enters the current task's call again, as after a wait. */
  restart(): number {
    const result = dispatchSyscall(this.hart);
    if (result !== WAIT) finishSystemCall(this.hart, result);
    return result;
  }

  /** Lets the scheduler choose the next task of the guest; its number, 0 for the idle task. */
  switchTask(): number {
    const { hart, shared } = this;
    for (;;) {
      schedule(hart);
      if ((shared.get(hart.current + TASK_FLAGS) & PF_KTHREAD) === 0) return shared.get(hart.current + TASK_PID);
      runKthreadStep(hart);
    }
  }

  /** A signal from outside: a call of the test's own would replace the registers of one that waits. */
  signalCurrent(signal: number): void {
    sendSignalToSelf(this.hart, signal);
  }

  /** The timer interrupt. */
  expireTimers(): void {
    expireTimers(this.hart);
  }

  /** What happens before guest code runs: true if the task died. */
  deliverSignals(): boolean {
    return deliverSignals(this.hart);
  }

  /** Everything written to stdout or stderr so far. */
  output(): string {
    return consoleOutput(this.shared).join("");
  }

  register(number: number): bigint {
    return BigInt.asIntN(64, this.shared.u64[(this.hart.base + HART_X + number * 8) >>> 3]);
  }

  setRegister(number: number, value: number): void {
    this.shared.u64[(this.hart.base + HART_X + number * 8) >>> 3] = BigInt.asUintN(64, BigInt(value));
  }

  /** Copies bytes into user memory and returns `va`. */
  poke(va: number, bytes: Uint8Array): number {
    const buffer = this.hart.base + HART_BUFFER;
    this.shared.u8.set(bytes, buffer);
    if (copyToUser(this.hart, va, buffer, bytes.length) !== 0) throw new Error(`no user memory at ${va}`);
    return va;
  }

  pokeText(va: number, text: string): number {
    return this.poke(va, new TextEncoder().encode(`${text}\0`));
  }

  poke32(va: number, ...words: number[]): number {
    return this.poke(va, new Uint8Array(Int32Array.from(words).buffer));
  }

  poke64(va: number, ...words: (number | bigint)[]): number {
    return this.poke(va, new Uint8Array(BigInt64Array.from(words.map((word) => BigInt(word))).buffer));
  }

  peek(va: number, bytes: number): Uint8Array<ArrayBuffer> {
    const buffer = this.hart.base + HART_BUFFER;
    if (copyFromUser(this.hart, buffer, va, bytes) !== 0) throw new Error(`no user memory at ${va}`);
    return Uint8Array.from(this.shared.u8.subarray(buffer, buffer + bytes));
  }

  peek32(va: number): number {
    return new DataView(this.peek(va, 4).buffer).getInt32(0, true);
  }

  peek64(va: number): number {
    return Number(new DataView(this.peek(va, 8).buffer).getBigInt64(0, true));
  }

  /** A word of the machine record. */
  machine(field: number): number {
    return this.shared.get(MACHINE_BASE + field);
  }
}
