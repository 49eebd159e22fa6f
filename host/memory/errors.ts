// What stops a hart. Guest mistakes are never among these: they are errno values and signals.

/** Thrown by every wait loop once MACHINE_STOP is set; caught only by the hart loop. */
export class MachineStopped extends Error {
  constructor() {
    super("the machine has stopped");
    this.name = "MachineStopped";
  }
}

/**
 * Thrown by a user copy whose page userfaultfd must deliver: the current task stands on a wait queue. Caught by who
 * enters system calls; the call is made again once the page is there. One object for all: a fault allocates none.
 */
export class UserFaultWait extends Error {
  static readonly thrown = new UserFaultWait("the task waits for a page");
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
