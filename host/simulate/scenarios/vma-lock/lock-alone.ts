// The lock alone, without a fault around it: windows of one access are a larger part of what there is to explore.

import { PAGE_BYTES } from "../../../../assembly/layout.ts";
import type { KernelHart } from "../../../kernel/kernel-hart.ts";
import { mmapWriteLock, mmapWriteUnlock } from "../../../mm/lock.ts";
import { mmAlloc, mmput } from "../../../mm/mm.ts";
import { vmaFind } from "../../../mm/vma/vma-map.ts";
import { VmaMapEdit } from "../../../mm/vma/vma-map-edit.ts";
import { scenario } from "../../scenario.ts";
import { BASE, mapAnonymous, READ_WRITE, sharedMm } from "../address-space.ts";
import { claim } from "../claim.ts";
import { tell, told } from "../signal.ts";
import { pollFor } from "../tasks.ts";
import { exitAndLeave } from "../threads.ts";
import { COUNTS } from "./counts.ts";
import { mapPages, unmapPages } from "./fault.ts";

const VPN = BASE / PAGE_BYTES;

interface State {
  readonly mm: number;
  readonly other: number;
  readonly vma: number;
}

function readLock(hart: KernelHart, mm: number, times: number, polls = 0): void {
  const { vmaLock } = hart.policies;
  for (let time = 0; time < times; time++) {
    const vma = vmaLock.startRead(hart, mm, VPN);
    if (vma === 0) continue;
    pollFor(hart, polls);
    vmaLock.endRead(hart, vma);
  }
}

export const lockAgainstUnmap = scenario<State>({
  name: "D/lock-against-unmap",
  summary: "a vma is read-locked and given back while another hart unmaps it and uses its record again",
  finds: { "D-M8": {} },
  setUp(_hart, harts) {
    return { mm: sharedMm(harts, 1, READ_WRITE, []), other: 0, vma: 0 };
  },
  programs: [
    (hart, { mm }) => {
      unmapPages(hart, mm, 0, 1);
      mapPages(hart, mm, 4, 1);
    },
    (hart, { mm }) => readLock(hart, mm, 3),
  ],
  tearDown: exitAndLeave,
});

/**
 * The map leads to a record that has become another mm's, as it looks to a hart that stands between finding a vma and
 * counting itself in. That other mm ends.
 */
export const foreignVma = scenario<State>({
  name: "D/foreign-vma",
  summary: "a vma that was found belongs to another mm by now, and that mm ends",
  onlyFor: COUNTS,
  search: { strategy: "exhaustive", depth: 4 },
  finds: { "D-M9": {} },
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1, READ_WRITE, []);
    unmapPages(hart, mm, 0, 1);
    const other = mmAlloc(hart);
    mapAnonymous(hart, other, 1);
    const vma = vmaFind(hart, other, 0);
    edit(hart, mm, (map) => map.insert(VPN, VPN + 1, vma));
    return { mm, other, vma };
  },
  programs: [
    (hart, { mm, other, vma }) => {
      edit(hart, mm, (map) => map.erase(VPN, vma));
      mmput(hart, other);
    },
    (hart, { mm }) => claim(hart.policies.vmaLock.startRead(hart, mm, VPN) === 0, "another mm's vma is locked"),
  ],
  tearDown: exitAndLeave,
});

const READING = 0;
const LOOKS = 24;

/** A record that the map leads to becomes a vma again: all of it must be visible before its count is. */
export const attachWeak = scenario<State>({
  name: "D/attach-weak",
  summary: "a vma is attached while another hart tries to lock its record, with buffered stores",
  weakMemory: true,
  finds: { "D-M5a": {} },
  setUp(hart, harts) {
    const mm = sharedMm(harts, 1, READ_WRITE, []);
    const vma = vmaFind(hart, mm, 0);
    mmapWriteLock(hart, mm);
    hart.policies.vmaLock.startWrite(hart, mm, vma);
    hart.policies.vmaLock.detach(hart, mm, vma);
    mmapWriteUnlock(hart, mm);
    return { mm, other: 0, vma };
  },
  programs: [
    (hart, { mm, vma }) => {
      mmapWriteLock(hart, mm);
      hart.policies.vmaLock.startWrite(hart, mm, vma);
      hart.policies.vmaLock.attach(hart, mm, vma);
      // Looks at a word of the reader's, so that stores are committed, and the reader goes on, before the unlock.
      for (let look = 0; look < LOOKS; look++) told(hart, READING);
      mmapWriteUnlock(hart, mm);
    },
    (hart, { mm }) => {
      tell(hart, READING);
      readLock(hart, mm, 1, 6);
    },
  ],
  tearDown: exitAndLeave,
});

function edit(hart: KernelHart, mm: number, change: (map: VmaMapEdit) => boolean): void {
  mmapWriteLock(hart, mm);
  const map = new VmaMapEdit(hart, mm);
  claim(change(map), "no node for the map");
  map.commit();
  mmapWriteUnlock(hart, mm);
}
