// The host's files as the kernel may see them: below one directory, whatever stands in it.

import { execFileSync } from "node:child_process";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NodeHostFiles } from "../../../host/machine/node/host-files.ts";
import { PathWalk } from "../../../host/machine/node/host-walk.ts";
import { EINVAL, ENOENT, ENOTDIR, ENXIO, ESTALE } from "../../../host/memory/errno.ts";
import { emptyHostStat } from "../../../host/memory/host-files.ts";

const SECRET = "outside the root";
const ADDRESS = 65536;

let base: string;
let root: string;
let rootFd: number;
let memory: WebAssembly.Memory;
let files: NodeHostFiles;
let socket: Server;

const bytes = (text: string) => Buffer.from(text, "latin1");

/** What a guest gets that looks a path up and reads it: the text, or -errno. */
function read(path: string, from = files): string | number {
  const stat = emptyHostStat();
  const found = from.lstat(bytes(path), stat);
  if (found < 0) return found;
  const count = from.read(bytes(path), stat.device, stat.inode, 0, ADDRESS, 4096);
  return count < 0 ? count : Buffer.from(new Uint8Array(memory.buffer, ADDRESS, count)).toString("latin1");
}

beforeAll(async () => {
  base = realpathSync(mkdtempSync(`${tmpdir()}/pagewalk-host-files-`));
  root = `${base}/root`;
  mkdirSync(`${root}/a/b`, { recursive: true });
  mkdirSync(`${base}/outside`);
  writeFileSync(`${base}/outside/secret`, SECRET);
  writeFileSync(`${root}/a/b/file`, "inside");
  writeFileSync(Buffer.concat([bytes(`${root}/a/`), Buffer.from([0xff, 0xfe, 0x31])]), "not UTF-8");
  symlinkSync(`${base}/outside`, `${root}/absolute`);
  symlinkSync("../outside", `${root}/relative`);
  symlinkSync("b", `${root}/a/inside`);
  symlinkSync(`${base}/outside/secret`, `${root}/link`);
  execFileSync("mkfifo", [`${root}/fifo`]);
  socket = createServer();
  await new Promise<void>((resolve) => socket.listen(`${root}/socket`, resolve));
  rootFd = openSync(root, "r");
  memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  files = new NodeHostFiles({ path: root, fd: rootFd }, new Uint8Array(memory.buffer), 1);
});

afterAll(() => {
  files.closeAll();
  closeSync(rootFd);
  socket.close();
  rmSync(base, { recursive: true });
});

describe("host files", () => {
  test("are read into shared memory, by name", () => {
    expect(read("a/b/file")).toBe("inside");
    expect(read("a/\xff\xfe1")).toBe("not UTF-8");
    expect(read("a/absent")).toBe(-ENOENT);
  });

  test("have the host's status, to the nanosecond", () => {
    const stat = emptyHostStat();
    expect(files.lstat(bytes("a/b/file"), stat)).toBe(0);
    const host = lstatSync(`${root}/a/b/file`, { bigint: true });
    expect(stat).toMatchObject({ mode: Number(host.mode), bytes: 6, inode: Number(host.ino), links: 1 });
    expect(BigInt(stat.mtimeSeconds) * 1_000_000_000n + BigInt(stat.mtimeNs)).toBe(host.mtimeNs);
    expect(files.lstat(bytes(""), stat)).toBe(0);
    expect(stat.inode).toBe(lstatSync(root).ino);
  });

  test("are listed in the order of their bytes, with their types", () => {
    const entries = files.readDirectory(bytes(""));
    const seen = typeof entries === "number" ? entries : entries.map(({ name, type }) => `${name} ${type}`);
    expect(seen).toEqual(["a 4", "absolute 10", "fifo 1", "link 10", "relative 10", "socket 12"]);
    expect(files.readDirectory(bytes("a/b/file"))).toBe(-ENOTDIR);
  });

  test("are told apart from another file that took the name", () => {
    const stat = emptyHostStat();
    writeFileSync(`${root}/swapped`, "first");
    files.lstat(bytes("swapped"), stat);
    writeFileSync(`${root}/second`, "second");
    execFileSync("mv", [`${root}/second`, `${root}/swapped`]);
    expect(files.read(bytes("swapped"), stat.device, stat.inode, 0, ADDRESS, 10)).toBe(-ESTALE);
    rmSync(`${root}/swapped`);
  });
});

describe("nothing but what is below the root", () => {
  test.each(["absolute/secret", "relative/secret", "a/inside/file"])("no link is followed on the way: %s", (path) => {
    expect(read(path)).toBe(-ENOTDIR);
  });

  test("no link is followed at the end", () => {
    expect(read("link")).toBe(-ENXIO);
    expect(files.readLink(bytes("link"))).toEqual(Buffer.from(`${base}/outside/secret`));
    expect(files.readDirectory(bytes("relative"))).toBe(-ENOTDIR);
  });

  test.each(["..", "../outside/secret", "a/../../outside/secret", "/etc/passwd", "a//b", ".", "a/.", "a\0b"])(
    "a path that is no chain of names is refused: %j",
    (path) => {
      expect(files.lstat(bytes(path), emptyHostStat())).toBe(-EINVAL);
      expect(files.readDirectory(bytes(path))).toBe(-EINVAL);
      expect(files.readLink(bytes(path))).toBe(-EINVAL);
      expect(files.read(bytes(path), 0, 0, 0, ADDRESS, 10)).toBe(-EINVAL);
    },
  );

  test.each(["fifo", "socket"])("a %s is not opened: no hang, ENXIO", (name) => {
    expect(read(name)).toBe(-ENXIO);
  });

  test.skipIf(process.getuid?.() !== 0)("a device is not opened", () => {
    execFileSync("mknod", [`${root}/null`, "c", "1", "3"]);
    expect(read("null")).toBe(-ENXIO);
    rmSync(`${root}/null`);
  });

  test("with whole paths, where there is no /proc, links are refused all the same", () => {
    const walk = new PathWalk(root);
    expect(() => walk.locate(["absolute", "secret"])).toThrow("ENOTDIR");
    expect(() => walk.openFile(["link"])).toThrow("ENXIO");
    expect(() => walk.openFile(["fifo"])).toThrow("ENXIO");
    closeSync(walk.openFile(["a", "b", "file"]).fd);
  });

  /** The twin that must escape, or the test would show nothing. */
  function readByPath(path: string): string {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  }

  test("not even while somebody on the host swaps a directory for a link", async () => {
    mkdirSync(`${root}/swap/real`, { recursive: true });
    writeFileSync(`${root}/swap/real/secret`, "inside");
    const stop = new Int32Array(new SharedArrayBuffer(8));
    const swapper = new Worker(
      `const { workerData } = require("node:worker_threads");
       const { renameSync, symlinkSync, rmSync } = require("node:fs");
       const { stop, place, target } = workerData;
       symlinkSync(target, place + "/link");
       while (Atomics.load(stop, 0) === 0) {
         renameSync(place + "/real", place + "/aside");
         renameSync(place + "/link", place + "/real");
         renameSync(place + "/real", place + "/link");
         renameSync(place + "/aside", place + "/real");
         Atomics.add(stop, 1, 1);
       }`,
      { eval: true, workerData: { stop, place: `${root}/swap`, target: `${base}/outside` } },
    );
    const ended = new Promise((resolve) => swapper.on("exit", resolve));
    const seen = new Map<string | number, number>();
    let escapesOfPaths = 0;
    for (let i = 0; i < 5000 || escapesOfPaths === 0 || Atomics.load(stop, 1) < 1000; i++) {
      escapesOfPaths += readByPath(`${root}/swap/real/secret`) === SECRET ? 1 : 0;
      // A cold cache each time, so that every name is looked up.
      files.closeAll();
      const what = read("swap/real/secret");
      seen.set(what, (seen.get(what) ?? 0) + 1);
      const entries = files.readDirectory(bytes("swap/real"));
      expect(entries === -ENOTDIR || entries === -ENOENT || Array.isArray(entries)).toBe(true);
    }
    Atomics.store(stop, 0, 1);
    await ended;
    rmSync(`${root}/swap`, { recursive: true });
    expect([...seen.keys()].filter((what) => ![-ENOTDIR, -ENOENT, -ENXIO, "inside"].includes(what))).toEqual([]);
    expect(seen.get("inside")).toBeGreaterThan(0);
    expect((seen.get(-ENOTDIR) ?? 0) + (seen.get(-ENOENT) ?? 0)).toBeGreaterThan(0);
  });
});

test("descriptors are bounded, and running out of them costs a second try", () => {
  for (let i = 0; i < 40; i++) {
    mkdirSync(`${root}/many/${i}`, { recursive: true });
    writeFileSync(`${root}/many/${i}/file`, `${i}`);
  }
  const few = new NodeHostFiles({ path: root, fd: rootFd }, new Uint8Array(memory.buffer), 64);
  const before = openCount();
  for (let i = 0; i < 40; i++) expect(read(`many/${i}/file`, few)).toBe(`${i}`);
  expect(openCount() - before).toBeLessThanOrEqual(16);
  few.closeAll();
  expect(openCount()).toBe(before);
});

/** Descriptors of files below `root`: the test runner opens others meanwhile. */
function openCount(): number {
  const fds = `/proc/${process.pid}/fd`;
  return readdirSync(fds).filter((fd) => targetOf(`${fds}/${fd}`).startsWith(root)).length;
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ""; // closed meanwhile
  }
}
