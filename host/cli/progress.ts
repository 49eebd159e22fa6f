// One line on a terminal that overwrites itself; nothing where stderr is a file or a pipe.

import { sayError } from "./failure.ts";

export class Progress {
  readonly #startMs = performance.now();

  show(text: string): void {
    if (process.stderr.isTTY) sayError(`\r\x1b[K${text}, ${this.seconds()} s`);
  }

  clear(): void {
    if (process.stderr.isTTY) sayError("\r\x1b[K");
  }

  seconds(): string {
    return ((performance.now() - this.#startMs) / 1000).toFixed(1);
  }

  rate(count: number): number {
    return Math.round((count * 1000) / Math.max(1, performance.now() - this.#startMs));
  }
}
