import { spawnSync } from "node:child_process";
import { BUSYBOX_CASES } from "../guest/busybox-cases.ts";
import { runQemu, verdictOf } from "../guest/cases.ts";
import { debianProgram } from "../support/debian.ts";
import { ROOT } from "../support/paths.ts";
import { pagewalk } from "../support/process.ts";
import type { Report } from "./report.ts";

const HARTS = [1, 2, 4, 8];
const RUNS = Number(process.env.ACCEPTANCE_RUNS ?? 50);

export async function linuxPrograms(report: Report): Promise<void> {
  const made = spawnSync("make", ["--silent", "-C", `${ROOT}/guest-programs`, "glibc"], { encoding: "utf8" });
  if (made.status !== 0) report.add("building the glibc program", 1, [made.stderr || String(made.error)]);
  else await compare(report, "pthread-check", `${ROOT}/guest-programs/build/pthread-check`, [], Buffer.alloc(0));
  const busybox = debianProgram("busybox-static", "usr/bin/busybox");
  if ("missing" in busybox) return report.add("busybox-static", 1, [busybox.missing]);
  for (const { args, input } of BUSYBOX_CASES) await compare(report, `busybox ${args[0]}`, busybox.path, args, input);
}

async function compare(
  report: Report,
  name: string,
  path: string,
  args: readonly string[],
  input: Uint8Array,
): Promise<void> {
  const expected = JSON.stringify(verdictOf(await runQemu(path, args, input)));
  for (const harts of HARTS) {
    const failures: string[] = [];
    for (let run = 0; run < RUNS; run++) {
      try {
        const outcome = await pagewalk(["run", "--harts", `${harts}`, path, ...args], { input });
        if (JSON.stringify(verdictOf(outcome)) !== expected)
          failures.push(`run ${run}: ${outcome.status} ${outcome.stderr}`);
      } catch (error) {
        failures.push(`run ${run}: ${error}`);
      }
    }
    report.add(`${name} on ${harts} harts`, RUNS, failures);
  }
}
