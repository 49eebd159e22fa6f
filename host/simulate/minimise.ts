// A shorter way to the same violation: fewer switches. A schedule is cut into the stretches between switches; stretches
// are taken out, many at once and then one by one, and where the recorded hart cannot go on the one that runs goes on.
// What still ends with a violation of the same kind is kept.

import type { Explorer } from "./explorer.ts";
import { ReplayStrategy } from "./strategy/replay.ts";

const ATTEMPTS_MAX = 400;
/** Endless schedules are long. */
const POINTS_MAX = 400_000;

/** The choices of the shortest schedule found. The explorer is left after a run of it, with its violation. */
export function minimise(explorer: Explorer, choices: readonly number[], kind: string): readonly number[] {
  let best: readonly number[] = choices;
  let attempts = 0;
  let points = 0;
  const attempt = (candidate: readonly number[]): boolean => {
    attempts++;
    explorer.run(new ReplayStrategy(candidate, false), 0);
    points += explorer.points;
    if (explorer.violation?.kind !== kind || switches(explorer.choices) >= switches(best)) return false;
    best = [...explorer.choices];
    return true;
  };
  for (let width = Math.ceil(switches(best) / 2); width >= 1; ) {
    const mayGoOn = () => attempts < ATTEMPTS_MAX && points < POINTS_MAX;
    const shorter = shorten(best, width, mayGoOn, attempt);
    if (!mayGoOn()) break;
    if (!shorter) width = width === 1 ? 0 : Math.ceil(width / 2);
  }
  explorer.run(new ReplayStrategy(best, true), 0);
  return best;
}

/** Tries to do without `width` neighbouring stretches, at every place. True if one attempt was good. */
function shorten(
  choices: readonly number[],
  width: number,
  mayGoOn: () => boolean,
  attempt: (candidate: readonly number[]) => boolean,
): boolean {
  const stretches = stretchesOf(choices);
  for (let at = 0; at + width <= stretches.length && mayGoOn(); at++) {
    const candidate = [...stretches.slice(0, at), ...stretches.slice(at + width)].flat();
    if (attempt(candidate)) return true;
  }
  return false;
}

function stretchesOf(choices: readonly number[]): number[][] {
  const stretches: number[][] = [];
  for (const choice of choices) {
    const last = stretches.at(-1);
    if (last !== undefined && last[0] === choice) last.push(choice);
    else stretches.push([choice]);
  }
  return stretches;
}

function switches(choices: readonly number[]): number {
  let count = 0;
  for (let i = 1; i < choices.length; i++) if (choices[i] !== choices[i - 1]) count++;
  return count;
}
