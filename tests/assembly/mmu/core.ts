// Compiles entry.ts with the flags of the release core, once per state of the sources, and instantiates it.
// asc runs at the repository root with a configuration that does not exist: it would merge asconfig.json otherwise.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const entry = join(here, "entry.ts");

const ASC_FLAGS =
  "--config none -O3 --converge --runtime stub --noAssert --importMemory --sharedMemory --initialMemory 1 " +
  "--maximumMemory 65536 --noExportMemory --enable threads --enable bulk-memory --enable sign-extension " +
  "--enable nontrapping-f2i";

export interface MmuExports {
  bind(hart: number): void;
  reset(): void;
  loadSatp(): void;
  walk(va: bigint, access: number): number;
  walkLeaf: WebAssembly.Global;
  walkLevel: WebAssembly.Global;
  superpageFragments: WebAssembly.Global;
  dropWriteTags(pfn: number): void;
  fetchAddress(va: bigint): number;
  loadGuest(va: bigint, bytes: number): bigint;
  storeGuest(va: bigint, value: bigint, bytes: number): number;
  touch(va: bigint, access: number): number;
  hitStore(va: bigint, bytes: number): number;
  loadReserved(va: bigint, bytes: number): bigint;
  storeConditional(va: bigint, value: bigint, bytes: number): bigint;
  clearReservation(): void;
  amo(operation: number, va: bigint, b: bigint, bytes: number): bigint;
  fullFence(): void;
  flushAll(): void;
  flushAsid(asid: number): void;
  flushVa(va: number): void;
  flushVaAsid(va: number, asid: number): void;
  flushPage(va: bigint, asid: number): void;
  flushRange(vpn: number, pages: number, asid: number): void;
  copyFromUser(destination: number, va: number, bytes: number): number;
  copyToUser(va: number, source: number, bytes: number): number;
  clearUser(va: number, bytes: number): number;
  strncpyFromUser(destination: number, va: number, bytesMax: number): number;
  userLoad32(va: number): bigint;
  userStore32(va: number, value: number): number;
  userCmpxchg32(va: number, expected: number, desired: number): bigint;
  userRmw32(operation: number, va: number, argument: number): bigint;
  userAddress(va: number, access: number): number;
  zeroPage(pa: number): void;
  copyPage(destination: number, source: number): void;
  zeroBytes(pa: number, bytes: number): void;
  copyBytes(destination: number, source: number, bytes: number): void;
}

function sourceFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((item) => {
    const path = join(directory, item.name);
    return item.isDirectory() ? sourceFiles(path) : path.endsWith(".ts") ? [path] : [];
  });
}

/** The path of the compiled entry. Two test files that compile at once write the same bytes; the rename is atomic. */
function compileMmu(): string {
  const hash = createHash("sha256");
  for (const path of [entry, ...sourceFiles(join(root, "assembly")).sort()]) hash.update(readFileSync(path));
  const output = join(root, "build/tests", `mmu-${hash.digest("hex").slice(0, 16)}.wasm`);
  if (existsSync(output)) return output;
  mkdirSync(dirname(output), { recursive: true });
  const partial = output.replace(".wasm", `.${process.pid}.wasm`);
  const asc = join(root, "node_modules/assemblyscript/bin/asc.js");
  const flags = [...ASC_FLAGS.split(" "), "--outFile", relative(root, partial)];
  execFileSync(process.execPath, [asc, relative(root, entry), ...flags], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  renameSync(partial, output);
  return output;
}

// At import: sources that do not compile fail a test file once, not each of its tests.
export const modulePath = compileMmu();
const mmuModule = new WebAssembly.Module(readFileSync(modulePath));

/** `fences` counts the calls of the imported barrier. */
export function instantiateMmu(memory: WebAssembly.Memory, fences = { count: 0 }): MmuExports {
  const instance = new WebAssembly.Instance(mmuModule, {
    env: { memory },
    host: {
      fence: () => {
        fences.count++;
      },
    },
  });
  return instance.exports as unknown as MmuExports;
}
