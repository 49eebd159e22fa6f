// The library: `import { Machine } from "pagewalk"`.

export type { Driver, MachineConfig, OutputSink } from "./machine/config.ts";
export { ConfigError, HostError, NotFoundError, NotRunnableError } from "./machine/errors.ts";
export { type ExitStatus, exitCodeOf } from "./machine/exit-status.ts";
export { Machine, type MachineConsole } from "./machine/machine.ts";
export { COUNTERS, type CounterRow } from "./observe/counters.ts";
export { type CounterValues, type DeterministicStats, formatStats, type MachineStats } from "./observe/stats.ts";
