// What can go wrong before a machine runs. Each message is one line for the person at the terminal.

/** The configuration cannot be right (exit code 125). */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** This host cannot run machines: wrong Node, no shared memory, stale build (exit code 125). */
export class HostError extends Error {
  override readonly name = "HostError";
}

/** The program is there but cannot be run (exit code 126). */
export class NotRunnableError extends Error {
  override readonly name = "NotRunnableError";
}

/** The program is not there (exit code 127). */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
}
