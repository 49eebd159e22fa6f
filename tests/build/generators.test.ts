// The generator step, on small programs: what may suspend does, in the right order, and what cannot is refused.

import { expect, test } from "vitest";
import { toGenerators } from "../../host/build/generators.ts";

const HEAD = "// host/kernel/x.ts\nfunction suspend() {}\n";

/** Runs `start()` of the rewritten text and returns what `log` collected, a dash for each suspension. */
function run(text: string): string {
  const log: string[] = [];
  const body = `${toGenerators(HEAD + text)}\nreturn start();`;
  const coroutine = new Function("log", body)((word: string) => log.push(word)) as Iterator<unknown>;
  for (let step = coroutine.next(); step.done !== true; step = coroutine.next()) log.push("-");
  return log.join(" ");
}

test("a call chain suspends where its innermost function does", () => {
  expect(run('function inner() { log("a"); suspend(); log("b"); }\nfunction start() { inner(); log("c"); }')).toBe(
    "a - b c",
  );
});

test("what cannot suspend stays as it was", () => {
  expect(
    toGenerators(`${HEAD}function add(a, b) { return a + b; }\nfunction start() { suspend(); return add(1, 2); }`),
  ).toContain("function add(a, b)");
});

test("methods, private methods and arrow functions suspend, and arrows keep their this", () => {
  const text = `
class Point {
  constructor() { this.x = "x"; this.later = () => { suspend(); log(this.x); }; }
  #hidden() { suspend(); return "hidden"; }
  open() { log(this.#hidden()); this.later(); }
}
const both = (p) => (p.open(), log("end"));
function start() { both(new Point()); }`;
  expect(run(text)).toBe("- hidden - x end");
});

test("a function that suspends first, and then nowhere, stays plain and does the rest when it goes on", () => {
  const text = `
class Memory {
  ask = [false, true];
  load(word) {
    if (true) {
      if (this.ask.pop()) suspend();
      log(word);
    }
    return word + "!";
  }
}
function start() { const m = new Memory(); log(m.load("a")); log(m.load("b")); }`;
  expect(run(text)).toBe("- a a! b b!");
  expect(toGenerators(HEAD + text)).toContain("  load(word) {");
});

test("a function that has nothing left to do after its calls stays plain", () => {
  const text = `
function inner(word) { log(word); suspend(); return word + "!"; }
function either(word) { if (word === "a") return inner("x"); word ? inner(word) : log("none"); }
function start() { log(either("a")); either("b"); either(""); }`;
  expect(run(text)).toBe("x - x! b - none");
  expect(toGenerators(HEAD + text)).toContain("function either(word)");
});

test("what a function still has to undo after a call makes it a generator", () => {
  const text = `
function inner(word) { suspend(); log(word); }
function tidy(word) { try { return inner(word); } finally { log("undone"); } }
function start() { tidy("a"); log("end"); }`;
  expect(run(text)).toBe("- a undone end");
});

test("a function that is handed over suspends where it is called", () => {
  const text = 'function twice(f) { f(); f(); }\nfunction start() { twice(() => { suspend(); log("f"); }); }';
  expect(run(text)).toBe("- f - f");
});

test("an optional call of nothing goes on", () => {
  const text = `
const some = { serve() { suspend(); log("served"); } };
function poll(who) { who?.serve(); log("polled"); }
function start() { poll(null); poll(some); }`;
  expect(run(text)).toBe("polled - served polled");
});

test("chained calls suspend innermost first", () => {
  const text = `
const chain = { go(word) { suspend(); log(word); return chain; } };
function start() { chain.go("a").go("b"); }`;
  expect(run(text)).toBe("- a - b");
});

test.each([
  ["a constructor", "class A { constructor() { suspend(); } }\nfunction start() { new A(); }"],
  ["an accessor", "const o = { get x() { return suspend(); } };\nfunction start() { return o.x; }"],
  ["a callback of forEach", "function start() { [1].forEach(() => suspend()); }"],
])("%s that would have to suspend stops the build", (_, text) => {
  expect(() => toGenerators(HEAD + text)).toThrow(/reaches a schedule point/);
});
