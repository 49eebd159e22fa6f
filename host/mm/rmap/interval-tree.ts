// Trees of vmas by the page offsets that they map: which vmas can have page `index` mapped? A treap whose nodes lie in
// the vmas (RMAP_*), ordered by first offset and then by insertion, each with the highest offset below it. A vma is in
// the tree of its mapping (i_mmap) and, if its pages can be private, in that of its anon_vma.
//
// A copy that fork makes of a vma is inserted after it, so whoever walks the tree while pages are copied meets the
// original first, and misses none. (Linux: mm/interval_tree.c)
//
// Requires, all: the tree's lock, for write where it changes. Also who changes VMA_START, VMA_END or VMA_PGOFF of a vma
// in a tree holds its lock for write, and takes it out meanwhile.

import { RMAP_LAST, RMAP_LEFT, RMAP_RIGHT, RMAP_SEQ, VMA_END, VMA_PGOFF, VMA_START } from "../../../assembly/layout.ts";
import type { HartLocal } from "../../memory/hart-local.ts";

/** Inserts `vma`, whose node is at its offset `link`, into the tree at word `root`; `seq` is larger than all before. */
export function intervalInsert(hart: HartLocal, root: number, link: number, vma: number, seq: number): void {
  const { shared } = hart;
  shared.set(vma + link + RMAP_LEFT, 0);
  shared.set(vma + link + RMAP_RIGHT, 0);
  shared.set(vma + link + RMAP_SEQ, seq);
  shared.set(vma + link + RMAP_LAST, lastOf(hart, vma));
  shared.set(root, insertBelow(hart, shared.get(root), link, vma));
}

export function intervalRemove(hart: HartLocal, root: number, link: number, vma: number): void {
  const { shared } = hart;
  shared.set(root, removeBelow(hart, shared.get(root), link, vma));
  shared.set(vma + link + RMAP_SEQ, 0);
}

/**
 * The first vma in the tree's order that maps some of the offsets [first, last] and comes after `previous` (0: the very
 * first), or 0. The tree must not have changed since `previous` was found.
 */
export function intervalNext(
  hart: HartLocal,
  root: number,
  link: number,
  first: number,
  last: number,
  previous: number,
): number {
  return nextBelow(hart, hart.shared.get(root), link, first, last, previous);
}

function nextBelow(hart: HartLocal, node: number, link: number, first: number, last: number, previous: number): number {
  const { shared } = hart;
  if (node === 0 || shared.get(node + link + RMAP_LAST) < first) return 0;
  const isAfter = previous === 0 || (node !== previous && isBefore(hart, previous, node, link));
  if (isAfter) {
    const found = nextBelow(hart, shared.get(node + link + RMAP_LEFT), link, first, last, previous);
    if (found !== 0) return found;
  }
  if (shared.get(node + VMA_PGOFF) > last) return 0;
  if (isAfter && lastOf(hart, node) >= first) return node;
  return nextBelow(hart, shared.get(node + link + RMAP_RIGHT), link, first, last, previous);
}

function insertBelow(hart: HartLocal, node: number, link: number, vma: number): number {
  const { shared } = hart;
  if (node === 0) return vma;
  const side = isBefore(hart, vma, node, link) ? RMAP_LEFT : RMAP_RIGHT;
  const child = insertBelow(hart, shared.get(node + link + side), link, vma);
  shared.set(node + link + side, child);
  if (priority(hart, child, link) <= priority(hart, node, link)) {
    update(hart, node, link);
    return node;
  }
  // The child becomes the root of this part: a rotation.
  const other = side === RMAP_LEFT ? RMAP_RIGHT : RMAP_LEFT;
  shared.set(node + link + side, shared.get(child + link + other));
  update(hart, node, link);
  shared.set(child + link + other, node);
  update(hart, child, link);
  return child;
}

function removeBelow(hart: HartLocal, node: number, link: number, vma: number): number {
  const { shared } = hart;
  if (node === 0) return 0;
  if (node === vma) return join(hart, shared.get(node + link + RMAP_LEFT), shared.get(node + link + RMAP_RIGHT), link);
  const side = isBefore(hart, vma, node, link) ? RMAP_LEFT : RMAP_RIGHT;
  shared.set(node + link + side, removeBelow(hart, shared.get(node + link + side), link, vma));
  update(hart, node, link);
  return node;
}

/** One tree of two, of which every node of `left` comes before every one of `right`. */
function join(hart: HartLocal, left: number, right: number, link: number): number {
  const { shared } = hart;
  if (left === 0) return right;
  if (right === 0) return left;
  if (priority(hart, left, link) > priority(hart, right, link)) {
    shared.set(left + link + RMAP_RIGHT, join(hart, shared.get(left + link + RMAP_RIGHT), right, link));
    update(hart, left, link);
    return left;
  }
  shared.set(right + link + RMAP_LEFT, join(hart, left, shared.get(right + link + RMAP_LEFT), link));
  update(hart, right, link);
  return right;
}

function isBefore(hart: HartLocal, vma: number, node: number, link: number): boolean {
  const { shared } = hart;
  const order = shared.get(vma + VMA_PGOFF) - shared.get(node + VMA_PGOFF);
  return order !== 0 ? order < 0 : shared.get(vma + link + RMAP_SEQ) < shared.get(node + link + RMAP_SEQ);
}

/** Random enough that the tree is balanced, and the same in every run. */
function priority(hart: HartLocal, node: number, link: number): number {
  const mixed = Math.imul(hart.shared.get(node + link + RMAP_SEQ), 0x9e3779b1);
  return Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
}

function update(hart: HartLocal, node: number, link: number): void {
  const { shared } = hart;
  const left = shared.get(node + link + RMAP_LEFT);
  const right = shared.get(node + link + RMAP_RIGHT);
  let last = lastOf(hart, node);
  if (left !== 0) last = Math.max(last, shared.get(left + link + RMAP_LAST));
  if (right !== 0) last = Math.max(last, shared.get(right + link + RMAP_LAST));
  shared.set(node + link + RMAP_LAST, last);
}

function lastOf(hart: HartLocal, vma: number): number {
  const { shared } = hart;
  return shared.get(vma + VMA_PGOFF) + (shared.get(vma + VMA_END) - shared.get(vma + VMA_START)) - 1;
}
