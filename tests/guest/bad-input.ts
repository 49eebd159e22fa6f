// What a user can get wrong, and how the command must end: one line on stderr, and the exit code that says whose fault.

import { mkdirSync, writeFileSync } from "node:fs";
import { PF_R, PF_W, PF_X, type Segment, staticElf } from "../support/elf.ts";
import { LOOP_KINDS, looping, memoryHog } from "../support/hand-made.ts";
import { PREBUILT } from "../support/paths.ts";

export interface BadInput {
  readonly name: string;
  readonly args: readonly string[];
  readonly status: readonly number[];
  /** What the one line must say. */
  readonly says: RegExp;
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
  /** The run may not take longer than this. */
  readonly secondsMax?: number;
}

const WRONG_COMMAND = [125];
const NOT_RUNNABLE = [126];
const NOT_FOUND = [127];
const TIMEOUT = [124];
/** An allocation that fails in a fault kills: SIGKILL as by Linux's OOM killer, or SIGBUS; ENOMEM ends with 7. */
const OUT_OF_MEMORY = [128 + 9, 128 + 7, 7];

const HELLO = `${PREBUILT}/hello`;
const START_SECONDS = 3; // of Node, when the machine is busy
const CODE = Buffer.from([0x13, 0, 0, 0]); // nop
const text: Segment = { va: 0x10000, flags: PF_R | PF_X, bytes: CODE };
const data = (va: number, memoryBytes: number): Segment => ({
  va,
  flags: PF_R | PF_W,
  bytes: new Uint8Array(8),
  memoryBytes,
});

function patched(change: (elf: Buffer) => void, segments: readonly Segment[] = [text]): Buffer {
  const elf = staticElf(0x10000, segments);
  change(elf);
  return elf;
}

/** Files that are no riscv64 program. */
const FILES: Readonly<Record<string, Uint8Array>> = {
  empty: new Uint8Array(0),
  "not an ELF": Buffer.from("#!/bin/sh\necho hello\n"),
  "32-bit class": patched((elf) => elf.writeUInt8(1, 4)),
  "big-endian": patched((elf) => elf.writeUInt8(2, 5)),
  "x86-64 machine": patched((elf) => elf.writeUInt16LE(62, 18)),
  "relocatable object": patched((elf) => elf.writeUInt16LE(1, 16)),
  "half a header": patched(() => {}).subarray(0, 40),
  "half a program header": patched(() => {}).subarray(0, 100),
  "segment beyond the file": patched((elf) => {
    elf.writeBigUInt64LE(1n << 20n, 64 + 32);
    elf.writeBigUInt64LE(1n << 20n, 64 + 40);
  }),
  "file size above memory size": patched((elf) => elf.writeBigUInt64LE(2n, 64 + 40)),
  "no segment": patched((elf) => elf.writeUInt16LE(0, 56)),
  "program headers at the end of the address space": patched((elf) => elf.writeBigUInt64LE(0xffffffffffffffe0n, 32)),
  "segments that overlap": patched(() => {}, [text, data(0x20000, 0x20000), data(0x30000, 16)]),
  "segment that wraps": patched((elf) => elf.writeBigUInt64LE(0xffffffffffff0000n, 64 + 40)),
  "segment in the kernel's half": patched((elf) => elf.writeBigUInt64LE(0xffffffc000000000n, 64 + 16)),
  "segment larger than RAM": patched(() => {}, [text, data(0x100000, 2 ** 37)]),
};

const COMMANDS: readonly (readonly [name: string, args: readonly string[], says: RegExp])[] = [
  ["no program", ["run"], /program/i],
  ["an unknown command", ["frobnicate"], /frobnicate/],
  ["an unknown option", ["run", "--frobnicate", HELLO], /--frobnicate/],
  ["zero harts", ["run", "--harts", "0", HELLO], /hart/],
  ["a negative number of harts", ["run", "--harts", "-1", HELLO], /hart/],
  ["too many harts", ["run", "--harts", "100000", HELLO], /hart/],
  ["half a hart", ["run", "--harts", "1.5", HELLO], /hart/],
  ["harts that are no number", ["run", "--harts", "many", HELLO], /hart/],
  ["no RAM", ["run", "--ram", "0", HELLO], /ram/i],
  ["too little RAM", ["run", "--ram", "4K", HELLO], /ram/i],
  ["too much RAM", ["run", "--ram", "100T", HELLO], /ram/i],
  ["RAM that is no size", ["run", "--ram", "lots", HELLO], /ram/i],
  ["an empty TLB", ["run", "--tlb", "0", HELLO], /tlb/i],
  ["a TLB of three entries", ["run", "--tlb", "3", HELLO], /tlb/i],
  ["an absurd TLB", ["run", "--tlb", "1000000000", HELLO], /tlb/i],
  ["an unknown driver", ["run", "--driver", "steam", HELLO], /driver|steam/],
  ["a timeout that is no number", ["run", "--timeout", "soon", HELLO], /timeout|soon/],
  ["an environment without a name", ["run", "--env", "=value", HELLO], /env/i],
];

/** Writes the files below `directory` and lists every case. */
export function badInputs(directory: string): BadInput[] {
  mkdirSync(directory, { recursive: true });
  const put = (name: string, bytes: Uint8Array): string => {
    const path = `${directory}/${name.replaceAll(/\W/g, "-")}`;
    writeFileSync(path, bytes, { mode: 0o755 });
    return path;
  };
  const files = Object.entries(FILES).map(([name, bytes]) => {
    return { name: `a file: ${name}`, args: ["run", put(name, bytes)], status: NOT_RUNNABLE, says: /./ };
  });
  const commands = COMMANDS.map(([name, args, says]) => ({ name, args, says, status: WRONG_COMMAND }));
  const loops = LOOP_KINDS.map((kind) => ({
    name: `a guest that loops on every hart, by ${kind}`,
    args: ["run", "--harts", "4", "--timeout", "1", put(`loop ${kind}`, looping(kind, 4))],
    status: TIMEOUT,
    says: /./,
    secondsMax: 2 + START_SECONDS,
  }));
  return [
    ...commands,
    ...files,
    ...loops,
    { name: "a missing file", args: ["run", `${directory}/missing`], status: NOT_FOUND, says: /missing/ },
    { name: "a file below a file", args: ["run", `${HELLO}/hello`], status: [126, 127], says: /hello/ },
    { name: "a directory", args: ["run", directory], status: NOT_RUNNABLE, says: /directory/i },
    {
      name: "no SharedArrayBuffer",
      args: ["run", HELLO],
      nodeArgs: ["--import", "data:text/javascript,delete globalThis.SharedArrayBuffer"],
      status: WRONG_COMMAND,
      says: /SharedArrayBuffer/,
    },
    {
      name: "a guest that wants more memory than there is",
      args: ["run", "--ram", "16M", put("hog", memoryHog())],
      status: OUT_OF_MEMORY,
      says: /memory|^$/i,
    },
  ];
}
