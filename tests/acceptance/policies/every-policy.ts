// Every policy, threaded, on 2 and 4 harts: its contract, the guest programs, and programs of Debian and glibc beside
// qemu-riscv64.

import { POLICIES } from "../../../host/policy/registry.ts";
import { BUSYBOX_CASES } from "../../guest/busybox-cases.ts";
import { runQemu, verdictOf } from "../../guest/cases.ts";
import { debianProgram } from "../../support/debian.ts";
import { pagewalk } from "../../support/process.ts";
import type { Report } from "../report.ts";
import { runTests } from "../tests.ts";

export async function everyPolicy(report: Report): Promise<void> {
  await runTests(report, "contract tests", ["tests/contract"]);
  const all = { POLICY_GUESTS: "all" };
  await runTests(report, "guest programs under each policy, 2 and 4 harts", ["tests/guest/policies.test.ts"], all);
  const busybox = debianProgram("busybox-static", "usr/bin/busybox");
  if ("missing" in busybox) return report.add("busybox-static", 1, [busybox.missing]);
  for (const { seam, name } of POLICIES) {
    const failures: string[] = [];
    for (const { args, input } of BUSYBOX_CASES) {
      const expected = JSON.stringify(verdictOf(await runQemu(busybox.path, args, input)));
      for (const harts of ["2", "4"]) {
        const command = ["run", "--harts", harts, "--policy", `${seam}=${name}`, busybox.path, ...args];
        const outcome = await pagewalk(command, { input });
        if (JSON.stringify(verdictOf(outcome)) !== expected) failures.push(`${command.join(" ")}: ${outcome.stderr}`);
      }
    }
    report.add(`${seam}=${name}: busybox says what it says under qemu-riscv64`, 2 * BUSYBOX_CASES.length, failures);
  }
}
