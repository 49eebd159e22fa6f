// --root and --root-tar: real programs read Debian's files through the guest's file system and find what qemu-riscv64
// finds in the same directory of the host; whatever they change stays in the guest.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { debianRoot, type Found } from "../support/debian.ts";
import { needTools, oracleMissing, QEMU } from "../support/oracles.ts";
import { type Outcome, pagewalk, run } from "../support/process.ts";
import { treeHash } from "../support/tree-hash.ts";

const BUSYBOX = "/usr/bin/busybox";

let root: Found;
let scratch: string;

beforeAll(() => {
  root = debianRoot();
  scratch = realpathSync(mkdtempSync(`${tmpdir()}/pagewalk-root-`));
});

afterAll(() => rmSync(scratch, { recursive: true }));

function inGuest(options: readonly string[], args: readonly string[]): Promise<Outcome> {
  return pagewalk(["run", ...options, BUSYBOX, ...args]);
}

function sortedLines(text: Buffer): string[] {
  return text.toString().split("\n").sort();
}

/** Paths are relative: the guest's working directory is its root, qemu's is the directory. */
const READERS: readonly (readonly string[])[] = [
  ["ls", "-liR", "--full-time", "etc", "usr/lib/riscv64-linux-gnu", "usr/share/doc"],
  ["find", "usr/lib", "-type", "f", "-size", "+100k"],
  ["find", "etc", "usr", "var", "-type", "l"],
  ["sha256sum", "usr/bin/bash", "usr/bin/busybox", "usr/lib/riscv64-linux-gnu/libc.so.6", "etc/passwd"],
  ["wc", "etc/passwd", "etc/debian_version"],
  ["readlink", "-f", "bin/sh"],
  ["cat", "lib/../etc/../etc/debian_version"],
];

describe("programs in a directory of the host", () => {
  test.for(READERS)("read what it holds: %s", async (args, context) => {
    needTools(context, QEMU);
    if ("missing" in root) return oracleMissing(context, root.missing);
    const { path } = root;
    const expected = await run(QEMU, [`${root.path}${BUSYBOX}`, ...args], { cwd: root.path });
    const seen = await inGuest(["--harts", "2", "--root", root.path], args);
    // readlink -f says where the root begins, which the guest does not know.
    const wanted = sortedLines(expected.stdout).map((line) => line.replace(path, ""));
    expect(sortedLines(seen.stdout), seen.stderr).toEqual(wanted);
    expect(seen.status).toBe(expected.status);
  });

  test("read the same from an archive of it", async (context) => {
    if ("missing" in root) return oracleMissing(context, root.missing);
    execFileSync("tar", ["-C", root.path, "-cf", `${scratch}/root.tar`, "etc", "bin", "lib", "usr/bin", "usr/lib"]);
    const args = ["find", "etc", "-type", "f", "-exec", BUSYBOX, "md5sum", "{}", "+"];
    const [directory, archive] = await Promise.all([
      inGuest(["--root", root.path], args),
      inGuest(["--root-tar", `${scratch}/root.tar`], args),
    ]);
    expect(archive.stderr).toBe("");
    expect(sortedLines(archive.stdout)).toEqual(sortedLines(directory.stdout));
    expect(sortedLines(archive.stdout).length).toBeGreaterThan(50);
  });

  test("change their own copy: the host's stays as it was", async (context) => {
    if ("missing" in root) return oracleMissing(context, root.missing);
    const mine = `${scratch}/changed`;
    execFileSync("cp", ["-a", `${root.path}/etc`, mine]);
    mkdirSync(`${mine}/bin`);
    execFileSync("cp", [`${root.path}${BUSYBOX}`, `${mine}/bin/busybox`]);
    const before = treeHash(mine);
    const script = [
      "set -e",
      "echo new > issue && cat issue",
      "echo more >> debian_version && tail -n 1 debian_version",
      "printf XX | dd of=passwd conv=notrunc bs=2 count=1 2> /dev/null && head -c 6 passwd && echo",
      "truncate -s 3 group && cat group && echo",
      "chmod 0 hostname && stat -c %a hostname",
      "mv hosts hosts.old && ls hosts.old && ! test -e hosts",
      "rm host.conf 2> /dev/null || true; rm -r default && ! test -e default",
      "mkdir default && ls -A default && touch default/fresh && ls default",
      "ln passwd passwd2 && echo end >> passwd2 && tail -n 1 passwd",
      "ln -s passwd link && cat link | wc -l",
    ].join("\n");
    writeFileSync(`${scratch}/script`, script);
    const outcome = await pagewalk(["run", "--root", mine, "/bin/busybox", "sh", "-c", script]);
    expect(outcome.stderr).toBe("");
    expect(outcome.stdout.toString().split("\n")).toEqual([
      "new",
      "more",
      "XXot:x",
      "roo",
      "0",
      "hosts.old",
      "fresh",
      "end",
      "3",
      "",
    ]);
    expect(treeHash(mine)).toBe(before);
  });
});

describe("nothing outside the directory is reached", () => {
  let trap: string;

  beforeAll(() => {
    if ("missing" in root) return;
    trap = `${scratch}/trap`;
    mkdirSync(`${trap}/bin`, { recursive: true });
    mkdirSync(`${scratch}/outside`);
    writeFileSync(`${scratch}/outside/secret`, "secret\n");
    execFileSync("cp", [`${root.path}${BUSYBOX}`, `${trap}/bin/busybox`]);
    symlinkSync(`${scratch}/outside/secret`, `${trap}/absolute`);
    symlinkSync("../outside/secret", `${trap}/relative`);
    symlinkSync("../".repeat(40) + `${scratch}/outside/secret`.slice(1), `${trap}/deep`);
    symlinkSync(`${scratch}/outside`, `${trap}/folder`);
    symlinkSync("/proc/self/root", `${trap}/magic`);
    execFileSync("mkfifo", [`${trap}/fifo`]);
  });

  test.for([
    "/absolute",
    "/relative",
    "/deep",
    "/folder/secret",
    "../outside/secret",
    "/../../../../../../../../etc/passwd",
    "/bin/../../outside/secret",
  ])("%s", async (path, context) => {
    if ("missing" in root) return oracleMissing(context, root.missing);
    const outcome = await pagewalk(["run", "--root", trap, "/bin/busybox", "cat", path]);
    expect(outcome.stdout.toString()).toBe("");
    expect(outcome.stderr).toMatch(/No such file or directory/);
    expect(outcome.status).toBe(1);
  });

  test("a FIFO of the host does not hang: no such device", async (context) => {
    if ("missing" in root) return oracleMissing(context, root.missing);
    const outcome = await pagewalk(["run", "--root", trap, "--timeout", "20", "/bin/busybox", "cat", "/fifo"]);
    expect(outcome.stderr).toMatch(/No such device or address/);
    expect(outcome.status).toBe(1);
    expect(existsSync(`${trap}/fifo`)).toBe(true);
  });
});

test.for<[string, readonly string[], number]>([
  ["a root that is absent", ["--root", "/nowhere/at-all", "/bin/sh"], 125],
  ["a root that is a file", ["--root", "/etc/passwd", "/bin/sh"], 125],
  ["a program that the root does not have", ["--root", "/usr", "/bin/no-such-program"], 127],
  ["a program that is a directory", ["--root", "/usr", "/bin"], 126],
])("%s is one line", async ([, args, status]) => {
  const outcome = await pagewalk(["run", ...args]);
  expect(outcome.stderr).toMatch(/^pagewalk: [^\n]+\n$/);
  expect(outcome.stdout.length).toBe(0);
  expect(outcome.status).toBe(status);
});
