// What stops a hart. Guest mistakes are never among these: they are errno values and signals.

/** Thrown by every wait loop once MACHINE_STOP is set; caught only by the hart loop. */
export class MachineStopped extends Error {
  constructor() {
    super("the machine has stopped");
    this.name = "MachineStopped";
  }
}

/** A broken invariant of the kernel: stops the machine with an oops. */
export class KernelBug extends Error {
  readonly details: Readonly<Record<string, number | string>>;

  constructor(what: string, details: Readonly<Record<string, number | string>> = {}) {
    super(what);
    this.name = "KernelBug";
    this.details = details;
  }
}
