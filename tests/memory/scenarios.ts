// What the workers of hart-waits.test.ts do. Bundled by the test: vitest does not transform worker entries.

import { workerData } from "node:worker_threads";
import {
  HART_DOORBELL,
  IPI_BARRIER,
  MACHINE_BASE,
  MACHINE_HARTS_RUNNING,
  POOL_VMA,
  RCU_FREE_POOL,
  RQ_BASE,
  VMA_BASE,
  VMA_RCU_HEAD,
} from "../../assembly/layout.ts";
import type { Core } from "../../host/memory/core.ts";
import { HartLocal } from "../../host/memory/hart-local.ts";
import { sendIpi, serveMailbox } from "../../host/memory/ipi.ts";
import { waitWhileEqual } from "../../host/memory/park.ts";
import {
  callRcu,
  type RcuCallback,
  rcuAdvance,
  rcuPending,
  rcuQuiescent,
  rcuReadLock,
  rcuReadUnlock,
} from "../../host/memory/rcu.ts";
import { readLock, readUnlock, writeLock, writeUnlock } from "../../host/memory/rwlock.ts";
import { SharedMemory } from "../../host/memory/shared.ts";
import { spinLock, spinUnlock } from "../../host/memory/spinlock.ts";

export interface ScenarioData {
  memory: WebAssembly.Memory;
  id: number;
  scenario: string;
  rounds: number;
  spinCount: number;
}

// Words of a region that no scenario uses otherwise.
export const LOCK_WORD = RQ_BASE;
export const COUNT_WORD = RQ_BASE + 64;
export const TWIN_WORD = RQ_BASE + 128;
export const BAD_WORD = RQ_BASE + 192;
const READY_WORD = RQ_BASE + 256;

const { memory, id, scenario, rounds, spinCount } = workerData as ScenarioData;
const shared = new SharedMemory(memory);
const clock = { now: () => performance.timeOrigin * 1e6 + performance.now() * 1e6 };
const hart = new HartLocal(id, shared, { flushAll() {}, fullFence() {} } as unknown as Core, clock, spinCount);
const noop = () => {};
hart.interrupts = {
  serve() {
    if (shared.loadOnce(hart.base + HART_DOORBELL) === 0) return;
    shared.exchange(hart.base + HART_DOORBELL, 0);
    serveMailbox(hart, noop);
  },
};

const scenarios: Record<string, () => void> = {
  spinlock,
  rwlock,
  pingPong,
  crossIpi,
  rcu: () => rcu(true),
  rcuWithoutGracePeriod: () => rcu(false),
};
startTogether();
scenarios[scenario]();
leaveTogether();

function spinlock(): void {
  for (let round = 0; round < rounds; round++) {
    spinLock(hart, LOCK_WORD);
    shared.set(COUNT_WORD, shared.get(COUNT_WORD) + 1);
    spinUnlock(hart, LOCK_WORD);
  }
}

function rwlock(): void {
  for (let round = 0; round < rounds; round++) {
    if (round % 4 === id % 4) {
      writeLock(hart, LOCK_WORD);
      shared.set(COUNT_WORD, shared.get(COUNT_WORD) + 1);
      shared.set(TWIN_WORD, shared.get(TWIN_WORD) + 1);
      writeUnlock(hart, LOCK_WORD);
    } else {
      readLock(hart, LOCK_WORD);
      if (shared.get(COUNT_WORD) !== shared.get(TWIN_WORD)) shared.fetchAdd(BAD_WORD, 1);
      readUnlock(hart, LOCK_WORD);
    }
  }
}

/** Two harts hand a word to and fro: what loses a wake-up hangs here. */
function pingPong(): void {
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === id) {
      shared.storeRelease(COUNT_WORD, round + 1);
      shared.notify(COUNT_WORD);
    } else {
      waitWhileEqual(hart, COUNT_WORD, round);
    }
  }
}

/** Every hart interrupts all others at once: each must serve its own mailbox while it waits. */
function crossIpi(): void {
  const others = new Int32Array(8);
  for (let other = 0; other < hart.hartCount; other++) others[0] |= 1 << other;
  for (let round = 0; round < rounds; round++) sendIpi(hart, others, IPI_BARRIER);
}

/**
 * Hart 0 replaces an object and retires the old one; the others must never see a retired one inside a section. Without
 * grace periods nobody waits for a reader, so it stays in its section until the object was replaced, asleep if need be,
 * and meets the retired one however the harts are placed on cores.
 */
function rcu(gracePeriod: boolean): void {
  const callbacks: (RcuCallback | undefined)[] = [];
  callbacks[RCU_FREE_POOL + POOL_VMA] = (_, head) => shared.storeRelease(head - VMA_RCU_HEAD + 4, 0xdead);
  const slot = (round: number) => VMA_BASE + 192 * (round % 4096);
  for (let round = 1; round <= rounds; round++) {
    if (id === 0) {
      const old = shared.loadOnce(COUNT_WORD);
      shared.storeRelease(slot(round) + 4, round);
      shared.storeRelease(COUNT_WORD, slot(round));
      if (old !== 0 && gracePeriod) callRcu(hart, old + VMA_RCU_HEAD, RCU_FREE_POOL + POOL_VMA);
      else if (old !== 0) shared.storeRelease(old + 4, 0xdead);
      do rcuAdvance(hart, callbacks);
      while (rcuPending(hart) && round % 4096 > 4000);
    } else {
      rcuReadLock(hart);
      const object = shared.loadAcquire(COUNT_WORD);
      if (!gracePeriod) stayUntilReplaced(object);
      for (let look = 0; object !== 0 && look < 20; look++) {
        if (shared.loadAcquire(object + 4) === 0xdead) shared.fetchAdd(BAD_WORD, 1);
      }
      rcuReadUnlock(hart);
      rcuQuiescent(hart);
    }
    hart.pollIrq();
  }
}

/** One worker may have done all its rounds before another has loaded. */
function startTogether(): void {
  let ready = shared.fetchAdd(READY_WORD, 1) + 1;
  shared.notify(READY_WORD);
  while (ready < hart.hartCount) ready = waitWhileEqual(hart, READY_WORD, ready);
}

function stayUntilReplaced(object: number): void {
  const nobodyLeft = () => shared.loadOnce(MACHINE_BASE + MACHINE_HARTS_RUNNING) === hart.hartCount;
  for (let look = 0; shared.loadOnce(COUNT_WORD) === object && nobodyLeft(); look++) {
    if (look > 100) Atomics.wait(shared.i32, COUNT_WORD >> 2, object, 1);
  }
}

/** A hart that has finished still answers the others. */
function leaveTogether(): void {
  const running = MACHINE_BASE + MACHINE_HARTS_RUNNING;
  shared.fetchAdd(running, -1);
  shared.notify(running);
  for (let left = shared.loadAcquire(running); left > 0; left = waitWhileEqual(hart, running, left)) rcuQuiescent(hart);
}
