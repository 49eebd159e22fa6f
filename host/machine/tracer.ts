// --trace: the rings of the harts, the pump that empties them, and the file.

import { MACHINE_BASE, MACHINE_BOOT_HRTIME_NS } from "../../assembly/layout.ts";
import type { SharedMemory } from "../memory/shared.ts";
import { TracePump } from "../observe/trace-pump.ts";
import { hrtimeNs } from "./node/clock.ts";
import { openTraceFile } from "./node/trace-file.ts";

export interface Tracer {
  readonly pump: TracePump;
  close(): void;
}

/** Throws HostError if the file cannot be written. */
export function startTracer(shared: SharedMemory, path: string): Tracer {
  const file = openTraceFile(path);
  const bootNs = shared.getF64(MACHINE_BASE + MACHINE_BOOT_HRTIME_NS);
  const pump = new TracePump(shared, file, () => hrtimeNs() - bootNs);
  return { pump, close: () => file.close() };
}
