// What core.wasm exports to the host. README.md describes each.

export { bind, reset, restoreContext, saveContext } from "./bind.ts";
export { run } from "./run.ts";
export { fenceI } from "./decode.ts";
export { loadSatp } from "./mmu/tlb.ts";
export { flushAll, flushAsid, flushRange, flushVa, flushVaAsid, fullFence } from "./mmu/fence.ts";
export { clearReservation } from "./mmu/atomic.ts";
export * from "./mmu/user.ts";
