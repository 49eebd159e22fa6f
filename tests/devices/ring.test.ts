import { describe, expect, test } from "vitest";
import { RING_DATA, RING_HEAD, RING_TAIL } from "../../assembly/layout.ts";
import {
  type Ring,
  ringFree,
  ringHead,
  ringLoad,
  ringStore,
  ringTail,
  ringUsed,
  setRingHead,
  setRingTail,
} from "../../host/devices/ring.ts";
import { SharedMemory } from "../../host/memory/shared.ts";
import { Random, seedFrom } from "../support/seeds.ts";

const ring: Ring = { base: 4096, dataBytes: 256 };
const SOURCE = 16384;
const TARGET = 32768;

function freshRing(position: number) {
  const shared = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  shared.i32[(ring.base + RING_HEAD) / 4] = position;
  shared.i32[(ring.base + RING_TAIL) / 4] = position;
  const copy = (destination: number, source: number, bytes: number) => {
    shared.u8.copyWithin(destination, source, source + bytes);
  };
  return { shared, copy };
}

describe("a ring", () => {
  test.each([0, 200, 0x7fffffff, 0xffffff80])(
    "keeps order and content across its end, counting from %i",
    (position) => {
      const seed = seedFrom("RING_SEED");
      const replay = `RING_SEED=${seed} npx vitest run tests/devices/ring.test.ts`;
      const random = new Random(seed);
      const { shared, copy } = freshRing(position | 0);
      let sent = 0;
      let received = 0;
      for (let step = 0; step < 2000; step++) {
        const put = random.below(ringFree(shared, ring) + 1);
        for (let i = 0; i < put; i++) shared.u8[SOURCE + i] = sent++ % 251;
        ringStore(copy, ring, ringTail(shared, ring), SOURCE, put);
        setRingTail(shared, ring, ringTail(shared, ring) + put);

        const take = random.below(ringUsed(shared, ring) + 1);
        ringLoad(copy, ring, ringHead(shared, ring), TARGET, take);
        setRingHead(shared, ring, ringHead(shared, ring) + take);
        const expected = Array.from({ length: take }, () => received++ % 251);
        expect([...shared.u8.slice(TARGET, TARGET + take)], replay).toEqual(expected);
        expect(ringUsed(shared, ring), replay).toBe(sent - received);
      }
    },
  );

  test("can be filled to the last byte, and nothing outside it is touched", () => {
    const { shared, copy } = freshRing(100);
    shared.u8.fill(7, SOURCE, SOURCE + ring.dataBytes);
    ringStore(copy, ring, 100, SOURCE, ring.dataBytes);
    setRingTail(shared, ring, 100 + ring.dataBytes);
    expect(ringFree(shared, ring)).toBe(0);
    expect(shared.u8[ring.base + RING_DATA - 1]).toBe(0);
    expect(shared.u8[ring.base + RING_DATA + ring.dataBytes]).toBe(0);
  });
});
