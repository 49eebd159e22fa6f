import { RACES, repeatRace, SHORT_RUN } from "../stress/races.ts";
import { seedFrom } from "../support/seeds.ts";
import type { Report } from "./report.ts";

const SEED = seedFrom("STRESS_SEED");
const RUNS = Number(process.env.ACCEPTANCE_RUNS ?? 1000);

/** Each run also compares the free frames at its exit with those at its boot. */
export async function races(report: Report): Promise<void> {
  for (const race of RACES) {
    for (const harts of [2, 4]) {
      const failures = await repeatRace(race, harts, RUNS, SEED, SHORT_RUN[race]);
      const texts = failures.map(({ seed, text }) => `seed ${seed}: ${text}`);
      report.add(`${race} ${SHORT_RUN[race].join(" ")} on ${harts} harts, from seed ${SEED}`, RUNS, texts);
    }
  }
}
