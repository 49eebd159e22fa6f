export function fuse(head: usize, headOperation: u32, at: usize, operation: u32): void {}
