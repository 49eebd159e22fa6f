// What a hart's kernel is handed at boot by whoever knows more: the host's clock and store, and the layers above, which
// memory/, mm/ and fs/ may call but not import.

import type { HartLocal } from "./hart-local.ts";

/** Nanoseconds; monotonic, the same zero on every hart. In the deterministic driver it counts instructions. */
export interface Clock {
  now(): number;
}

/** Serves this hart's mailbox and doorbell. Implemented by the kernel, handed in at boot. */
export interface InterruptController {
  /** `unmaskable`: interrupts are off, only what does not care is served. */
  serve(unmaskable?: boolean): void;
}

/** Counts struct file. Called with mmap_lock held: an implementation takes no mmap_lock and copies no user data. */
export interface FileHooks {
  get(hart: HartLocal, file: number): void;
  put(hart: HartLocal, file: number): void;
}

/**
 * The page of `vpn` is userfaultfd's to resolve, for the reason that `kind` (VM_UFFD_*) says: FAULT_USERFAULT if the
 * current task has begun to wait for that, FAULT_OK to look again, or why the access fails. Called with mmap_lock held
 * for read.
 */
export type UserFaultHandler = (
  hart: HartLocal,
  vma: number,
  vpn: number,
  pteAddress: number,
  kind: number,
  access: number,
) => number;

/** What a userfaultfd hears of changes to mappings that are registered with it (UFFD_EVENT_*). */
export interface UserfaultEvents {
  /** A record to post or to cancel; 0: `context` does not want such events; -1: no memory. `mm`: a fork's copy. */
  prepare(hart: HartLocal, context: number, kind: number, mm: number): number;
  /** It has happened. Called with mmap_lock held, and the current task waits for the reader before its call returns. */
  post(hart: HartLocal, event: number, first: number, second: number, third: number): void;
  cancel(hart: HartLocal, event: number): void;
}

/** Where pages of a mapping that are not in memory come from. */
export interface PageIo {
  /**
   * Reads page `index` of the mapping of inode `host` to the frame at `address`, which is zeroed: bytes read (short at
   * the end of the file), or -errno. Called in state HOST_IO with no lock held but that of the page.
   */
  readPage(hart: HartLocal, host: number, index: number, address: number): number;
  /** Has the file system of inode `host` room for a page that a fault needs? It is counted then. A vma is locked. */
  chargeFault?(hart: HartLocal, host: number): boolean;
}

/** A file of the host's, or memory of its own. Called in state HOST_IO. */
export interface SwapStore {
  /** Writes the page at `address` of the shared memory to `slot`: 0 or -errno. */
  write(slot: number, address: number): number;
  read(slot: number, address: number): number;
}
