// Rows as text: one table for each group, medians with the extremes behind them.

import type { Goal, Row } from "./row.ts";
import type { Spread } from "./statistics.ts";

const HEADINGS = ["", "pagewalk", "baseline", "ratio", "goal", ""];

/** Lines without a newline at the end. */
export function formatTable(rows: readonly Row[]): string[] {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups.flatMap((group, index) => [
    ...(index === 0 ? [] : [""]),
    ...formatGroup(
      group,
      rows.filter((row) => row.group === group),
    ),
  ]);
}

function formatGroup(group: string, rows: readonly Row[]): string[] {
  const cells = [[group, ...HEADINGS.slice(1)], ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
  const notes = rows.filter(({ note }) => note !== null).map(({ name, note }) => `  ${name}: ${note}`);
  return [...lines, ...notes];
}

function cellsOf(row: Row): string[] {
  const { name, unit, value, baseline, ratio, goal, met } = row;
  return [
    `  ${name}`,
    `${spread(value)} ${unit}`,
    baseline === null ? "-" : `${spread(baseline.value)} ${baseline.name}`,
    ratio === null ? "-" : spread(ratio),
    goal === null ? "" : goalText(goal, unit),
    met === null ? "" : met ? "met" : "NOT MET",
  ];
}

function spread({ median, min, max, samples }: Spread): string {
  return samples.length === 1 ? digits(median) : `${digits(median)} (${digits(min)}..${digits(max)})`;
}

function goalText({ of, atLeast, atMost }: Goal, unit: string): string {
  const suffix = of === "value" ? ` ${unit}` : "x";
  return atLeast === undefined ? `<= ${atMost}${suffix}` : `>= ${atLeast}${suffix}`;
}

/** Three significant digits, no exponent. */
function digits(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude >= 100 || value === 0) return Math.round(value).toString();
  return value.toFixed(magnitude >= 10 ? 1 : magnitude >= 0.1 ? 2 : 4);
}
