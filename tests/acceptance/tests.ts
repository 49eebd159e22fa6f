// Files of `npm test` as one line of an acceptance item.

import { ROOT } from "../support/paths.ts";
import { run } from "../support/process.ts";
import type { Report } from "./report.ts";

const HOURS_MAX = 2;

/** Every test in the files counts. */
export async function runTests(report: Report, what: string, files: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const vitest = ["vitest", "run", "--config", "tests/vitest.config.ts", "--reporter", "json", ...files];
  const timeoutMs = HOURS_MAX * 3600_000;
  const { stdout, stderr } = await run("npx", vitest, { cwd: ROOT, env: { ...process.env, ...env }, timeoutMs });
  const text = stdout.toString();
  try {
    const result = JSON.parse(text.slice(text.indexOf('{"numTotal'), text.lastIndexOf("}") + 1)) as TestResult;
    const failures = result.testResults.flatMap(({ assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === "failed")
        .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0]?.split("\n")[0]}`),
    );
    report.add(what, result.numPassedTests + failures.length, failures);
  } catch {
    report.add(what, 1, [(text + stderr).slice(-2000)]);
  }
}

interface TestResult {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}
