// The exports of core.wasm, as the kernel sees them. Virtual addresses are numbers (user addresses lie below 2^38).
// Functions that reach user memory go through the calling hart's own TLB and walker; on a fault they stop and leave
// HART_CAUSE and HART_TVAL for the fault handler. A translated address is good only until the next poll.

export interface Core {
  /** Makes this instance the hart whose block is at `hart`. */
  bind(hart: number): void;
  /** Back to the state after bind: empty TLB and decode cache, globals as at the start. */
  reset(): void;
  /** Runs up to `budgetInstrs` instructions; returns EXIT_*. */
  run(budgetInstrs: number): number;
  /** Takes HART_SATP_ROOT and HART_SATP_ASID into use. Flushes nothing. */
  loadSatp(): void;
  flushAll(): void;
  flushAsid(asid: number): void;
  flushVa(va: number): void;
  flushVaAsid(va: number, asid: number): void;
  flushRange(vpn: number, pages: number, asid: number): void;
  fenceI(): void;
  fullFence(): void;
  clearReservation(): void;
  /** Hart block -> task record, CONTEXT_BYTES; and back. Both clear the reservation. */
  saveContext(task: number): void;
  restoreContext(task: number): void;

  /** Bytes NOT copied: 0 means all of it. */
  copyFromUser(destination: number, va: number, bytes: number): number;
  copyToUser(va: number, source: number, bytes: number): number;
  clearUser(va: number, bytes: number): number;
  /** Length without the NUL, `bytesMax` if there is none, -1 on a fault. */
  strncpyFromUser(destination: number, va: number, bytesMax: number): number;
  /** The unsigned word, or -1n on a fault. */
  userLoad32(va: number): bigint;
  userStore32(va: number, value: number): number;
  /** The old unsigned word, or -1n on a fault. */
  userCmpxchg32(va: number, expected: number, desired: number): bigint;
  userRmw32(operation: number, va: number, argument: number): bigint;
  /** Physical address, or 0 on a fault. */
  userAddress(va: number, access: number): number;

  zeroPage(pa: number): void;
  copyPage(destination: number, source: number): void;
  zeroBytes(pa: number, bytes: number): void;
  copyBytes(destination: number, source: number, bytes: number): void;
}
