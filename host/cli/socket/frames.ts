// What `run --console-socket` and `attach` say to each other: frames of {kind u8, length u32 little endian, bytes}.
// Total over bytes: whatever arrives, the reader neither throws nor keeps more than one frame of FRAME_BYTES_MAX.

export const FRAME_OUTPUT = 0x6f; // 'o', to the viewer: what the guest wrote
export const FRAME_NOTICE = 0x6e; // 'n', to the viewer: one line about the connection
export const FRAME_EXIT = 0x78; // 'x', to the viewer: the machine is over; one byte, the exit code
export const FRAME_INPUT = 0x69; // 'i', from the viewer: what was typed
export const FRAME_SIZE = 0x77; // 'w', from the viewer: window size, {columns u16, rows u16}
export const FRAME_HELLO = 0x68; // 'h', from the viewer: one byte, 1 if it wants to write

const HEADER_BYTES = 5;
const FRAME_BYTES_MAX = 1 << 20;

export function frame(kind: number, bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = kind;
  header.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

/** Cuts a stream into frames. */
export class FrameReader {
  readonly #onFrame: (kind: number, bytes: Buffer) => void;
  #pending: Buffer = Buffer.alloc(0);

  constructor(onFrame: (kind: number, bytes: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** False if this is no stream of frames: the connection should be closed. */
  push(chunk: Uint8Array): boolean {
    this.#pending = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    let at = 0;
    while (this.#pending.length - at >= HEADER_BYTES) {
      const length = this.#pending.readUInt32LE(at + 1);
      if (length > FRAME_BYTES_MAX) return false;
      const end = at + HEADER_BYTES + length;
      if (this.#pending.length < end) break;
      this.#onFrame(this.#pending[at]!, this.#pending.subarray(at + HEADER_BYTES, end));
      at = end;
    }
    this.#pending = this.#pending.subarray(at);
    return true;
  }
}
