// What core.wasm exports to the host; assembly/README.md says what each is for.

// asc resolves `export ... from` only without the extension
export { bind, reset } from "./hart";
export { restoreContext, saveContext } from "./context";
export { run } from "./run";
export { fenceI } from "./decode";
export { loadSatp } from "./mmu/tlb";
export { flushAll, flushAsid, flushRange, flushVa, flushVaAsid, fullFence } from "./mmu/fence";
export { clearReservation } from "./mmu/atomic";
export * from "./mmu/user";
