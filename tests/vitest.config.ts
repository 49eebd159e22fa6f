import { defineConfig } from "vitest/config";
import { SkipReporter } from "./support/skip-reporter.ts";

// Two cores everywhere: two files at a time, and machine tests boot several workers of their own.
export default defineConfig({
  test: {
    root: new URL("..", import.meta.url).pathname,
    include: ["tests/**/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    pool: "forks",
    reporters: ["default", new SkipReporter()],
  },
});
