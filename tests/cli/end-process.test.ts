// A process with a worker in a call of the host that never returns: an open of a FIFO that nobody writes to.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { BUILD } from "../support/paths.ts";

const SCRIPT = `
import { Worker } from "node:worker_threads";
import { killOwnProcess } from ${JSON.stringify(pathToFileURL(`${BUILD}/host/cli/end-process.js`).href)};
const fifo = process.argv[2];
new Worker("require('node:fs').openSync(" + JSON.stringify(fifo) + ")", { eval: true });
process.once("exit", () => process.stdout.write("terminal restored"));
setTimeout(killOwnProcess, 500);
`;

test("a call of the host that never returns does not keep the process from ending", () => {
  const folder = mkdtempSync(join(tmpdir(), "pagewalk-"));
  try {
    const fifo = join(folder, "fifo");
    expect(spawnSync("mkfifo", [fifo]).status).toBe(0);
    const script = join(folder, "script.mjs");
    writeFileSync(script, SCRIPT);
    const ended = spawnSync(process.execPath, [script, fifo], {
      encoding: "utf8",
      timeout: 30_000,
    });
    expect([ended.signal, ended.stdout], `${ended.status} ${ended.stderr}`).toEqual(["SIGKILL", "terminal restored"]);
    expect(ended.stderr).toContain("does not return");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
