// The report of a run: the table for people, the JSON for programs, and on which machine it was.

import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, release } from "node:os";
import type { Row } from "./row.ts";
import { formatTable } from "./table.ts";

export interface Report {
  readonly schema: 1;
  readonly suite: string;
  readonly started: string;
  readonly repeats: number;
  readonly host: Host;
  readonly missing: readonly string[];
  readonly rows: readonly Row[];
}

export interface Host {
  readonly cpu: string;
  readonly cores: number;
  readonly platform: string;
  readonly node: string;
  readonly v8: string;
  /** First line of --version; null where absent. */
  readonly qemu: string | null;
  readonly gcc: string | null;
}

export function describeHost(): Host {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    platform: `${process.platform} ${process.arch} ${release()}`,
    node: process.version,
    v8: process.versions.v8,
    qemu: versionOf("qemu-riscv64"),
    gcc: versionOf("gcc"),
  };
}

function versionOf(command: string): string | null {
  const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0] : null;
}

/** Lines without a newline at the end. */
export function formatReport({ suite, repeats, host, missing, rows }: Report): string[] {
  return [
    `pagewalk bench ${suite}: median of ${repeats} (min..max); ${host.cpu}, ${host.cores} cores, node ${host.node}`,
    "",
    ...formatTable(rows),
    ...(missing.length > 0 ? ["", ...missing] : []),
    "",
    verdict(rows),
  ];
}

function verdict(rows: readonly Row[]): string {
  const judged = rows.filter(({ met }) => met !== null);
  const failed = judged.filter(({ met }) => !met).map(({ name }) => name);
  const unknown = rows.filter(({ goal, met }) => goal !== null && met === null).length;
  const parts = [`${judged.length - failed.length} of ${judged.length} goals met`];
  if (failed.length > 0) parts.push(`not met: ${failed.join("; ")}`);
  if (unknown > 0) parts.push(`${unknown} without a baseline here`);
  return parts.join("; ");
}
