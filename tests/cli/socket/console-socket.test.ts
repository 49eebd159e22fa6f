// `pagewalk run --console-socket` and `pagewalk attach`: several viewers, one keyboard, and a file that never stays.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { copyInput } from "../../machine/programs.ts";
import { COMMAND } from "../../support/paths.ts";
import { pagewalk } from "../../support/process.ts";

const directory = mkdtempSync(join(tmpdir(), "pagewalk-socket-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const program = join(directory, "copy");
writeFileSync(program, copyInput(), { mode: 0o755 });

/** Waits until `condition` holds; fails after a while. */
async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`never: ${what}`);
}

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
}

function start(...args: string[]): Running {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: "pipe" });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { child, output: () => output, errors: () => errors, ended };
}

async function startServer(name: string): Promise<Running & { path: string }> {
  const path = join(directory, name);
  const server = start("run", "--console-socket", path, program);
  await until(() => existsSync(path), "the socket is there");
  return { ...server, path };
}

describe("the console socket", () => {
  test("shows the guest to all, lets the first type, and leaving does not stop the guest", async () => {
    const server = await startServer("several");
    const first = start("attach", server.path);
    first.child.stdin?.write("one\n");
    await until(() => first.output().includes("one\r\none\r\n"), "the first sees its line come back");
    const second = start("attach", server.path);
    await until(() => second.errors().includes("your turn comes"), "the second is told to wait");
    // By another pipe than the line above, so perhaps a moment later.
    await until(() => second.output().includes("one\r\none\r\n"), "the second sees what was there before it");
    second.child.stdin?.write("ignored\n");
    // Nobody says that the line was read and ignored; but a third viewer, who has only just begun, has been served.
    const third = start("attach", server.path);
    await until(() => third.errors().includes("your turn comes"), "the third is told to wait");
    third.child.kill("SIGTERM");
    expect(await third.ended).toBe(0);
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);
    await until(() => second.errors().includes("you may type now"), "the second has the keyboard");
    second.child.stdin?.write("two\n\x04");
    expect(await second.ended).toBe(0);
    expect(await server.ended).toBe(0);
    expect(server.output()).toBe("one\r\none\r\ntwo\r\ntwo\r\n");
    expect(existsSync(server.path)).toBe(false);
  });

  test("hands on the exit code of a guest that Ctrl-C kills", async () => {
    const server = await startServer("interrupted");
    const viewer = start("attach", server.path);
    viewer.child.stdin?.write("\x03");
    expect(await viewer.ended).toBe(130);
    expect(await server.ended).toBe(130);
  });

  test("is for its user only, and gone when the machine is killed", async () => {
    const server = await startServer("killed");
    expect(statSync(server.path).mode & 0o077).toBe(0);
    const viewer = start("attach", server.path);
    viewer.child.stdin?.write("here\n");
    await until(() => viewer.output().includes("here\r\nhere\r\n"), "the viewer is there");
    server.child.kill("SIGKILL");
    expect(await viewer.ended).toBe(125);
    expect(viewer.errors()).toBe("pagewalk: the machine is gone\n");
    await until(() => !existsSync(server.path), "the file is removed");
  });

  test("refuses a path that is taken, in one line, and attach one that nobody listens on", async () => {
    const server = await startServer("taken");
    const again = await pagewalk(["run", "--console-socket", server.path, program]);
    expect([again.status, again.stderr]).toEqual([
      125,
      `pagewalk: --console-socket ${server.path}: another machine is listening there\n`,
    ]);
    const lost = await pagewalk(["run", "--console-socket", "/nonexistent/a.sock", program]);
    expect([lost.stderr, lost.status]).toEqual(["pagewalk: --console-socket /nonexistent/a.sock: ENOENT\n", 125]);
    const file = await pagewalk(["run", "--console-socket", program, program]);
    expect(file.stderr).toBe(`pagewalk: --console-socket ${program}: there is a file of that name\n`);
    const nowhere = await pagewalk(["attach", join(directory, "nowhere")]);
    expect([nowhere.status, nowhere.stderr]).toEqual([
      125,
      `pagewalk: attach ${join(directory, "nowhere")}: there is no such socket\n`,
    ]);
    server.child.kill("SIGTERM");
    expect(await server.ended).toBe(143);
    expect(existsSync(server.path)).toBe(false);
  });
});
