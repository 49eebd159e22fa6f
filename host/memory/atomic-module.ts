// Read-modify-writes on shared words as a Wasm module of five one-instruction functions. V8 of Node 20 does not inline
// JavaScript's Atomics.*: a call costs about 9 ns, through this module 4.5, and the kernel makes a dozen of them in a
// page fault. Sequentially consistent, like Atomics.*; addresses are bytes, aligned to 4.

export interface AtomicWords {
  add(address: number, delta: number): number;
  or(address: number, bits: number): number;
  and(address: number, bits: number): number;
  swap(address: number, value: number): number;
  compareAndSwap(address: number, expected: number, desired: number): number;
}

const I32 = 0x7f;
const LOCAL_GET = 0x20;
const ATOMIC_PREFIX = 0xfe;
const END = 0x0b;
const ALIGN_4 = 2;

/** Opcodes behind the prefix (threads proposal, "Instructions"). */
const OPERATIONS: readonly { readonly name: string; readonly opcode: number; readonly arguments: number }[] = [
  { name: "add", opcode: 0x1e, arguments: 2 },
  { name: "and", opcode: 0x2c, arguments: 2 },
  { name: "or", opcode: 0x33, arguments: 2 },
  { name: "swap", opcode: 0x41, arguments: 2 },
  { name: "compareAndSwap", opcode: 0x48, arguments: 3 },
];

/** Instantiates the functions on `memory`, which must be shared. */
export function atomicWords(memory: WebAssembly.Memory): AtomicWords {
  const module = new WebAssembly.Module(encode());
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as AtomicWords;
}

function encode(): Uint8Array<ArrayBuffer> {
  const types = [2, 3].map((count) => [0x60, ...vector(Array(count).fill([I32])), ...vector([[I32]])]);
  // Shared memories need a maximum; 65536 pages admit any.
  const imported = [...text("env"), ...text("memory"), 0x02, 0x03, 0x00, ...leb(65536)];
  const functions = OPERATIONS.map((operation) => [operation.arguments - 2]);
  const exported = OPERATIONS.map((operation, index) => [...text(operation.name), 0x00, index]);
  const bodies = OPERATIONS.map((operation) => {
    const operands = Array.from({ length: operation.arguments }, (_, local) => [LOCAL_GET, local]).flat();
    const body = [0, ...operands, ATOMIC_PREFIX, operation.opcode, ALIGN_4, 0, END];
    return [...leb(body.length), ...body];
  });
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, types),
    ...section(2, [imported]),
    ...section(3, functions),
    ...section(7, exported),
    ...section(10, bodies),
  ]);
}

function section(id: number, items: number[][]): number[] {
  const content = vector(items);
  return [id, ...leb(content.length), ...content];
}

function vector(items: number[][]): number[] {
  return [...leb(items.length), ...items.flat()];
}

function text(value: string): number[] {
  return [...leb(value.length), ...new TextEncoder().encode(value)];
}

/** Unsigned LEB128. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
