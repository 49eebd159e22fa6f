// The stack that a program starts on, read back as the psABI says a program reads it.

import { describe, expect, test } from "vitest";
import { AT_EXECFN, AT_NULL, AT_PAGESZ, AT_RANDOM, argumentBytes, buildStack } from "../../host/loader/stack-image.ts";

const TOP = 0x3f_ffff_f000;
const RANDOM = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);

class Reader {
  readonly #bytes: Uint8Array;
  readonly #base: number;

  constructor(bytes: Uint8Array, base: number) {
    this.#bytes = bytes;
    this.#base = base;
  }

  word(va: number): number {
    const view = new DataView(this.#bytes.buffer);
    return view.getUint32(va - this.#base + 4, true) * 2 ** 32 + view.getUint32(va - this.#base, true);
  }

  text(va: number): string {
    const start = va - this.#base;
    return new TextDecoder().decode(this.#bytes.slice(start, this.#bytes.indexOf(0, start)));
  }

  bytes(va: number, count: number): Uint8Array {
    return this.#bytes.slice(va - this.#base, va - this.#base + count);
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function read(argv: string[], envp: string[]) {
  const image = buildStack(TOP, encode("/bin/prog"), argv.map(encode), envp.map(encode), [[AT_PAGESZ, 4096]], RANDOM);
  const reader = new Reader(image.bytes, image.sp);
  let at = image.sp;
  const next = () => reader.word((at += 8) - 8);
  const strings = () => {
    const list: string[] = [];
    for (let va = next(); va !== 0; va = next()) list.push(reader.text(va));
    return list;
  };
  const argc = next();
  const args = strings();
  const env = strings();
  const auxv = new Map<number, number>();
  for (let type = next(); type !== AT_NULL; type = next()) auxv.set(type, next());
  return { image, reader, argc, args, env, auxv };
}

describe("the initial stack", () => {
  test("holds argc, argv, envp and the auxiliary vector, in that order from sp", () => {
    const stack = read(["prog", "a b", ""], ["HOME=/", "L=ä"]);
    expect(stack.argc).toBe(3);
    expect(stack.args).toEqual(["prog", "a b", ""]);
    expect(stack.env).toEqual(["HOME=/", "L=ä"]);
    expect(stack.auxv.get(AT_PAGESZ)).toBe(4096);
    expect(stack.reader.text(stack.auxv.get(AT_EXECFN) ?? 0)).toBe("/bin/prog");
    expect(stack.reader.bytes(stack.auxv.get(AT_RANDOM) ?? 0, 16)).toEqual(RANDOM);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])("is aligned to 16 with %d arguments and ends in a null word", (count) => {
    const { image, reader } = read(
      Array.from({ length: count }, (_, i) => "x".repeat(i)),
      [],
    );
    expect(image.sp % 16).toBe(0);
    expect(image.sp + image.bytes.length).toBe(TOP);
    expect(reader.word(TOP - 8)).toBe(0);
  });

  test("names the areas of arguments and environment", () => {
    const { image, reader } = read(["prog", "x"], ["A=1"]);
    expect(reader.text(image.argStart)).toBe("prog");
    expect(reader.text(image.argEnd)).toBe("A=1");
    expect(reader.text(image.envEnd)).toBe("/bin/prog");
  });

  test("counts bytes with their pointers, as ARG_MAX does", () => {
    expect(argumentBytes([encode("ab")], [encode("ä")])).toBe(3 + 8 + 3 + 8);
  });
});
