// What getrusage, wait4 and /proc/self/stat say of page faults, to the number (guest-programs/usage.c).

import { expect, test } from "vitest";
import { PREBUILT } from "../../support/paths.ts";
import { pagewalk } from "../../support/process.ts";

test.each([1, 2])("each page touched for the first time is one minor fault, on %d harts", async (harts) => {
  const { status, stderr } = await pagewalk(["run", "--harts", `${harts}`, `${PREBUILT}/usage`, "exact"]);
  expect([status, stderr]).toEqual([0, ""]);
});
