// An interactive shell on four harts, driven by a person's keys.

import { mkdirSync, writeFileSync } from "node:fs";
import { debianRoot } from "../../support/debian.ts";
import { BUILD, COMMAND } from "../../support/paths.ts";
import type { Report } from "../report.ts";
import { TmuxTerminal } from "./terminal.ts";

interface Step {
  readonly what: string;
  readonly act: (terminal: TmuxTerminal) => void;
  readonly expect: RegExp;
  readonly seconds?: number;
}

const line = (text: string) => (terminal: TmuxTerminal) => terminal.line(text);
const keys =
  (...names: readonly string[]) =>
  (terminal: TmuxTerminal) =>
    terminal.keys(...names);

/** One more in the background, and a rest after each fifty. */
const ONE_CHILD = "/bin/true & i=$((i+1)); [ $((i % 50)) = 0 ] && wait";

const COMMON: readonly Step[] = [
  { what: "a prompt of our own", act: line("PS1='pw$ '; clear"), expect: /^pw\$ *$/m },
  { what: "a pipeline", act: line("seq 1 1000 | grep 7 | wc -l"), expect: /^271$/m },
  { what: "a here-document", act: line("cat <<END | tr a-z A-Z"), expect: /> *$/ },
  { what: "its text", act: line("here document"), expect: />.*\n> *$/ },
  { what: "its end", act: line("END"), expect: /^HERE DOCUMENT$/m },
  {
    what: "redirection and a loop",
    act: line("for i in 1 2 3; do echo n$i; done > /tmp/f; sort -r /tmp/f"),
    expect: /n3\nn2\nn1/,
  },
  { what: "a job in the foreground", act: line("sleep 100"), expect: /sleep 100/ },
  { what: "Ctrl-Z stops it", act: keys("C-z"), expect: /Stopped/i },
  { what: "bg lets it go on", act: line("bg"), expect: /sleep 100/ },
  { what: "jobs shows it", act: line("jobs"), expect: /Running/i },
  { what: "fg brings it back", act: line("fg"), expect: /sleep 100\s*$/ },
  { what: "Ctrl-C ends it", act: keys("C-c"), expect: /\^C\s*pw\$ *$/ },
  { what: "a signal is a status", act: line("clear; sh -c 'kill -TERM $$'; echo status $?"), expect: /status 143/ },
  { what: "ps shows the shell", act: line("clear; ps"), expect: /PID[\s\S]*ps/ },
  { what: "free counts memory", act: line("clear; free"), expect: /Mem:\s+\d+/ },
  { what: "top draws its screen", act: line("top"), expect: /(Mem|CPU)[\s\S]*PID/ },
  { what: "and leaves at q", act: keys("q"), expect: /pw\$ *$/ },
  { what: "vi opens a file", act: line("vi /tmp/f"), expect: /n1\nn2\nn3\n~/ },
  { what: "changes it", act: keys("G", "o", "typed in vi", "Escape"), expect: /n3\ntyped in vi/ },
  { what: "and writes it", act: keys(":", "w", "q", "Enter"), expect: /pw\$ *$/ },
  { what: "the file has it", act: line("clear; tail -n 1 /tmp/f"), expect: /^typed in vi$/m },
  {
    what: "a script that forks 1,000 children",
    // In a subshell: an interactive one says of each job that it is done, some of it after the last line.
    act: line(`clear; (i=0; while [ $i -lt 1000 ]; do ${ONE_CHILD}; done; wait; clear; echo did $i)`),
    expect: /^did 1000$/m,
    seconds: 120,
  },
];

const SHELLS: readonly (readonly string[])[] = [
  ["/bin/bash", "--norc"],
  ["/bin/busybox", "sh"],
];

export async function shells(report: Report): Promise<void> {
  const root = debianRoot();
  if ("missing" in root) return report.add("a root file system", 1, [root.missing]);
  for (const shell of SHELLS) await driveShell(report, root.path, shell);
}

async function driveShell(report: Report, root: string, shell: readonly string[]): Promise<void> {
  const name = shell.join(" ");
  const command = [process.execPath, COMMAND, "console", "--harts", "4", "--root", root, "-E", "TERM=xterm"];
  const path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  const terminal = new TmuxTerminal("shell", [...command, "-E", path, "-E", "HOME=/root", ...shell]);
  const failures: string[] = [];
  let done = 0;
  try {
    await terminal.until(/[$#] *$/);
    for (const { what, act, expect, seconds } of COMMON) {
      act(terminal);
      done++;
      try {
        await terminal.until(expect, seconds);
      } catch (error) {
        report.note(`${name}: ${what}: not so`);
        failures.push(`${what}: ${error instanceof Error ? error.message : error}`);
        terminal.keys("C-c");
        terminal.keys("q");
        terminal.line("");
      }
    }
    terminal.line("exit");
  } catch (error) {
    failures.push(String(error));
  } finally {
    terminal.close();
  }
  mkdirSync(`${BUILD}/tests`, { recursive: true });
  const file = `${BUILD}/tests/transcript-${name.replace(/\W+/g, "-")}.txt`;
  writeFileSync(file, terminal.transcript.join(`\n${"-".repeat(80)}\n`));
  report.add(`${name} on 4 harts`, Math.max(done, failures.length, 1), failures);
  report.note(`transcript: ${file}`);
}
