// The bytes of a pipe: a ring of pages. HEAD and TAIL count bytes for ever; page p of the ring holds the bytes whose
// count divided by the page size is p, modulo PIPE_PAGES. A page is there while some byte of it is. All of it requires
// PIPE_LOCK.

import {
  PAGE_BYTES,
  PAGE_MASK,
  PAGE_SHIFT,
  PIPE_FRAMES,
  PIPE_HEAD,
  PIPE_PAGES,
  PIPE_TAIL,
} from "../../../assembly/layout.ts";
import { allocFrame } from "../../mm/frame/frames.ts";
import { frameAddress } from "../../mm/frame/page.ts";
import { freeFrame } from "../../mm/frame/page-refs.ts";
import type { Hart } from "../../policy/hart.ts";

export function pipeUsed(hart: Hart, pipe: number): number {
  return (hart.shared.get(pipe + PIPE_HEAD) - hart.shared.get(pipe + PIPE_TAIL)) >>> 0;
}

export function pipeRoom(hart: Hart, pipe: number): number {
  return hart.shared.get(pipe + PIPE_PAGES) * PAGE_BYTES - pipeUsed(hart, pipe);
}

/** Appends up to `bytes` bytes, no more than there is room for: how many. Less than that: no frame was free. */
export function pipePut(hart: Hart, pipe: number, address: number, bytes: number): number {
  const { shared } = hart;
  let head = shared.get(pipe + PIPE_HEAD);
  const end = Math.min(bytes, pipeRoom(hart, pipe));
  let done = 0;
  while (done < end) {
    const slot = slotOf(hart, pipe, head);
    let pfn = shared.get(slot);
    if (pfn === 0) {
      pfn = allocFrame(hart);
      if (pfn === 0) break;
      shared.set(slot, pfn);
    }
    const offset = head & PAGE_MASK;
    const piece = Math.min(PAGE_BYTES - offset, end - done);
    hart.core.copyBytes(frameAddress(pfn) + offset, address + done, piece);
    done += piece;
    head = (head + piece) | 0;
  }
  shared.set(pipe + PIPE_HEAD, head);
  return done;
}

/** Copies up to `bytes` bytes to `address`, and leaves them in the pipe: how many there were. */
export function pipePeek(hart: Hart, pipe: number, address: number, bytes: number): number {
  const { shared } = hart;
  const tail = shared.get(pipe + PIPE_TAIL);
  const end = Math.min(bytes, pipeUsed(hart, pipe));
  for (let done = 0; done < end; ) {
    const at = (tail + done) | 0;
    const piece = Math.min(PAGE_BYTES - (at & PAGE_MASK), end - done);
    const frame = frameAddress(shared.get(slotOf(hart, pipe, at)));
    hart.core.copyBytes(address + done, frame + (at & PAGE_MASK), piece);
    done += piece;
  }
  return end;
}

/** How many of the first `bytes` bytes are in pages that end among them. */
export function pipeWholePages(hart: Hart, pipe: number, bytes: number): number {
  return Math.max(bytes - ((hart.shared.get(pipe + PIPE_TAIL) + bytes) & PAGE_MASK), 0);
}

/** The first `bytes` bytes have been read: they leave the pipe. */
export function pipeSkip(hart: Hart, pipe: number, bytes: number): void {
  const { shared } = hart;
  let tail = shared.get(pipe + PIPE_TAIL);
  for (let done = 0; done < bytes; ) {
    const slot = slotOf(hart, pipe, tail);
    const pfn = shared.get(slot);
    const piece = Math.min(PAGE_BYTES - (tail & PAGE_MASK), bytes - done);
    done += piece;
    tail = (tail + piece) | 0;
    if ((tail & PAGE_MASK) !== 0 || wrapsInto(hart, pipe, slot)) continue;
    shared.set(slot, 0);
    freeFrame(hart, pfn);
  }
  shared.set(pipe + PIPE_TAIL, tail);
}

/** Frees every page. */
export function pipeEmpty(hart: Hart, pipe: number): void {
  const { shared } = hart;
  for (let page = 0; page < shared.get(pipe + PIPE_PAGES); page++) {
    const pfn = shared.get(pipe + PIPE_FRAMES + 4 * page);
    if (pfn === 0) continue;
    shared.set(pipe + PIPE_FRAMES + 4 * page, 0);
    freeFrame(hart, pfn);
  }
}

/** A ring that is almost full ends in the page in which it begins: the last bytes lie before the first. */
function wrapsInto(hart: Hart, pipe: number, slot: number): boolean {
  const head = hart.shared.get(pipe + PIPE_HEAD);
  return (head & PAGE_MASK) !== 0 && slotOf(hart, pipe, head) === slot;
}

/**
 * Another capacity, a power of two that holds what is in it, with a page to spare if it shrinks: each page moves to its
 * place in the new ring. False: no frame was free, and nothing has changed.
 */
export function pipeResize(hart: Hart, pipe: number, pages: number): boolean {
  const { shared } = hart;
  const old = shared.get(pipe + PIPE_PAGES);
  if (pages === old) return true;
  const tail = shared.get(pipe + PIPE_TAIL);
  const first = tail >>> PAGE_SHIFT;
  let last = 0;
  if (pipeUsed(hart, pipe) > 0 && (tail & PAGE_MASK) !== 0 && wrapsInto(hart, pipe, slotOf(hart, pipe, tail))) {
    const isWhole = pipeUsed(hart, pipe) > PAGE_BYTES;
    last = isWhole ? copyOf(hart, shared.get(slotOf(hart, pipe, tail))) : 0;
    if (isWhole && last === 0) return false;
  }
  const held: number[] = [];
  for (let i = 0; i < old; i++) {
    const slot = pipe + PIPE_FRAMES + 4 * ((first + i) & (old - 1));
    held.push(shared.get(slot));
    shared.set(slot, 0);
  }
  if (last !== 0) held.push(last);
  shared.set(pipe + PIPE_PAGES, pages);
  held.forEach((pfn, i) => {
    if (pfn !== 0) shared.set(pipe + PIPE_FRAMES + 4 * ((first + i) & (pages - 1)), pfn);
  });
  return true;
}

function copyOf(hart: Hart, pfn: number): number {
  const copy = allocFrame(hart);
  if (copy !== 0) hart.core.copyPage(frameAddress(copy), frameAddress(pfn));
  return copy;
}

function slotOf(hart: Hart, pipe: number, position: number): number {
  return pipe + PIPE_FRAMES + 4 * ((position >>> PAGE_SHIFT) & (hart.shared.get(pipe + PIPE_PAGES) - 1));
}
