// Work space of a change to an address space's vmas (mm/vma/: vma-transaction.ts, vma-map-edit.ts). Each hart has one,
// so that mmap and munmap allocate no JavaScript object: collecting garbage stops a hart for as long as dozens of
// faults take, and whoever waits for its mmap_lock or its acknowledgement waits along.
//
// Lists grow as they must (fork copies all vmas in one change) and keep their room: the counts say what is in use.

import { VMA_NODE_CAPACITY } from "../../assembly/layout.ts";

/** An entry of a node in work space: four numbers in a row. */
export const ENTRY_WORDS = 4;
export const ENTRY_START = 0;
export const ENTRY_END = 1;
export const ENTRY_GAP = 2;
export const ENTRY_CHILD = 3;

/** More levels than a map of VMA_COUNT_MAX vmas can have. */
const LEVELS_MAX = 12;
/** A full node, one entry more, and a neighbour's. */
const ENTRIES_MAX = 2 * VMA_NODE_CAPACITY + 2;

/** A resized vma: four numbers in a row. */
export const RESIZED_WORDS = 4;
export const RESIZED_VMA = 0;
export const RESIZED_START = 1;
export const RESIZED_END = 2;
export const RESIZED_GROWN = 3; // pages; commit() finds out

/** What an edit of the map does. */
export const EDIT_NONE = 0;
export const EDIT_INSERT = 1;
export const EDIT_ERASE = 2;
export const EDIT_CHANGE = 3;

/** One change to the map: `vma`, which is or would be where `at` is, covers [start, end) afterwards. In vpns. */
export interface MapChange {
  kind: number;
  at: number;
  start: number;
  end: number;
  vma: number;
}

export class VmaWork {
  /** A map is being edited. */
  isOpen = false;

  /** Nodes made by the edit, not published yet; each knows its place in the list (RCU_HEAD_KIND holds index + 1). */
  readonly fresh: number[] = [];
  freshCount = 0;
  /** Published nodes that the edit replaces. */
  readonly retired: number[] = [];
  retiredCount = 0;
  /** What commit() is to do without new nodes, if nothing else comes. */
  readonly deferred: MapChange = { kind: EDIT_NONE, at: 0, start: 0, end: 0, vma: 0 };
  /** Path of the last descent, leaf first: node and index of the entry taken. */
  readonly pathNode = new Int32Array(LEVELS_MAX);
  readonly pathIndex = new Int32Array(LEVELS_MAX);
  /** Entries of the node being rewritten, and of its parent. */
  entries = new Int32Array(ENTRIES_MAX * ENTRY_WORDS);
  parents = new Int32Array(ENTRIES_MAX * ENTRY_WORDS);
  entryCount = 0;
  /** Entries of a neighbour on their way into the node being rewritten. */
  readonly neighbour = new Int32Array(VMA_NODE_CAPACITY * ENTRY_WORDS);
  /** Entries that describe the one or two nodes just written. */
  readonly written = new Int32Array(2 * ENTRY_WORDS);

  readonly added: number[] = [];
  addedCount = 0;
  readonly removed: number[] = [];
  removedCount = 0;
  readonly resized: number[] = [];
  resizedCount = 0;

  reset(): void {
    this.isOpen = false;
    this.freshCount = 0;
    this.retiredCount = 0;
    this.deferred.kind = EDIT_NONE;
    this.addedCount = 0;
    this.removedCount = 0;
    this.resizedCount = 0;
  }
}
