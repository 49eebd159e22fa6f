// What a guest wrote, taken from the console's ring as the main thread would.

import { CONSOLE_OUT } from "../../host/devices/console.ts";
import { ringAddress, ringTail } from "../../host/devices/ring.ts";
import type { SharedMemory } from "../../host/memory/shared.ts";

/** The text of every record so far, by descriptor. */
export function consoleOutput(shared: SharedMemory): string[] {
  const parts: number[][] = [[], [], []];
  for (let at = 0; at !== ringTail(shared, CONSOLE_OUT); ) {
    const byte = (offset: number) => shared.u8[ringAddress(CONSOLE_OUT, at + offset)];
    const length = byte(1) | (byte(2) << 8);
    for (let i = 0; i < length; i++) parts[byte(0)].push(byte(3 + i));
    at += 3 + length;
  }
  return parts.map((bytes) => new TextDecoder().decode(Uint8Array.from(bytes)));
}
