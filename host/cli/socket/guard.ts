// A socket file must be gone after any end of the process that made it, even one by SIGKILL. So a small shell waits on
// a pipe from that process: when the pipe closes, for whatever reason, it removes the file - if it is still the same.

import { spawn } from "node:child_process";
import { lstatSync, unlinkSync } from "node:fs";

const SCRIPT = `trap '' INT TERM HUP QUIT
cat > /dev/null
[ "$(ls -di -- "$1" 2> /dev/null | awk '{print $1}')" = "$2" ] && rm -f -- "$1"`;

/** The file at `path` exists. Returns a function that removes it now. */
export function guardSocketFile(path: string): () => void {
  const { ino } = lstatSync(path);
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "sh", path, String(ino)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => {}); // no shell: the file is removed below, unless we are killed
  shell.stdin.on("error", () => {});
  shell.unref();
  // The pipe must not keep this process alive; it closes with it.
  (shell.stdin as typeof shell.stdin & { unref?: () => void }).unref?.();
  const remove = () => {
    try {
      if (lstatSync(path).ino === ino) unlinkSync(path);
    } catch {
      // it is gone already
    }
  };
  process.once("exit", remove);
  return remove;
}
