// The shared memory's records: two people who each append a field must not be given the same bytes.

import { expect, test } from "vitest";
import * as layout from "../../assembly/layout.ts";

/** Record prefix -> [size constant, names of that prefix that are no fields]. */
const RECORDS: Readonly<Record<string, readonly [string, RegExp]>> = {
  MACHINE: ["MACHINE_BYTES", /^MACHINE_(BASE|BYTES)$/],
  MM: ["MM_BYTES", /_(BASE|BYTES|MAX)$/],
  VMA: ["VMA_BYTES", /^VMA_(NODE|LOCK_WORD|LOCK_BYTES|LOCK_BASE|LOCK_COUNT)|_(BASE|MAX)$|^VMA_BYTES$/],
  TASK: ["TASK_BYTES", /_(BASE|BYTES|MAX)$|^TASK_(RUNNING|INTERRUPTIBLE|STOPPED|DEAD|UNINTERRUPTIBLE)$/],
};

const constants = Object.entries(layout) as [string, number][];

function fieldsOf(record: string): [string, number][] {
  const [size, noField] = RECORDS[record];
  const bytes = (layout as Record<string, number>)[size];
  return constants.filter(([name, value]) => name.startsWith(`${record}_`) && !noField.test(name) && value < bytes);
}

test.each(Object.keys(RECORDS))("no two fields of a %s record begin at the same byte", (record) => {
  const seen = new Map<number, string>();
  const clashes = fieldsOf(record).flatMap(([name, offset]) => {
    const first = seen.get(offset);
    seen.set(offset, name);
    return first === undefined ? [] : [`${first} and ${name} at ${offset}`];
  });
  expect(clashes).toEqual([]);
  expect(seen.size).toBeGreaterThan(10);
});
