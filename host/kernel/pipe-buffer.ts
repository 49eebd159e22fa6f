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
} from "../../assembly/layout.ts";
import { allocFrame, frameAddress, freeFrame } from "../mm/frames.ts";
import type { Hart } from "../policy/hart.ts";

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

/** Takes up to `bytes` bytes to `address`: how many there were. */
export function pipeTake(hart: Hart, pipe: number, address: number, bytes: number): number {
  const { shared } = hart;
  let tail = shared.get(pipe + PIPE_TAIL);
  const end = Math.min(bytes, pipeUsed(hart, pipe));
  let done = 0;
  while (done < end) {
    const slot = slotOf(hart, pipe, tail);
    const pfn = shared.get(slot);
    const offset = tail & PAGE_MASK;
    const piece = Math.min(PAGE_BYTES - offset, end - done);
    hart.core.copyBytes(address + done, frameAddress(pfn) + offset, piece);
    done += piece;
    tail = (tail + piece) | 0;
    if ((tail & PAGE_MASK) !== 0) continue;
    shared.set(slot, 0);
    freeFrame(hart, pfn);
  }
  shared.set(pipe + PIPE_TAIL, tail);
  return done;
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

/** Another capacity, a power of two that holds what is in it: each page moves to its place in the new ring. */
export function pipeResize(hart: Hart, pipe: number, pages: number): void {
  const { shared } = hart;
  const old = shared.get(pipe + PIPE_PAGES);
  const first = shared.get(pipe + PIPE_TAIL) >>> PAGE_SHIFT;
  const held: number[] = [];
  for (let i = 0; i < old; i++) {
    const slot = pipe + PIPE_FRAMES + 4 * ((first + i) & (old - 1));
    held.push(shared.get(slot));
    shared.set(slot, 0);
  }
  shared.set(pipe + PIPE_PAGES, pages);
  for (let i = 0; i < Math.min(old, pages); i++)
    shared.set(pipe + PIPE_FRAMES + 4 * ((first + i) & (pages - 1)), held[i]);
}

function slotOf(hart: Hart, pipe: number, position: number): number {
  return pipe + PIPE_FRAMES + 4 * ((position >>> PAGE_SHIFT) & (hart.shared.get(pipe + PIPE_PAGES) - 1));
}
