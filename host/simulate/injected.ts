// What is injected into the schedules of one explorer: which of it comes, and when.

import { HART_NMI_DEPTH } from "../../assembly/layout.ts";
import { handleNmi } from "../kernel/nmi.ts";
import { POINT_NMI } from "../memory/schedule.ts";
import { GracePeriods } from "./grace-periods.ts";
import type { HartDriver } from "./hart-driver.ts";
import { type Injection, LateRings } from "./injection.ts";
import type { Laboratory } from "./laboratory.ts";
import { Nmis } from "./nmis.ts";
import type { Scenario } from "./scenario.ts";

/** What it needs of the explorer. */
export interface Injecting {
  choose(count: number): number;
  /** For the table of a schedule. */
  record(hart: number, kind: number, address: number): void;
}

/** Those of the scenario, and more. */
export function injectionsOf(scenario: Scenario, more: readonly Injection[]): ReadonlySet<Injection> {
  return new Set([...(scenario.injects ?? []), ...more]);
}

export class Injected {
  readonly #gracePeriods: GracePeriods | null;
  readonly #lateRings: LateRings | null;
  readonly #nmis: Nmis | null;
  readonly #allocationsFail: boolean;
  readonly #choose: (count: number) => number;
  readonly #recordNmi: (driver: HartDriver) => void;

  constructor(
    injections: ReadonlySet<Injection>,
    scenario: Scenario,
    lab: Laboratory,
    drivers: readonly HartDriver[],
    explorer: Injecting,
  ) {
    this.#gracePeriods = injections.has("earliest-grace") ? new GracePeriods(lab.harts) : null;
    this.#lateRings = injections.has("late-ipi") ? new LateRings(lab.shared) : null;
    this.#nmis = injections.has("nmi") ? new Nmis(drivers, scenario.nmi ?? handleNmi) : null;
    this.#allocationsFail = injections.has("allocation-failure");
    this.#choose = (count) => explorer.choose(count);
    this.#recordNmi = ({ id, hart }) => explorer.record(id, POINT_NMI, hart.base + HART_NMI_DEPTH);
  }

  reset(): void {
    this.#gracePeriods?.reset();
    this.#lateRings?.reset();
  }

  /** The programs of a schedule are about to begin. */
  begin(isReplay: boolean, pointsMax: number): void {
    this.#nmis?.draw(this.#choose, isReplay, pointsMax);
  }

  /** They have ended after so many points. */
  end(points: number): void {
    this.#nmis?.noteLength(points);
  }

  /** A tear-down begins. */
  stop(): void {
    this.#nmis?.stop();
  }

  /** What was learned of how long schedules are. */
  forget(): void {
    this.#nmis?.forget();
  }

  /** Before access number `step`. */
  atStep(step: number): void {
    this.#gracePeriods?.atStep(step);
    this.#lateRings?.arrive(step);
  }

  /** NMIs that are due before access number `step` come; true if one comes to the hart that runs. */
  interrupts(step: number, running: HartDriver): boolean {
    return this.#nmis?.come(step, running, this.#recordNmi) ?? false;
  }

  /** Nobody can go on: rings that are on their way arrive. True if there was one. */
  arriveNow(): boolean {
    return this.#lateRings?.arrive(Number.POSITIVE_INFINITY) ?? false;
  }

  allocationFails(): boolean {
    return this.#allocationsFail && this.#choose(2) === 1;
  }

  ringsLate(target: number, bits: number, step: number): boolean {
    return this.#lateRings?.send(target, bits, step, this.#choose) ?? false;
  }
}
