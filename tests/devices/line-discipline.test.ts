import { describe, expect, test } from "vitest";
import { LineDiscipline } from "../../host/devices/line-discipline.ts";

function type(text: string) {
  const { echo, input, ended } = new LineDiscipline().type(Buffer.from(text));
  return { echo: Buffer.from(echo).toString(), input: Buffer.from(input).toString(), ended };
}

describe("the line discipline", () => {
  test("passes a line on when Return is typed, and not before", () => {
    expect(type("ls")).toEqual({ echo: "ls", input: "", ended: false });
    expect(type("ls\r")).toEqual({ echo: "ls\n", input: "ls\n", ended: false });
  });

  test("keeps what was typed from one key to the next", () => {
    const lines = new LineDiscipline();
    lines.type(Buffer.from("a"));
    lines.type(Buffer.from("b"));
    expect(Buffer.from(lines.type(Buffer.from("\n")).input).toString()).toBe("ab\n");
  });

  test("erases a character, a word, a line", () => {
    expect(type("ab\x7fc\r").input).toBe("ac\n");
    expect(type("one two \x17three\r").input).toBe("one three\n");
    expect(type("one two\x15three\r").input).toBe("three\n");
    expect(type("\x7f\x17\x15ok\r")).toEqual({ echo: "ok\n", input: "ok\n", ended: false });
  });

  test("erases a character of several bytes as one", () => {
    expect(type("aπ\x7fb\r").input).toBe("ab\n");
    expect(type("π\x7f").echo).toBe("π\b \b");
  });

  test("ends the input at Ctrl-D on an empty line, and passes a started line on", () => {
    expect(type("\x04")).toEqual({ echo: "", input: "", ended: true });
    expect(type("half\x04")).toEqual({ echo: "half", input: "half", ended: false });
  });

  test("drops the line at Ctrl-C and shows control keys by their names", () => {
    expect(type("oops\x03ok\r")).toEqual({ echo: "oops^C\nok\n", input: "ok\n", ended: false });
    expect(type("\x1b").echo).toBe("^[");
  });

  test("takes no more of one line than Linux does", () => {
    expect(type(`${"x".repeat(5000)}\r`).input).toHaveLength(4096);
  });
});
