// Addresses as a reader of layout.ts would write them: mm1.MM_COUNT, hart0.HART_DOORBELL, frame 131077 + 0x18.

import * as layout from "../../assembly/layout.ts";

interface Region {
  /** Prefix of its fields in layout.ts. */
  readonly prefix: string;
  readonly label: string;
  readonly base: number;
  readonly recordBytes: number;
  readonly end: number;
}

const REGIONS: readonly Region[] = [
  region("MACHINE", "", layout.MACHINE_BASE, layout.MACHINE_BYTES, 1),
  region("POOL", "pool", layout.POOL_BASE, layout.POOL_BYTES, layout.POOL_COUNT),
  region("RQ", "rq", layout.RQ_BASE, layout.RQ_BYTES, layout.HART_COUNT_MAX),
  region("MM", "mm", layout.MM_BASE, layout.MM_BYTES, layout.MM_COUNT_MAX),
  region("TASK", "task", layout.TASK_BASE, layout.TASK_BYTES, layout.TASK_COUNT_MAX),
  region("RWSEM", "rwsem", layout.RWSEM_BASE, layout.RWSEM_BYTES, layout.RWSEM_COUNT_MAX),
  region("VMA", "vma", layout.VMA_BASE, layout.VMA_BYTES, layout.VMA_COUNT_MAX),
  region("VMA_NODE", "node", layout.VMA_NODE_BASE, layout.VMA_NODE_BYTES, layout.VMA_NODE_COUNT_MAX),
  region("PAGE", "page", layout.PAGE_BASE, layout.PAGE_STRUCT_BYTES, layout.PAGE_COUNT_MAX),
  region("PTE_LOCK", "pte-lock", layout.PTE_LOCK_BASE, layout.PTE_LOCK_BYTES, layout.PTE_LOCK_COUNT),
  region("HART", "hart", layout.HART_BASE, layout.HART_BYTES, layout.HART_COUNT_MAX),
];

/** Constants with the prefix of a record that are no field of it. */
const NO_FIELD = /_(BYTES|BASE|COUNT_MAX|SHIFT|MASK|MAX|CAPACITY|RUNNING|DEAD|NEW|STOPPED|VALUE)$|INTERRUPTIBLE/;

export function nameOf(address: number): string {
  const found = REGIONS.find(({ base, end }) => address >= base && address < end);
  if (found !== undefined) return nameIn(found, address - found.base);
  if (address < layout.RAM_BASE) return `0x${address.toString(16)}`;
  const pfn = Math.floor(address / layout.PAGE_BYTES);
  return `frame ${pfn - layout.RAM_PFN_BASE} + 0x${(address % layout.PAGE_BYTES).toString(16)}`;
}

/** The kind of lock at `address`: its field, whatever record it is in. */
export function classNameOf(address: number): string {
  const found = REGIONS.find(({ base, end }) => address >= base && address < end);
  return found === undefined ? nameOf(address) : fieldAt(found.prefix, (address - found.base) % found.recordBytes);
}

function nameIn({ prefix, label, recordBytes }: Region, offset: number): string {
  const index = Math.floor(offset / recordBytes);
  const inside = offset % recordBytes;
  const record = label === "" ? "" : `${label}${index}.`;
  if (prefix === "HART" && inside >= layout.HART_MAILBOX && inside < layout.HART_PWC) {
    const slot = Math.floor((inside - layout.HART_MAILBOX) / layout.MAILBOX_BYTES);
    return `${record}mailbox${slot}.${fieldAt("MAILBOX", (inside - layout.HART_MAILBOX) % layout.MAILBOX_BYTES)}`;
  }
  return record + fieldAt(prefix, inside);
}

/** The field that begins at the offset, or the last one before it and the distance. */
function fieldAt(prefix: string, offset: number): string {
  let best = "";
  let bestOffset = -1;
  for (const [name, value] of Object.entries(layout)) {
    if (!name.startsWith(`${prefix}_`) || NO_FIELD.test(name) || value > offset || value <= bestOffset) continue;
    if (prefix === "VMA" && name.startsWith("VMA_NODE")) continue;
    best = name;
    bestOffset = value;
  }
  return offset === bestOffset ? best : `${best} + ${offset - bestOffset}`;
}

function region(prefix: string, label: string, base: number, recordBytes: number, count: number): Region {
  return { prefix, label, base, recordBytes, end: base + recordBytes * count };
}
