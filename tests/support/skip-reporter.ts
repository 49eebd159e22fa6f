// One line at the end of the run: how many tests did not run, and why.

import type { Reporter, TestModule } from "vitest/node";

const REASONS_MAX = 3;

export class SkipReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>): void {
    const reasons = new Map<string, number>();
    let skipped = 0;
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const result = test.result();
        const reason = (result.state === "skipped" && result.note) || "not selected";
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        skipped++;
      }
    }
    if (skipped === 0) return;
    const top = [...reasons].sort((a, b) => b[1] - a[1]).slice(0, REASONS_MAX);
    console.log(`skipped ${skipped} tests: ${top.map(([reason, count]) => `${count} × ${reason}`).join("; ")}`);
  }
}
