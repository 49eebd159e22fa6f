// The text of a symbolic link: in the inode if it is short, else in a frame of its own.

import {
  INODE_LINK,
  INODE_LINK_BYTES,
  INODE_SUPER,
  INODE_TEXT,
  INODE_TEXT_BYTES,
  PAGE_BYTES,
} from "../../assembly/layout.ts";
import { allocFrame } from "../mm/frame/frames.ts";
import { frameAddress } from "../mm/frame/page.ts";
import { freeFrame } from "../mm/frame/page-refs.ts";
import type { Hart } from "../policy/hart.ts";
import { chargePages } from "./charge.ts";

/** False: no memory. `bytes` is at most LINK_TARGET_MAX. */
export function setLinkText(hart: Hart, inode: number, text: number, bytes: number): boolean {
  const { shared } = hart;
  let at = inode + INODE_TEXT;
  if (bytes > INODE_TEXT_BYTES) {
    if (!chargePages(hart, shared.get(inode + INODE_SUPER), 1)) return false;
    const pfn = allocFrame(hart);
    if (pfn === 0) {
      chargePages(hart, shared.get(inode + INODE_SUPER), -1);
      return false;
    }
    at = frameAddress(pfn);
  }
  hart.core.copyBytes(at, text, bytes);
  shared.set(inode + INODE_LINK, at);
  shared.set(inode + INODE_LINK_BYTES, bytes);
  return true;
}

/** The inode goes, and its text. */
export function dropLinkText(hart: Hart, inode: number): void {
  const { shared } = hart;
  const at = shared.get(inode + INODE_LINK) >>> 0;
  if (at === 0 || at === inode + INODE_TEXT) return;
  freeFrame(hart, at / PAGE_BYTES);
  chargePages(hart, shared.get(inode + INODE_SUPER), -1);
}
