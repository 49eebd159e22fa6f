// A program on a real terminal, which tmux holds: keys are sent, the screen is read, and all of it is a transcript.

import { spawnSync } from "node:child_process";

const COLUMNS = 100;
const ROWS = 30;
const LOOK_MS = 100;

export class TmuxTerminal {
  readonly #server: string;
  readonly transcript: string[] = [];

  constructor(name: string, command: readonly string[]) {
    this.#server = `pagewalk-${name}-${process.pid}`;
    const quoted = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
    this.#tmux("new-session", "-d", "-x", `${COLUMNS}`, "-y", `${ROWS}`, quoted);
    this.#tmux("set-option", "-g", "history-limit", "20000");
  }

  /** Keys as tmux names them ("Enter", "C-z"); anything else is typed as it is. */
  keys(...keys: readonly string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  /** Types a line and Return. */
  line(text: string): void {
    this.#tmux("send-keys", "-l", text);
    this.#tmux("send-keys", "Enter");
  }

  screen(): string {
    return this.#tmux("capture-pane", "-p").trimEnd();
  }

  /**
   * Waits until the screen matches and has come to rest; returns it. Throws with it when that takes too long. At rest,
   * because busybox asks the terminal where the cursor is after each prompt, and takes up to 15 bytes that come right
   * behind the answer for a key that it does not know.
   */
  async until(pattern: RegExp, seconds = 30): Promise<string> {
    let before = "";
    for (let waited = 0; waited < seconds * 1000; waited += LOOK_MS) {
      const screen = this.screen();
      const isAtRest = screen === before;
      before = screen;
      if (isAtRest && pattern.test(screen)) {
        this.transcript.push(screen);
        return screen;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    const screen = this.screen();
    this.transcript.push(screen);
    throw new Error(`no ${pattern} within ${seconds} s:\n${screen}`);
  }

  close(): void {
    spawnSync("tmux", ["-L", this.#server, "kill-server"]);
  }

  #tmux(...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync("tmux", ["-L", this.#server, "-f", "/dev/null", ...args], {
      encoding: "utf8",
      env: { ...process.env, TERM: "xterm", LANG: "C.UTF-8" },
    });
    if (status !== 0) throw new Error(`tmux ${args[0]}: ${stderr.trim()}`);
    return stdout;
  }
}
