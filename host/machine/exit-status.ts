// How a machine ended, for programs (ExitStatus) and for shells (exitCodeOf).

import {
  MACHINE_BASE,
  MACHINE_EXIT_STATUS,
  STOP_EXIT,
  STOP_FATAL_SIGNAL,
  STOP_HOST,
  STOP_NOT_RUNNABLE,
  STOP_OOPS,
  STOP_TIMEOUT,
  STOP_WORKER_DIED,
} from "../../assembly/layout.ts";
import { stopReason } from "../devices/power.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { readOops } from "../observe/oops.ts";

export type ExitStatus =
  /** The first process exited. */
  | { readonly kind: "exit"; readonly code: number }
  /** The first process was killed by a signal. */
  | { readonly kind: "signal"; readonly signal: number }
  /** stop() or dispose() was called. */
  | { readonly kind: "stopped" }
  | { readonly kind: "timeout" }
  /** The kernel could not load the program, or found none at its path in the guest's root; one line. */
  | { readonly kind: "not-runnable"; readonly message: string; readonly missing: boolean }
  /** A bug of the kernel, or a worker that died: the oops text. */
  | { readonly kind: "oops"; readonly message: string };

export const EXIT_CODE_TIMEOUT = 124;
export const EXIT_CODE_HOST_ERROR = 125;
export const EXIT_CODE_NOT_RUNNABLE = 126;
export const EXIT_CODE_NOT_FOUND = 127;
export const EXIT_CODE_SIGNAL_BASE = 128;
const EXIT_CODE_INTERRUPTED = 130;

/** After the machine has stopped. */
export function readExitStatus(shared: SharedMemory): ExitStatus {
  const status = shared.get(MACHINE_BASE + MACHINE_EXIT_STATUS);
  const reason = stopReason(shared);
  switch (reason) {
    case STOP_EXIT:
      return { kind: "exit", code: status };
    case STOP_FATAL_SIGNAL:
      return { kind: "signal", signal: status };
    case STOP_HOST:
      return { kind: "stopped" };
    case STOP_TIMEOUT:
      return { kind: "timeout" };
    case STOP_NOT_RUNNABLE:
      return { kind: "not-runnable", message: readOops(shared), missing: status !== 0 };
    case STOP_OOPS:
    case STOP_WORKER_DIED:
      return { kind: "oops", message: readOops(shared) || "a hart died without a word" };
    default:
      throw new Error(`stop reason ${reason}`);
  }
}

/** What a shell should see, as with env(1) and timeout(1). */
export function exitCodeOf(status: ExitStatus): number {
  switch (status.kind) {
    case "exit":
      return status.code;
    case "signal":
      return EXIT_CODE_SIGNAL_BASE + status.signal;
    case "stopped":
      return EXIT_CODE_INTERRUPTED;
    case "timeout":
      return EXIT_CODE_TIMEOUT;
    case "not-runnable":
      return status.missing ? EXIT_CODE_NOT_FOUND : EXIT_CODE_NOT_RUNNABLE;
    case "oops":
      return EXIT_CODE_HOST_ERROR;
  }
}
