// The section headers of a WebAssembly module (core specification, "Binary Format", "Modules").

export interface Section {
  readonly id: number;
  readonly bytes: number;
}

const HEADER_BYTES = 8; // magic and version

export function readSections(wasm: Uint8Array): Section[] {
  const sections: Section[] = [];
  let at = HEADER_BYTES;
  while (at < wasm.length) {
    const id = wasm[at];
    const { value, next } = readLeb128(wasm, at + 1);
    sections.push({ id, bytes: value });
    at = next + value;
  }
  return sections;
}

function readLeb128(wasm: Uint8Array, start: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; ; at++) {
    value += (wasm[at] & 0x7f) * scale;
    scale *= 128;
    if (wasm[at] < 0x80) return { value, next: at + 1 };
  }
}
