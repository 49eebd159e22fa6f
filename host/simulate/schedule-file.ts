// A failing schedule as a small file: what ran, what was wrong with it, and every choice, so that one command replays
// it. Choices are written as runs, "0*12 1 0*3": hart 0 for 12 points, then hart 1.

import type { Injection } from "./injection.ts";
import type { PolicyChoice } from "./laboratory.ts";
import type { Violation } from "./violation.ts";

const FORMAT = 1;

export interface ScheduleFile {
  readonly scenario: string;
  readonly policies: PolicyChoice;
  /** "" without one. */
  readonly mutation: string;
  /** Besides what the scenario injects; files of older versions lack it. */
  readonly injects?: readonly Injection[];
  /** Without the memory model of the scenario. */
  readonly strongMemory?: boolean;
  readonly strategy: string;
  readonly seed: number;
  /** Number of the schedule in that strategy. */
  readonly index: number;
  readonly violation: Violation;
  readonly choices: readonly number[];
}

export function encodeSchedule(schedule: ScheduleFile): string {
  return `${JSON.stringify({ format: FORMAT, ...schedule, choices: encodeChoices(schedule.choices) }, null, 2)}\n`;
}

/** Throws an Error of one line. */
export function decodeSchedule(text: string): ScheduleFile {
  let parsed: ScheduleFile & { readonly format?: number; readonly choices: unknown };
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error("not JSON: give a file that explore has written");
  }
  if (parsed.format !== FORMAT || typeof parsed.choices !== "string") {
    throw new Error(`not a schedule of format ${FORMAT}: give a file that explore has written`);
  }
  return { ...parsed, choices: decodeChoices(parsed.choices as string) };
}

export function encodeChoices(choices: readonly number[]): string {
  const runs: string[] = [];
  for (let start = 0; start < choices.length; ) {
    let end = start + 1;
    while (end < choices.length && choices[end] === choices[start]) end++;
    runs.push(end - start === 1 ? String(choices[start]) : `${choices[start]}*${end - start}`);
    start = end;
  }
  return runs.join(" ");
}

function decodeChoices(text: string): number[] {
  const choices: number[] = [];
  for (const run of text.split(" ").filter((word) => word !== "")) {
    const [value, count = 1] = run.split("*").map(Number);
    if (!Number.isInteger(value) || !Number.isInteger(count) || count < 1) throw new Error(`bad run ${run} in choices`);
    for (let i = 0; i < count; i++) choices.push(value);
  }
  return choices;
}
