// Debian's stress-ng, each stressor with --verify, on 2 and 4 harts; and --vm once with less memory than it works on.

import { debianRoot } from "../../support/debian.ts";
import { commandLine, pagewalk } from "../../support/process.ts";
import type { Report } from "../report.ts";

const SECONDS = Number(process.env.ACCEPTANCE_SECONDS ?? 20);

const STRESSORS: readonly (readonly string[])[] = [
  ["--vm", "4", "--vm-bytes", "64M"],
  ["--fork", "4"],
  ["--mmap", "4"],
  ["--mremap", "2"],
  ["--madvise", "2"],
  ["--brk", "2"],
  ["--stack", "2"],
  ["--userfaultfd", "2"],
  ["--msync", "2"],
  ["--shm", "2"],
  ["--switch", "4"],
  ["--futex", "4"],
];

export async function stressNg(report: Report): Promise<void> {
  const root = debianRoot();
  if ("missing" in root) return report.add("a root file system", 1, [root.missing]);
  for (const stressor of STRESSORS) {
    for (const harts of [2, 4]) await stress(report, root.path, harts, ["--ram", "1G"], stressor);
  }
  await stress(report, root.path, 2, ["--ram", "128M", "--swap", "512M"], ["--vm", "4", "--vm-bytes", "256M"]);
}

async function stress(
  report: Report,
  root: string,
  harts: number,
  memory: readonly string[],
  stressor: readonly string[],
): Promise<void> {
  const program = ["/usr/bin/stress-ng", ...stressor, "--timeout", `${SECONDS}`, "--verify", "--metrics-brief"];
  const args = ["run", "--stats", "--harts", `${harts}`, ...memory, "--root", root, ...program];
  const failures: string[] = [];
  try {
    const { status, stdout, stderr } = await pagewalk(args, { timeoutMs: SECONDS * 1000 + 120_000 });
    const text = `${stdout}${stderr}`;
    const isGood = status === 0 && /passed: [1-9]/.test(text) && /failed: 0/.test(text) && /all back/.test(text);
    if (!isGood) failures.push(`status ${status}: ${commandLine(args)}\n${text.slice(-2000)}`);
  } catch (error) {
    failures.push(String(error));
  }
  report.add(`stress-ng ${stressor.join(" ")} on ${harts} harts, ${memory.join(" ")}`, 1, failures);
}
