import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { announceAndLoop, copyInput } from "../machine/programs.ts";
import { endlessWriter } from "../support/hand-made.ts";
import { COMMAND, PREBUILT } from "../support/paths.ts";
import { pagewalk, run } from "../support/process.ts";

const directory = mkdtempSync(join(tmpdir(), "pagewalk-cli-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const HELLO = `${PREBUILT}/hello`;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function put(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes, { mode: 0o755 });
  return path;
}

describe("pagewalk run", () => {
  test("hands options after the program to the guest", async () => {
    const outcome = await pagewalk(["run", "--harts", "2", HELLO, "--harts", "0", "-strace", "--", "-x"]);
    expect(outcome.stdout.toString()).toBe(
      "hello, world\nargv[1] = --harts\nargv[2] = 0\nargv[3] = -strace\nargv[4] = --\nargv[5] = -x\n",
    );
    expect(outcome.status).toBe(0);
  });

  test("understands what qemu users type", async () => {
    const outcome = await pagewalk(["run", "-smp", "2", "-m", "64", "-strace", "-E", "A=b", HELLO]);
    expect(outcome.status).toBe(0);
    expect(outcome.stderr).toMatch(/write\(1, "hello, world\\n", 13\) = 13\n.*exit_group\(0\)/);
  });

  test("understands them after its own options with a value, such as --swap 16M", async () => {
    const args = [
      "run",
      "--swap",
      "16M",
      "--trace",
      join(directory, "trace"),
      "--policy",
      "cpumask=exact",
      "-smp",
      "2",
    ];
    const outcome = await pagewalk([...args, "-m", "64", "-strace", HELLO]);
    expect(outcome.stderr).toMatch(/exit_group\(0\)/);
    expect(outcome.status).toBe(0);
  });

  test("says nothing on stderr of its own accord on 12 harts", async () => {
    const outcome = await pagewalk(["run", "--harts", "12", `${PREBUILT}/munmap-race`]);
    expect(outcome.stderr).toBe("");
    expect(outcome.status).toBe(0);
  });

  test("refuses a --json that cannot be written before the guest runs", async () => {
    for (const file of [directory, join(directory, "missing", "stats.json")]) {
      const outcome = await pagewalk(["run", "--json", file, HELLO]);
      expect(outcome.stdout.toString()).toBe("");
      expect(outcome.stderr).toMatch(/^pagewalk: option '--json <FILE>' [^\n]*directory\.\n$/);
      expect(outcome.status).toBe(125);
    }
  });

  test("does not end with 0 when the disk was too full for the guest's output", () => {
    const script = `"$0" "$1" run "$2" > /dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", script, process.execPath, COMMAND, HELLO], { encoding: "utf8" });
    expect(stderr).toMatch(/^pagewalk: stdout: [^\n]*ENOSPC[^\n]*\n$/);
    expect(status).toBe(125);
  });

  test("passes stdin through unchanged, also when it is large", async () => {
    const input = randomBytes(5_000_000);
    const outcome = await pagewalk(["run", "--harts", "2", put("copy", copyInput())], { input });
    expect(outcome.status).toBe(0);
    expect(sha256(outcome.stdout)).toBe(sha256(input));
  });

  test("writes counters as text and as JSON", async () => {
    const json = join(directory, "stats.json");
    const outcome = await pagewalk(["run", "--stats", "--json", json, "--harts", "3", "--seed", "9", HELLO]);
    expect(outcome.stderr).toMatch(/^harts 3, seed 9, /);
    expect(outcome.stderr).toMatch(/^ +\d+ {2}frames at exit +all back$/m);
    const report = JSON.parse(readFileSync(json, "utf8"));
    expect(report).toMatchObject({ status: { kind: "exit", code: 0 }, exitCode: 0, harts: 3, seed: 9 });
    expect(report.perHart).toHaveLength(3);
    expect(report.total.instret).toBeGreaterThan(100);
    expect(report.framesFree).toBe(report.framesFreeAtBoot);
  });

  test("says of which policies the numbers are", async () => {
    const json = join(directory, "policies.json");
    const policy = ["--policy", "vma-lock=rwsem", "--mutate", "D-M16"];
    const { stderr } = await pagewalk(["run", "--stats", "--json", json, ...policy, HELLO]);
    const standard = "lazy-tlb refcount, tlb-flush ipi-mask, cpumask exact";
    expect(stderr.split("\n")[1]).toBe(`${standard}, vma-lock rwsem, mutation D-M16`);
    expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({
      policies: { "lazy-tlb": "refcount", "tlb-flush": "ipi-mask", cpumask: "exact", "vma-lock": "rwsem" },
      mutation: "D-M16",
    });
  });

  test("prints the trace hash of the deterministic driver, the same each time", async () => {
    const hashes = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const args = [
        "run",
        "--stats",
        "--driver",
        "deterministic",
        "--seed",
        "5",
        "--harts",
        "4",
        `${PREBUILT}/threads`,
      ];
      hashes.add(/trace hash ([0-9a-f]{16})/.exec((await pagewalk(args)).stderr)![1]);
    }
    expect(hashes.size).toBe(1);
  });

  test("ends with 128 + signal when one kills the guest, and says which", async () => {
    const outcome = await pagewalk(["run", `${PREBUILT}/segv`, "read-null"]);
    expect(outcome.status).toBe(128 + 11);
    expect(outcome.stderr).toMatch(/SIGSEGV/);
  });

  test("ends with 143 on SIGTERM and leaves nothing running", async () => {
    const child = spawn(process.execPath, [COMMAND, "run", "--harts", "4", put("loop", announceAndLoop())]);
    await once(child.stdout, "data");
    child.kill("SIGTERM");
    const [code] = await once(child, "close");
    expect(code).toBe(143);
    expect(() => process.kill(child.pid!, 0)).toThrow();
  });

  test("stops at its timeout although nobody reads its output", async () => {
    const startMs = performance.now();
    const child = spawn(process.execPath, [COMMAND, "run", "--timeout", "1", put("writer", endlessWriter())]);
    const [code] = await once(child, "exit");
    expect(code).toBe(124);
    expect(performance.now() - startMs).toBeLessThan(4000);
  });

  test("delivers all output before it exits, into a slow pipe too", () => {
    const script = `"$0" "$1" run "$2" < "$3" | (sleep 1; sha256sum)`;
    const input = put("input", randomBytes(500_000));
    const args = ["-c", script, process.execPath, COMMAND, put("copy", copyInput()), input];
    const { stdout } = spawnSync("sh", args, { encoding: "utf8" });
    expect(stdout.split(" ")[0]).toBe(sha256(readFileSync(input)));
  });

  test("keeps quiet about a reader that went away", () => {
    const script = `"$0" "$1" run "$2" 2>"$3" | head -c 100 | wc -c`;
    const errors = join(directory, "errors");
    const args = ["-c", script, process.execPath, COMMAND, put("writer", endlessWriter()), errors];
    const { stdout } = spawnSync("sh", args, { encoding: "utf8" });
    expect(stdout.trim()).toBe("100");
    expect(readFileSync(errors, "utf8")).not.toMatch(/Error|at /);
  });
});

describe("pagewalk", () => {
  test.each([[["--help"]], [["run", "--help"]], [["console", "--help"]], [["demo", "--help"]], [["bench", "--help"]]])(
    "%j shows an example and exits with 0",
    async (args) => {
      const outcome = await pagewalk(args);
      expect(outcome.status).toBe(0);
      expect(outcome.stdout.toString()).toMatch(/Examples?:\n {2}pagewalk /);
    },
  );

  test.each(["run --help", "--help", "run --frobnicate", "run /missing"])(
    "%s into a closed pipe ends as ever",
    async (words) => {
      const args = [COMMAND, ...words.split(" ")];
      const { status } = await pagewalk(words.split(" "));
      const script = `exec 3>&1; { "$0" "$@" 2>&1; echo $? >&3; } | true`;
      const closed = spawnSync("sh", ["-c", script, process.execPath, ...args], { encoding: "utf8" });
      expect(closed.stdout).toBe(`${status}\n`);
    },
  );

  test("--version is that of package.json", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect((await pagewalk(["--version"])).stdout.toString()).toBe(`${version}\n`);
  });

  test("runs from any directory, through a symbolic link", async () => {
    const link = join(directory, "pagewalk");
    spawnSync("ln", ["-s", COMMAND, link]);
    const outcome = await run(process.execPath, [link, "run", HELLO], { cwd: directory });
    expect(outcome.stdout.toString()).toBe("hello, world\n");
  });

  test("demo shows both programs and a table without losses", async () => {
    const outcome = await pagewalk(["demo"]);
    expect(outcome.stderr).toBe("");
    expect(outcome.status).toBe(0);
    expect(outcome.stdout.toString()).toMatch(/page faults +[\d,]+ +[\d,]+\n/);
    expect(outcome.stdout.toString()).toMatch(/frames lost +0 +0\n/);
  });
});
