// This terminal in raw mode, in both directions: every key goes to the guest, and what the guest's own terminal makes
// of its output is shown as it is. Node's raw mode alone would still turn each newline into two characters, which
// breaks full-screen programs; stty(1) can say the rest. Where there is none, Node's has to do.

import { spawnSync } from "node:child_process";

/** Requires: stdin is a terminal. Returns what brings its mode back; that also happens when the process exits. */
export function enterRawMode(): () => void {
  const { stdin } = process;
  const saved = stty("-g");
  stdin.setRawMode(true);
  if (saved !== null) stty("raw", "-echo");
  let isRaw = true;
  const leave = () => {
    if (!isRaw) return;
    isRaw = false;
    stdin.setRawMode(false);
    if (saved !== null) stty(saved.trim());
  };
  process.once("exit", leave);
  return leave;
}

/** stty on this process's stdin; its output, or null if it is missing or failed. */
function stty(...args: string[]): string | null {
  const { status, stdout } = spawnSync("stty", args, { stdio: ["inherit", "pipe", "ignore"], encoding: "utf8" });
  return status === 0 ? stdout : null;
}
