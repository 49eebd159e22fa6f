// `pagewalk console` on a pseudo-terminal, which script(1) makes.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { copyInput } from "../machine/programs.ts";
import { looping } from "../support/hand-made.ts";
import { COMMAND } from "../support/paths.ts";

const hasScript = spawnSync("script", ["--version"]).status === 0;
const directory = mkdtempSync(join(tmpdir(), "pagewalk-console-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const KEY_PAUSE_MS = 400;

/** Types one key sequence after the other once the console has greeted; returns the screen and the exit code. */
async function onTerminal(program: Uint8Array, keys: readonly string[]): Promise<{ screen: string; code: number }> {
  const path = join(directory, "program");
  writeFileSync(path, program, { mode: 0o755 });
  const command = `${process.execPath} ${COMMAND} console --harts 2 ${path}`;
  const child = spawn("script", ["-qec", command, "/dev/null"], { stdio: "pipe" });
  let screen = "";
  child.stdout.on("data", (chunk: Buffer) => {
    screen += chunk.toString();
  });
  while (!screen.includes("Ctrl-A h helps")) await once(child.stdout, "data");
  for (const key of keys) {
    await new Promise((resolve) => setTimeout(resolve, KEY_PAUSE_MS));
    child.stdin.write(key);
  }
  const [code] = (await once(child, "close")) as [number];
  return { screen, code };
}

describe.skipIf(!hasScript)("pagewalk console", () => {
  test("echoes and edits a line, gives it to the guest, and ends its input at Ctrl-D", async () => {
    const { screen, code } = await onTerminal(copyInput(), ["hellp\x7fo\r", "\x04"]);
    expect(screen).toContain("hellp\b \bo\r\nhello\r\n");
    expect(code).toBe(0);
  });

  test("shows help and counters, and leaves at Ctrl-A x although the guest loops", async () => {
    const { screen, code } = await onTerminal(looping("jal", 2), ["\x01h", "\x01i", "\x01x"]);
    expect(screen).toContain("Ctrl-A x   leave");
    expect(screen).toMatch(/\d+ {2}instret/);
    expect(code).toBe(0);
  });
});
