// Imported first, this makes the hooks of the deterministic drivers part of the kernel that the test imports after it
// (host/memory/schedule.ts): observers hear of accesses, locks and flushes.

(globalThis as { __SCHEDULE_POINTS__?: boolean }).__SCHEDULE_POINTS__ = true;

export {};
