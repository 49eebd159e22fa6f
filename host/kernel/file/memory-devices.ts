// The devices that are made of memory: /dev/null, zero, full, random and urandom. (Linux: drivers/char/mem.c, random.c)

import { HART_BUFFER, HART_BUFFER_BYTES } from "../../../assembly/layout.ts";
import { EFAULT, ENOSPC } from "../../memory/errno.ts";
import { signalPending } from "../../memory/signal-pending.ts";
import type { Hart } from "../../policy/hart.ts";
import { randomFill } from "../random.ts";
import { scatterAt, totalBytes, type UserBuffers } from "../user-buffers.ts";
import { defaultOps, type FileOps, MAPPING_ANONYMOUS } from "./file-ops.ts";

type FillBuffer = (hart: Hart, buffer: number, bytes: number) => void;

export const nullOps: FileOps = {
  ...defaultOps,
  hasPosition: true,
  read: () => 0,
  write: takeAll,
  seek: () => 0,
};

export const zeroOps: FileOps = {
  ...defaultOps,
  hasPosition: true,
  read: (hart, _file, buffers) => readFilled(hart, buffers, fillZeros),
  write: takeAll,
  seek: () => 0,
  mapping: () => MAPPING_ANONYMOUS,
};

export const fullOps: FileOps = {
  ...zeroOps,
  write: (hart, _file, buffers) => Math.min(totalBytes(hart, buffers), 0) || -ENOSPC,
};

export const randomOps: FileOps = {
  ...defaultOps,
  hasPosition: true,
  read: (hart, _file, buffers) => readFilled(hart, buffers, randomFill),
  write: takeAll,
  seek: () => 0,
};

/** Nothing is done with the bytes, so they are not even looked at. */
function takeAll(hart: Hart, _file: number, buffers: UserBuffers): number {
  return totalBytes(hart, buffers);
}

function fillZeros(hart: Hart, buffer: number, bytes: number): void {
  hart.core.zeroBytes(buffer, bytes);
}

function readFilled(hart: Hart, buffers: UserBuffers, fill: FillBuffer): number {
  const total = totalBytes(hart, buffers);
  if (total <= 0) return total;
  let done = 0;
  while (done < total) {
    const bytes = Math.min(total - done, HART_BUFFER_BYTES);
    fill(hart, hart.base + HART_BUFFER, bytes);
    const copied = scatterAt(hart, buffers, done, bytes);
    if (copied <= 0) return done > 0 ? done : -EFAULT;
    done += copied;
    // A huge read ends early at a signal, as Linux's does.
    if (signalPending(hart)) break;
  }
  return done;
}
