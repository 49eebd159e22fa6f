// What is said about a handful of repetitions: the median, because a busy host makes some of them slow and none of them
// fast, and the extremes, so that nobody trusts a median of noise.

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** In the order of measurement: sample i of a row was taken next to sample i of its baseline. */
  readonly samples: readonly number[];
}

export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new RangeError("no samples");
  const sorted = [...samples].sort((a, b) => a - b);
  return { median: median(sorted), min: sorted[0], max: sorted[sorted.length - 1], samples };
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >>> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function geometricMean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("no values");
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** Sample by sample, so that what slowed both down at the same moment cancels out. */
export function pairedRatio(numerators: readonly number[], denominators: readonly number[]): Spread {
  if (numerators.length !== denominators.length) throw new RangeError("samples are not paired");
  return spreadOf(numerators.map((value, index) => value / denominators[index]));
}
