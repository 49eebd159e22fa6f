// User memory is copied one piece at a time with no poll between translation and copy (host/mm/uaccess.ts): a poll may
// serve a shootdown, and then the address that was translated belongs to somebody else. The twin polls in between, and
// the check below must catch it; the real order must pass the same check.

import { describe, expect, test } from "vitest";
import { ACCESS_STORE, PAGE_BYTES } from "../../assembly/layout.ts";
import { READ_WRITE, TestHart } from "../assembly/mmu/machine.ts";

const VA = 0x4000_0000;
const BYTES = 256;
const NEW_OWNER = 0x5a;
const WRITTEN = 0xc3;

type CopyToUser = (hart: TestHart, source: number, poll: () => void) => void;

const copy: CopyToUser = (hart, source, poll) => {
  poll();
  hart.exports.copyToUser(VA, source, BYTES);
};

const copyAfterPoll: CopyToUser = (hart, source, poll) => {
  const address = hart.exports.userAddress(VA, ACCESS_STORE);
  poll();
  hart.exports.copyBytes(address, source, BYTES);
};

/** Lets another hart take the page away and give its frame to somebody else, while this hart polls inside the call. */
function straysInto(copyToUser: CopyToUser): "the old frame" | "the new frame" | "nothing" {
  const hart = new TestHart();
  const frames = { source: hart.frame(), old: hart.frame(), fresh: hart.frame() };
  const fill = (pfn: number, value: number) => hart.bytes.fill(value, pfn * PAGE_BYTES, (pfn + 1) * PAGE_BYTES);
  const holds = (pfn: number, value: number) => hart.bytes[pfn * PAGE_BYTES] === value;
  hart.map(BigInt(VA), frames.old, READ_WRITE);
  hart.exports.copyToUser(VA, frames.source * PAGE_BYTES, 8); // the translation is in the TLB
  fill(frames.source, WRITTEN);

  copyToUser(hart, frames.source * PAGE_BYTES, () => {
    hart.map(BigInt(VA), frames.fresh, READ_WRITE);
    hart.exports.flushVa(VA);
    fill(frames.old, NEW_OWNER);
  });

  if (!holds(frames.old, NEW_OWNER)) return "the old frame";
  return holds(frames.fresh, WRITTEN) ? "the new frame" : "nothing";
}

describe("a copy to user memory that is interrupted by a shootdown", () => {
  test("goes to the new frame", () => {
    expect(straysInto(copy)).toBe("the new frame");
  });

  test("goes to a frame of somebody else's when it polls between translation and copy", () => {
    expect(straysInto(copyAfterPoll)).toBe("the old frame");
  });
});
