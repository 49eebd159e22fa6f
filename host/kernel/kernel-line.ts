// Lines that the kernel itself writes to the guest's stderr: why a program was killed, and --strace.

import { HART_BUFFER, HART_BUFFER_BYTES } from "../../assembly/layout.ts";
import { CONSOLE_OUT, consoleWrite } from "../devices/console.ts";
import { ringHead } from "../devices/ring.ts";
import { park } from "../memory/park.ts";
import type { Hart } from "../policy/hart.ts";

/** How long a hart sleeps before it looks again whether the main thread has made room. */
const FULL_WAIT_NS = 1_000_000;

/**
 * Writes `text` and a newline; characters outside ASCII become "?". A full ring is waited for on this hart, so that
 * neither a trace nor the reason of a death is lost; the machine's stop ends the wait. No lock held. Uses HART_BUFFER.
 */
export function writeKernelLine(hart: Hart, text: string): void {
  const address = hart.base + HART_BUFFER;
  const bytes = Math.min(text.length + 1, HART_BUFFER_BYTES);
  const { u8 } = hart.shared;
  for (let i = 0; i < bytes - 1; i++) {
    const code = text.charCodeAt(i);
    u8[address + i] = code < 0x80 ? code : 0x3f;
  }
  u8[address + bytes - 1] = 0x0a;
  for (let done = 0; done < bytes; ) {
    const head = ringHead(hart.shared, CONSOLE_OUT);
    const taken = consoleWrite(hart, 2, address + done, bytes - done);
    if (taken < 0) return; // stderr is closed: nobody is there to read it
    done += taken;
    if (taken === 0) {
      park(hart, CONSOLE_OUT.base, head, hart.clock.now() + FULL_WAIT_NS);
      hart.pollIrq();
    }
  }
}
