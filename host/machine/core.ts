// The Wasm core: compiled once on the main thread, instantiated in each worker on the shared memory. A core built from
// another layout than the host's would corrupt everything silently, so their fingerprints are compared first.

import { instantiateSync } from "@assemblyscript/loader";
import type { Core } from "../memory/core.ts";
import { HostError } from "./errors.ts";
import { makeFence } from "./fence.ts";

declare const __CORE_SHA256__: string | undefined;

/** SHA-256 of assembly/layout.ts and assembly/isa.ts when this bundle was built (host/build/fingerprint.ts). */
const HOST_SHA256 = typeof __CORE_SHA256__ === "undefined" ? "" : __CORE_SHA256__;

/** Throws HostError if core.json (`manifest`) belongs to a core of another layout. */
export function checkFingerprint(manifest: string): void {
  const { sha256 } = JSON.parse(manifest) as { sha256?: string };
  if (sha256 !== HOST_SHA256) {
    throw new HostError("core.wasm and the host were built from different layouts: run npm run build");
  }
}

export async function compileCore(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  return WebAssembly.compile(bytes);
}

/**
 * One hart's core on the machine's memory. The loader's own export table wraps each function in a closure, so calls
 * go to the instance's exports.
 */
export function instantiateCore(module: WebAssembly.Module, memory: WebAssembly.Memory): Core {
  const { instance } = instantiateSync(module, { env: { memory }, host: { fence: makeFence() } });
  return instance.exports as unknown as Core;
}
