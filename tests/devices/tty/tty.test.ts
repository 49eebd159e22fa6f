import { describe, expect, test } from "vitest";
import { DUE_INTERRUPT, DUE_QUIT, DUE_STOP } from "../../../host/devices/tty/input.ts";
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  EXTPROC,
  ICANON,
  ICRNL,
  IGNCR,
  INLCR,
  ISIG,
  IXANY,
  IXON,
  NOFLSH,
  OPOST,
  VEOL,
  XTABS,
} from "../../../host/devices/tty/termios.ts";
import { INPUT, LOCAL, OUTPUT, Terminal } from "./terminal.ts";

describe("canonical mode", () => {
  test("passes a line on when Return is typed, and not before", () => {
    const terminal = new Terminal();
    terminal.type("ls");
    expect(terminal.read()).toBeNull();
    terminal.type("\r");
    expect(terminal.read()).toBe("ls\n");
    expect(terminal.read()).toBeNull();
    expect(terminal.screen()).toBe("ls\r\n");
  });

  test("gives one line to a read, and a long line in pieces", () => {
    const terminal = new Terminal();
    terminal.type("one\rtwo\r");
    expect(terminal.read()).toBe("one\n");
    expect([terminal.read(2), terminal.read(1), terminal.read(5)]).toEqual(["tw", "o", "\n"]);
  });

  test("Ctrl-D hands over what was typed, and on an empty line means the end of the file", () => {
    const terminal = new Terminal();
    terminal.type("half\x04\x04more\r");
    expect([terminal.read(), terminal.read(), terminal.read()]).toEqual(["half", "", "more\n"]);
  });

  test("the end that follows a read of exactly what was typed is not seen as the end of the file", () => {
    const terminal = new Terminal();
    terminal.type("abc\x04next\r");
    expect([terminal.read(3), terminal.read()]).toEqual(["abc", "next\n"]);
  });

  test("a line that is too long is cut, and still ends", () => {
    const terminal = new Terminal();
    terminal.type(`${"x".repeat(5000)}\r`);
    const line = `${terminal.read()}`;
    expect(line.length).toBeGreaterThanOrEqual(4094);
    expect(line.endsWith("x\n")).toBe(true);
    expect(terminal.read()).toBeNull();
  });

  test("finished lines that nobody reads yet are kept, however many", () => {
    const terminal = new Terminal();
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`);
    terminal.type(lines.join(""));
    const read: (string | null)[] = [];
    for (let i = 0; i < lines.length; i++) {
      read.push(terminal.read());
      terminal.pump();
    }
    expect(read).toEqual(lines);
  });

  test("VEOL ends a line too", () => {
    const terminal = new Terminal();
    terminal.setControl(VEOL, 0x3b);
    terminal.type("a;b;");
    expect([terminal.read(), terminal.read()]).toEqual(["a;", "b;"]);
  });
});

describe("line editing", () => {
  test.each([
    ["a character", "ab\x7fc\r", "ac\n", "ab\b \bc\r\n"],
    ["a word", "one two \x17three\r", "one three\n", `one two ${"\b \b".repeat(4)}three\r\n`],
    ["the line", "ab\x15c\r", "c\n", "ab\b \b\b \bc\r\n"],
    ["a control character", "a\x01\x7fb\r", "ab\n", "a^A\b \b\b \bb\r\n"],
    ["a character of two bytes", "aπ\x7fb\r", "ab\n", "aπ\b \bb\r\n"],
    ["a tab, to where it began", "abc\t\x7fd\r", "abcd\n", `abc\t${"\b".repeat(5)}d\r\n`],
  ])("erases %s", (_what, typed, line, screen) => {
    const terminal = new Terminal();
    terminal.type(typed);
    expect(terminal.read()).toBe(line);
    expect(terminal.screen()).toBe(screen);
  });

  test("a tab behind a prompt is as wide as the prompt leaves it", () => {
    const terminal = new Terminal();
    terminal.write("$ ");
    terminal.screen();
    terminal.type("\t\x7f");
    expect(terminal.screen()).toBe(`\t${"\b".repeat(6)}`);
  });

  test("has nothing to erase on an empty line", () => {
    const terminal = new Terminal();
    terminal.type("\x7f\x17\x15ok\r");
    expect(terminal.read()).toBe("ok\n");
    expect(terminal.screen()).toBe("ok\r\n");
  });

  test("Ctrl-V takes the next key as it is", () => {
    const terminal = new Terminal();
    terminal.type("a\x16\x03\x16\x7f\r");
    expect(terminal.read()).toBe("a\x03\x7f\n");
    expect(terminal.screen()).toBe("a^C^?\r\n");
  });

  test("Ctrl-R shows the line again", () => {
    const terminal = new Terminal();
    terminal.type("ab\x12");
    expect(terminal.screen()).toBe("ab\r\nab");
  });

  test("without ECHOE the erase character itself is shown; without ECHO nothing is", () => {
    const terminal = new Terminal();
    terminal.change(LOCAL, ECHOE);
    terminal.type("a\x7f");
    expect(terminal.screen()).toBe("a^?");
    terminal.change(LOCAL, ECHO);
    terminal.type("secret\r");
    expect(terminal.screen()).toBe("");
    expect(terminal.read()).toBe("secret\n");
  });
});

describe("signals", () => {
  test.each([
    ["\x03", DUE_INTERRUPT, "^C"],
    ["\x1c", DUE_QUIT, "^\\"],
    ["\x1a", DUE_STOP, "^Z"],
  ])("%j is due to the foreground group and forgets what was typed", (key, due, shown) => {
    const terminal = new Terminal();
    expect(terminal.type(`typed${key}`)).toBe(due);
    terminal.type("ok\r");
    expect(terminal.read()).toBe("ok\n");
    expect(terminal.screen()).toBe(`typed${shown}ok\r\n`);
  });

  test("NOFLSH keeps what was typed; without ISIG the key is a character", () => {
    const terminal = new Terminal();
    terminal.change(LOCAL, 0, NOFLSH);
    expect(terminal.type("a\x03b\r")).toBe(DUE_INTERRUPT);
    expect(terminal.read()).toBe("ab\n");
    terminal.change(LOCAL, ISIG);
    expect(terminal.type("\x03\r")).toBe(0);
    expect(terminal.read()).toBe("\x03\n");
  });
});

describe("raw mode", () => {
  test("gives each byte at once, unmapped as the flags say", () => {
    const terminal = new Terminal();
    terminal.change(LOCAL, ICANON | ECHO | ISIG);
    terminal.change(INPUT, ICRNL | IXON);
    terminal.type("a\x7f\x04\r");
    expect(terminal.read()).toBe("a\x7f\x04\r");
    expect(terminal.read()).toBeNull();
    expect(terminal.screen()).toBe("");
  });

  test("loses no byte however much is typed ahead", () => {
    const terminal = new Terminal();
    terminal.change(LOCAL, ICANON | ECHO);
    const typed = Array.from({ length: 10_000 }, (_, i) => String.fromCharCode(0x21 + (i % 90))).join("");
    terminal.type(typed);
    let read = "";
    for (let piece = terminal.read(); piece !== null; piece = terminal.read()) {
      read += piece;
      terminal.pump();
    }
    expect(read).toBe(typed);
  });

  test("what was typed before a change of mode stays readable", () => {
    const terminal = new Terminal();
    terminal.type("unfinished");
    terminal.change(LOCAL, ICANON);
    expect(terminal.read(4)).toBe("unfi");
    terminal.change(LOCAL, 0, ICANON);
    expect(terminal.read()).toBe("nished");
    terminal.type("line\r");
    expect(terminal.read()).toBe("line\n");
  });
});

describe("input flags", () => {
  test("IGNCR drops Return, INLCR makes one of a newline", () => {
    const terminal = new Terminal();
    terminal.change(LOCAL, ICANON);
    terminal.change(INPUT, 0, IGNCR | INLCR);
    terminal.type("a\rb\n");
    expect(terminal.read()).toBe("ab\r");
  });

  test("Ctrl-S stops output until Ctrl-Q, or with IXANY until any key", () => {
    const terminal = new Terminal();
    terminal.type("\x13");
    expect(terminal.write("no")).toBe(0);
    terminal.type("\x11");
    expect(terminal.write("yes")).toBe(3);
    terminal.change(INPUT, 0, IXANY);
    terminal.type("\x13x");
    expect(terminal.write("yes")).toBe(3);
    expect(terminal.screen()).toBe("yesxyes");
  });
});

describe("output", () => {
  test("turns newlines into line ends, and without OPOST nothing into anything", () => {
    const terminal = new Terminal();
    terminal.write("a\nb\n");
    terminal.change(OUTPUT, OPOST);
    terminal.write("c\n");
    expect(terminal.screen()).toBe("a\r\nb\r\nc\n");
  });

  test("XTABS expands tabs to the next eighth column", () => {
    const terminal = new Terminal();
    terminal.change(OUTPUT, 0, XTABS);
    terminal.write("ab\tc\n\td");
    expect(terminal.screen()).toBe("ab      c\r\n        d");
  });

  test("takes a piece as a whole or not at all, and echo never waits", () => {
    const terminal = new Terminal();
    terminal.fillRing();
    expect(terminal.write("lost\n")).toBe(0);
    terminal.type("typed\r");
    expect(terminal.read()).toBe("typed\n");
  });

  test("without ECHOCTL control characters are shown as they are", () => {
    const terminal = new Terminal();
    terminal.change(LOCAL, ECHOCTL);
    terminal.type("\x01");
    expect(terminal.screen()).toBe("\x01");
  });
});

test("with EXTPROC the host edits and echoes: bytes pass as they come, in both directions", () => {
  const terminal = new Terminal();
  terminal.setExternal();
  terminal.type("a\x7f\x03\r");
  expect(terminal.read()).toBe("a\x7f\x03\r");
  terminal.write("x\n");
  expect(terminal.screen()).toBe("x\n");
  terminal.change(LOCAL, EXTPROC);
  terminal.type("\x03");
  expect(terminal.read()).toBe("\x03");
});
