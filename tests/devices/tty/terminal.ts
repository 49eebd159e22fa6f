// A terminal without a machine around it: typed bytes go in, echo, signals and what readers get come out.

import { readFileSync } from "node:fs";
import {
  CONSOLE_OUT_DATA_BYTES,
  CONSOLE_RECORD_HEADER_BYTES,
  HART_BUFFER,
  TERMIOS_CC,
  TERMIOS_IFLAG,
  TERMIOS_LFLAG,
  TERMIOS_OFLAG,
  TERMIOS2_BYTES,
  TTY_BASE,
  TTY_TERMIOS,
} from "../../../assembly/layout.ts";
import { CONSOLE_IN, CONSOLE_OUT } from "../../../host/devices/console.ts";
import { ringAddress, ringHead, ringTail, setRingHead, setRingTail } from "../../../host/devices/ring.ts";
import { initTermios } from "../../../host/devices/tty/termios.ts";
import { ttyReceive, ttySetModes, ttyTake, ttyWrite } from "../../../host/devices/tty/tty.ts";
import { resolveConfig } from "../../../host/machine/config.ts";
import { instantiateCore } from "../../../host/machine/core.ts";
import { createMemory } from "../../../host/machine/memory-map.ts";
import { HartLocal } from "../../../host/memory/hart-local.ts";
import { BUILD } from "../../support/paths.ts";

const wasm = new WebAssembly.Module(readFileSync(`${BUILD}/core.wasm`));

export class Terminal {
  readonly hart: HartLocal;

  constructor() {
    const config = resolveConfig({ program: new Uint8Array(), ramBytes: 1 << 24, decodePages: 16 });
    const shared = createMemory(config, { realtimeNs: 0, hrtimeNs: 0 }, false);
    this.hart = new HartLocal(0, shared, instantiateCore(wasm, shared.memory), { now: () => 0 }, 0);
    initTermios(shared, false);
  }

  /** Types `text`; returns the signals that are due. */
  type(text: string): number {
    const { shared } = this.hart;
    let due = 0;
    for (const byte of Buffer.from(text, "utf8")) {
      shared.u8[ringAddress(CONSOLE_IN, ringTail(shared, CONSOLE_IN))] = byte;
      setRingTail(shared, CONSOLE_IN, ringTail(shared, CONSOLE_IN) + 1);
      due |= ttyReceive(this.hart);
    }
    return due;
  }

  /** Takes what is still in the ring, as after a read that made room. */
  pump(): number {
    return ttyReceive(this.hart);
  }

  /** The host's terminal edits lines and echoes. */
  setExternal(): void {
    initTermios(this.hart.shared, true);
  }

  /** What one read of up to `bytesMax` bytes gets, or null: it would wait. */
  read(bytesMax = 4096): string | null {
    const address = this.hart.base + HART_BUFFER;
    const bytes = ttyTake(this.hart, address, bytesMax);
    return bytes < 0 ? null : Buffer.from(this.hart.shared.u8.slice(address, address + bytes)).toString();
  }

  /** A program writes `text`; returns how many bytes were taken. */
  write(text: string): number {
    const bytes = Buffer.from(text);
    this.hart.shared.u8.set(bytes, this.hart.base + HART_BUFFER);
    return ttyWrite(this.hart, this.hart.base + HART_BUFFER, bytes.length);
  }

  /** What the terminal has been sent since the last call. */
  screen(): string {
    const { shared } = this.hart;
    const bytes: number[] = [];
    let at = ringHead(shared, CONSOLE_OUT);
    while (((ringTail(shared, CONSOLE_OUT) - at) | 0) > 0) {
      const byteAt = (position: number) => shared.u8[ringAddress(CONSOLE_OUT, position)];
      const length = byteAt(at + 1) | (byteAt(at + 2) << 8);
      for (let i = 0; i < length; i++) bytes.push(byteAt(at + CONSOLE_RECORD_HEADER_BYTES + i));
      at += CONSOLE_RECORD_HEADER_BYTES + length;
    }
    setRingHead(shared, CONSOLE_OUT, at);
    return Buffer.from(bytes).toString();
  }

  /** Fills the ring to the last byte, so that nothing more can be sent. */
  fillRing(): void {
    const { shared } = this.hart;
    setRingTail(shared, CONSOLE_OUT, ringHead(shared, CONSOLE_OUT) + CONSOLE_OUT_DATA_BYTES);
  }

  /** Switches bits of a flags word (TERMIOS_*FLAG) off and on, as tcsetattr would. */
  change(field: number, off: number, on = 0): void {
    const { shared } = this.hart;
    const copy = this.hart.base + HART_BUFFER;
    shared.u8.copyWithin(copy, TTY_BASE + TTY_TERMIOS, TTY_BASE + TTY_TERMIOS + TERMIOS2_BYTES);
    shared.set(copy + field, (shared.get(copy + field) & ~off) | on);
    ttySetModes(this.hart, copy, TERMIOS2_BYTES);
  }

  setControl(index: number, byte: number): void {
    this.hart.shared.u8[TTY_BASE + TTY_TERMIOS + TERMIOS_CC + index] = byte;
  }
}

export const INPUT = TERMIOS_IFLAG;
export const OUTPUT = TERMIOS_OFLAG;
export const LOCAL = TERMIOS_LFLAG;
