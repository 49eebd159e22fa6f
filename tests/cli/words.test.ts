// The parts of the command line that need no machine: qemu's names, sizes, the escape key.

import { describe, expect, test } from "vitest";
import { EscapeKeys } from "../../host/cli/escape-keys.ts";
import { translateQemuNames } from "../../host/cli/qemu-names.ts";
import { collectEnv, parseInteger, parseSeconds, parseSize } from "../../host/cli/sizes.ts";

/** Options with a value, as the command declares them. */
const WITH_VALUE = new Set(["--harts", "--json", "--env", "-E", "--root"]);

describe("qemu's option names", () => {
  test.each([
    ["run -smp 4 prog", "run --harts 4 prog"],
    ["run -smp cpus=4,sockets=1 prog", "run --harts 4 prog"],
    ["run -m 512 prog", "run --ram 512M prog"],
    ["run -m 1G prog", "run --ram 1G prog"],
    ["run -m size=64,slots=2 prog", "run --ram 64M prog"],
    ["run -strace prog", "run --strace prog"],
    ["run -E A=1 -E B=2 prog", "run --env A=1 --env B=2 prog"],
    ["console -smp 2 sh", "console --harts 2 sh"],
    ["run --root / -smp 2 prog", "run --root / --harts 2 prog"],
    ["run --root=/ -m 64 prog", "run --root=/ --ram 64M prog"],
  ])("%s", (typed, meant) => {
    expect(translateQemuNames(typed.split(" "), WITH_VALUE)).toEqual(meant.split(" "));
  });

  test.each([
    "run prog -smp 4 -m 1",
    "run --harts 2 prog -strace",
    "run --json -strace prog", // the name of the file, not an option
    "run -- -smp",
    "run --env -m=1 prog",
    "bench -m 3",
    "run -smp",
    "",
  ])("leave alone: %s", (typed) => {
    const words = typed.split(" ");
    expect(translateQemuNames(words, WITH_VALUE)).toEqual(words);
  });
});

describe("sizes and numbers", () => {
  test.each([
    ["16M", 2 ** 24],
    ["1G", 2 ** 30],
    ["1.5g", 1.5 * 2 ** 30],
    ["64MiB", 2 ** 26],
    ["64MB", 2 ** 26],
    ["4096K", 2 ** 22],
    ["1048576", 2 ** 20],
  ])("%s is %i bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(["", "M", "-1M", "1T", "1e6", "0x10", "one", "1.3K", "99999999999999999"])("%j is no size", (text) => {
    expect(() => parseSize(text)).toThrow();
  });

  test("whole numbers are decimal or hexadecimal", () => {
    expect(parseInteger("0x10")).toBe(16);
    for (const text of ["", "1.5", "-1", "1e3", " 1", "0x"]) expect(() => parseInteger(text)).toThrow();
  });

  test("a timeout is more than nothing", () => {
    expect(parseSeconds("0.5")).toBe(0.5);
    for (const text of ["0", "-1", "soon", "1e9", ""]) expect(() => parseSeconds(text)).toThrow();
  });

  test("environment variables add up, and may hold equal signs", () => {
    expect(collectEnv("B=x=y", { A: "1" })).toEqual({ A: "1", B: "x=y" });
    for (const text of ["A", "=1", ""]) expect(() => collectEnv(text, undefined)).toThrow();
  });
});

describe("Ctrl-A", () => {
  function keys() {
    const done: string[] = [];
    const keyboard = new EscapeKeys({
      typed: (bytes) => void done.push(Buffer.from(bytes).toString()),
      leave: () => void done.push("<leave>"),
      help: () => void done.push("<help>"),
      info: () => void done.push("<info>"),
    });
    return { done, type: (text: string) => keyboard.type(Buffer.from(text)) };
  }

  test("is kept from the guest together with the key after it", () => {
    const { done, type } = keys();
    type("ab\x01hcd\x01xe");
    expect(done).toEqual(["ab", "<help>", "cd", "<leave>", "e"]);
  });

  test("works when the two keys arrive apart", () => {
    const { done, type } = keys();
    type("\x01");
    type("i");
    expect(done).toEqual(["<info>"]);
  });

  test("reaches the guest when typed as Ctrl-A a", () => {
    const { done, type } = keys();
    type("\x01a\x01\x01");
    expect(done).toEqual(["\x01", "\x01"]);
  });

  test("shows the help for keys without a meaning", () => {
    const { done, type } = keys();
    type("\x01q");
    expect(done).toEqual(["<help>"]);
  });
});
