// execve call by call: what it refuses, and what a program finds that it has started. The files are written by the
// process itself.

import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import {
  HART_PC,
  PROCESS_EXE,
  PROCESS_EXE_BYTES,
  TASK_MM,
  TASK_PROCESS,
  VMA_FILE,
  VMA_MAPPING,
} from "../../../assembly/layout.ts";
import { NO_RETURN, WAIT } from "../../../host/kernel/sched/wait.ts";
import { parseElf } from "../../../host/loader/elf.ts";
import { EACCES, EBADF, EFAULT, EINVAL, ELIBBAD, ELOOP, ENOENT, ENOEXEC, ENOTDIR } from "../../../host/memory/errno.ts";
import { checkMm } from "../../../host/mm/check-mm.ts";
import { vmaFind } from "../../../host/mm/vma/vma-map.ts";
import { elfImage, PT_INTERP } from "../../loader/elf-image.ts";
import { PREBUILT } from "../../support/paths.ts";
import { BAD_ADDRESS, NR } from "../numbers.ts";
import { TestProcess } from "../test-process.ts";

const AT_FDCWD = -100;
const O_WRONLY_CREAT = 0o101;
const O_CLOEXEC = 0o2000000;
const THREAD_FLAGS = 0x50f00;
const SIGCHLD = 17;
const HELLO = readFileSync(`${PREBUILT}/hello`);
const SP = 2;
const MEMORY_BYTES = 1 << 28;

let p: TestProcess;
let data: number;
beforeEach(() => {
  p = new TestProcess();
  data = p.memory + 8192;
});

function write(path: string, bytes: Uint8Array | string, mode = 0o755): void {
  const content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  const fd = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, path), O_WRONLY_CREAT, mode);
  expect(fd).toBeGreaterThan(2);
  for (let done = 0; done < content.length; done += 32768) {
    const piece = content.subarray(done, done + 32768);
    expect(p.call(NR.write, fd, p.poke(data, piece), piece.length)).toBe(piece.length);
  }
  p.call(NR.close, fd);
}

/** Puts strings and a list of their addresses into memory. */
function list(at: number, ...texts: string[]): number {
  let va = at + 1024;
  const addresses = texts.map((text) => {
    p.pokeText(va, text);
    va += text.length + 1;
    return va - text.length - 1;
  });
  return p.poke64(at, ...addresses, 0);
}

function exec(path: string, ...argv: string[]): number {
  const args = list(p.memory + 1024, ...argv);
  return p.call(NR.execve, p.pokeText(p.memory, path), args, list(p.memory + 4096, "A=1", "B=2"));
}

/** Strings that argv of a program that has not run yet points to. */
function argvOfNew(): string[] {
  const sp = Number(p.register(SP));
  return Array.from({ length: p.peek64(sp) }, (_, i) => text(p.peek64(sp + 8 + 8 * i)));
}

function text(va: number): string {
  let end = va;
  while (p.peek(end, 1)[0] !== 0) end++;
  return new TextDecoder().decode(p.peek(va, end - va));
}

function exe(): string {
  const process = p.shared.get(p.hart.current + TASK_PROCESS);
  const bytes = p.shared.get(process + PROCESS_EXE_BYTES);
  return new TextDecoder().decode(p.shared.u8.slice(process + PROCESS_EXE, process + PROCESS_EXE + bytes));
}

describe("a program", () => {
  test("starts at its entry point, with its arguments, environment and name, and nothing of the old one", () => {
    write("/tmp/hello", HELLO);
    const fd = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, "/tmp/hello"), O_CLOEXEC);
    const oldMemory = p.memory;
    expect(exec("/tmp/hello", "one", "two words", "")).toBe(NO_RETURN);
    const plan = parseElf(HELLO, MEMORY_BYTES);
    expect("error" in plan ? 0 : plan.entry).toBe(Number(p.shared.u64[(p.hart.base + HART_PC) >>> 3]));
    expect(argvOfNew()).toEqual(["one", "two words", ""]);
    expect(exe()).toBe("/tmp/hello");
    expect(Number(p.register(10))).toBe(0);
    expect(() => p.peek(oldMemory, 4)).toThrow();
    expect(checkMm(p.hart, p.shared.get(p.hart.current + TASK_MM))).toEqual([]);
    expect(p.call(NR.close, fd)).toBe(-EBADF);
    expect(p.call(NR.close, 1)).toBe(0);
    const scratch = Number(p.register(SP)) - 4096;
    expect(p.call(NR.prctl, 16, scratch)).toBe(0);
    expect(text(scratch)).toBe("hello");
  });

  test("without arguments gets an empty one", () => {
    write("/tmp/hello", HELLO);
    expect(p.call(NR.execve, p.pokeText(p.memory, "/tmp/hello"), 0, 0)).toBe(NO_RETURN);
    expect(argvOfNew()).toEqual([""]);
  });

  test("is found from a directory's descriptor, and by an empty path behind its own", () => {
    write("/tmp/hello", HELLO);
    const fd = p.call(NR.openat, AT_FDCWD, p.pokeText(p.memory, "/tmp/hello"), 0);
    const empty = p.pokeText(p.memory, "");
    expect(p.call(NR.execveat, fd, empty, 0, 0, 0)).toBe(-ENOENT);
    expect(p.call(NR.execveat, fd, empty, 0, 0, 1)).toBe(-EINVAL);
    expect(p.call(NR.execveat, 99, empty, 0, 0, 0x1000)).toBe(-EBADF);
    expect(p.call(NR.execveat, fd, empty, 0, 0, 0x1000)).toBe(NO_RETURN);
    expect(exe()).toBe("/tmp/hello");
  });

  test("run by a vforked child lets the parent go on", () => {
    write("/tmp/hello", HELLO);
    expect(p.call(NR.clone, 0x4100 | SIGCHLD)).toBe(WAIT);
    const pid = p.switchTask();
    expect(exec("/tmp/hello", "child")).toBe(NO_RETURN);
    expect(p.switchTask()).toBe(1);
    expect(p.restart()).toBe(pid);
    expect(text(p.memory)).toBe("/tmp/hello");
  });

  test("waits for the other threads, and goes on under the number of the process", () => {
    write("/tmp/hello", HELLO);
    const tid = p.call(NR.clone, THREAD_FLAGS);
    expect(p.call(NR.nanosleep, p.poke64(p.memory, 100, 0), 0)).toBe(WAIT);
    expect(p.switchTask()).toBe(tid);
    expect(exec("/tmp/hello", "thread")).toBe(WAIT);
    expect(p.switchTask()).toBe(1);
    expect(p.deliverSignals()).toBe(true);
    expect(p.switchTask()).toBe(0); // the hart must have left the old leader before
    expect(p.switchTask()).toBe(tid);
    expect(p.restart()).toBe(NO_RETURN);
    expect([p.call(NR.getpid), p.call(NR.gettid)]).toEqual([1, 1]);
  });
});

describe("a script", () => {
  test("is run by the interpreter of its first line, with one argument at most", () => {
    write("/tmp/hello", HELLO);
    write("/tmp/script", "#! /tmp/hello  -x  y \nrest");
    expect(exec("/tmp/script", "ignored", "a", "b")).toBe(NO_RETURN);
    expect(argvOfNew()).toEqual(["/tmp/hello", "-x  y", "/tmp/script", "a", "b"]);
    expect(exe()).toBe("/tmp/hello");
  });

  test("may be the interpreter of another, but not for ever", () => {
    write("/tmp/hello", HELLO);
    write("/tmp/0", "#!/tmp/hello\n");
    for (let n = 1; n < 7; n++) write(`/tmp/${n}`, `#!/tmp/${n - 1} ${n}\n`);
    expect(exec("/tmp/6", "x")).toBe(-ELOOP);
    expect(exec("/tmp/1", "x", "last")).toBe(NO_RETURN);
    expect(argvOfNew()).toEqual(["/tmp/hello", "/tmp/0", "1", "/tmp/1", "last"]);
  });

  test.each([
    ["no interpreter", "#!\n", ENOEXEC],
    ["an interpreter that is not there", "#!/tmp/nobody\n", ENOENT],
    ["a name that is cut off", `#!/${"x".repeat(300)}`, ENOEXEC],
    ["an interpreter that may not be run", "#!/tmp/plain", EACCES],
  ])("with %s is refused", (_, content, errno) => {
    write("/tmp/plain", "text", 0o644);
    write("/tmp/script", content);
    expect(exec("/tmp/script")).toBe(-errno);
  });
});

test.each([
  ["that is not there", "/tmp/nobody", ENOENT],
  ["with an empty name", "", ENOENT],
  ["behind a file", "/tmp/text/x", ENOTDIR],
  ["that is a directory", "/tmp", EACCES],
  ["without the right to run it", "/tmp/plain", EACCES],
  ["that is no program", "/tmp/text", ENOEXEC],
  ["that is empty", "/tmp/empty", ENOEXEC],
  ["whose dynamic loader is not there", "/tmp/dynamic", ENOENT],
  ["whose dynamic loader is no program", "/tmp/dynamic2", ELIBBAD],
])("a file %s is refused, and the caller goes on", (_, path, errno) => {
  const dynamic = (loader: string) => {
    const image = elfImage({ segments: [{ type: PT_INTERP, offset: 0x800, fileBytes: loader.length + 1 }, {}] });
    image.set(new TextEncoder().encode(`${loader}\0`), 0x800);
    return image;
  };
  write("/tmp/plain", HELLO, 0o644);
  write("/tmp/text", "just text");
  write("/tmp/empty", "");
  write("/tmp/dynamic", dynamic("/lib/ld.so"));
  write("/tmp/dynamic2", dynamic("/tmp/text"));
  expect(exec(path, "x")).toBe(-errno);
  expect(text(p.memory)).toBe(path);
});

test("bad pointers are EFAULT, and too much is E2BIG", () => {
  write("/tmp/hello", HELLO);
  p.pokeText(p.memory, "/tmp/hello");
  expect(p.call(NR.execve, BAD_ADDRESS, 0, 0)).toBe(-EFAULT);
  expect(p.call(NR.execve, p.memory, BAD_ADDRESS, 0)).toBe(-EFAULT);
  expect(p.call(NR.execve, p.memory, p.poke64(p.memory + 1024, 8, 0), 0)).toBe(-EFAULT);
  const pages = p.call(NR.mmap, 0, 256 * 4096, 3, 0x22, -1, 0);
  for (let i = 0; i < 200; i++) p.poke(pages + i * 4096, new Uint8Array(4096).fill(65));
  expect(p.call(NR.execve, p.memory, p.poke64(p.memory + 1024, pages, 0), 0)).toBe(-7);
});

test("the text of a program is the file's own pages, shared by all who run it", () => {
  write("/tmp/hello", HELLO);
  expect(exec("/tmp/hello", "hello")).toBe(NO_RETURN);
  const mm = p.shared.get(p.hart.current + TASK_MM);
  const vma = vmaFind(p.hart, mm, Number(p.shared.u64[(p.hart.base + HART_PC) >>> 3] / 4096n));
  expect(p.shared.get(vma + VMA_FILE)).not.toBe(0);
  expect(p.shared.get(vma + VMA_MAPPING)).not.toBe(0);
  expect(checkMm(p.hart, mm)).toEqual([]);
});
