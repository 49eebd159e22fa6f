// The order of measurement. The host is shared: what is compared is measured turn by turn (A B A B), never all of A and
// then all of B, so that a slow minute falls on both.

export type Measurement = () => number | Promise<number>;

/** Result [i][r] is repetition r of measurement i. */
export async function interleave(repeats: number, measurements: readonly Measurement[]): Promise<number[][]> {
  const samples = measurements.map((): number[] => []);
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [index, measure] of measurements.entries()) samples[index].push(await measure());
  }
  return samples;
}

/** The same with a baseline that may be absent. */
export async function interleavePair(
  repeats: number,
  ours: Measurement,
  baseline: Measurement | null,
): Promise<{ ours: number[]; baseline: number[] | null }> {
  const [first, second] = await interleave(repeats, baseline === null ? [ours] : [ours, baseline]);
  return { ours: first, baseline: second ?? null };
}
